//! The configuration of logins: the option file, the environment and the command line.

mod error;
mod file;
#[cfg(test)]
mod tests;
mod tls;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use exporter_core::config_file::{self, Secret};

pub(crate) use self::error::{Error, Problem};
use self::file::OptionFile;
pub(crate) use self::tls::{Authorities, Identity, Tls};
use crate::address::Address;

/// The logins, by section of the option file. `auth_module=` selects one.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    logins: BTreeMap<String, Login>,
}

/// How to log in to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Password,
    /// The address of the server, unless a probe names a target.
    pub(crate) address: Address,
    pub(crate) tls: Tls,
    /// Whether the password may be sent in clear text if the server requests it, and only the server
    /// can read it.
    pub(crate) allow_cleartext: bool,
    /// The key that encrypts the password on a connection without TLS.
    pub(crate) public_key: PublicKey,
}

/// The RSA key with which `caching_sha2_password` and `sha256_password` encrypt a password without
/// TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// The server's key in a file, so that only the server can decrypt the password.
    File(PathBuf),
    /// No key: the password is not sent.
    None,
    /// Any key that the server sends.
    Trusted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Password {
    /// A file, read at each login.
    File(PathBuf),
    None,
    /// A token that is made for each login, in this AWS region.
    #[cfg(feature = "rds-iam")]
    RdsIam(String),
    Text(Secret),
}

/// The values used if the file has none.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    pub(crate) address: Address,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Secret>,
    /// Whether the certificates of servers are not verified.
    pub(crate) skip_verification: bool,
}

/// The section that is used without `auth_module=`.
pub(crate) const DEFAULT_SECTION: &str = "client";

impl Config {
    /// Reads the file at `path`. A missing file counts as empty, unless it is `required` and no user
    /// is set elsewhere.
    pub(crate) fn load(path: &Path, required: bool, defaults: &Defaults) -> Result<Self, Error> {
        let bytes = match config_file::read(path, config_file::SMALL) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound && !required => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::NotFound && defaults.user.is_some() => {
                tracing::warn!(path = %path.display(), "the option file does not exist");
                Vec::new()
            }
            Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
        };
        Self::parse(&bytes, path, defaults)
    }

    pub(crate) fn parse(bytes: &[u8], path: &Path, defaults: &Defaults) -> Result<Self, Error> {
        let path = || path.to_owned();
        let file = file::decode(bytes).and_then(|text| OptionFile::parse(&text));
        let file = file.map_err(|error| Error::Line {
            path: path(),
            line: error.line,
            problem: error.problem,
        })?;
        let mut logins = BTreeMap::new();
        let sections =
            file.sections().filter(|name| *name != DEFAULT_SECTION).chain([DEFAULT_SECTION]);
        for section in sections {
            let login = login(&file, section, defaults).map_err(|problem| Error::Key {
                path: path(),
                section: section.to_owned(),
                problem,
            })?;
            // A section without a user is for another program.
            if let Some(login) = login {
                logins.insert(section.to_owned(), login);
            }
        }
        if logins.is_empty() { Err(Error::NoUser(path())) } else { Ok(Self { logins }) }
    }

    pub(crate) fn login(&self, module: &str) -> Option<&Login> {
        self.logins.get(module)
    }

    /// The first login. A configuration has at least one.
    pub(crate) fn first_login(&self) -> Option<&Login> {
        self.logins.values().next()
    }

    /// Whether the server at this address is configured.
    pub(crate) fn has_server(&self, address: &Address) -> bool {
        self.logins.values().any(|login| login.address == *address)
    }

    /// Rejects a replacement with weaker TLS than this configuration. A partially written file is often
    /// valid.
    pub(crate) fn check_replacement(&self, new: &Self) -> Result<(), Error> {
        for (section, before) in &self.logins {
            let Some(after) = new.logins.get(section) else { continue };
            let use_tcp =
                [before, after].iter().all(|login| matches!(login.address, Address::Tcp { .. }));
            if use_tcp && let Some(lost_protection) = before.tls.lost_protection(&after.tls) {
                return Err(Error::WeakerTls { section: section.clone(), lost_protection });
            }
        }
        Ok(())
    }

    /// The sections and their servers.
    pub(crate) fn sections(&self) -> impl Iterator<Item = (&str, &Address)> {
        self.logins.iter().map(|(section, login)| (section.as_str(), &login.address))
    }

    #[cfg(test)]
    pub(crate) fn modules(&self) -> impl Iterator<Item = &str> {
        self.logins.keys().map(String::as_str)
    }
}

fn login(file: &OptionFile, section: &str, defaults: &Defaults) -> Result<Option<Login>, Problem> {
    let value = |key: &str| file.value(section, key);
    let is_client = section == DEFAULT_SECTION || section.starts_with("client.");
    let default_user = || if is_client { defaults.user.clone() } else { None };
    let user = value("user").map(str::to_owned).or_else(default_user);
    let Some(user) = user.filter(|user| !user.is_empty()) else { return Ok(None) };
    let password = match file.nearest(section, &["password-file", "password"]) {
        Some(("password-file", path)) => Password::File(path.into()),
        Some((_, text)) => Password::Text(Secret::new(text)),
        None => match &defaults.password {
            Some(password) if is_client => Password::Text(password.clone()),
            _ => Password::None,
        },
    };
    let address = address(file, section, defaults)?;
    // An empty value counts as missing.
    let value = |key: &str| value(key).filter(|value| !value.is_empty());
    let tls = Tls::read(value, defaults.skip_verification)?;
    let region = value("rds-iam");
    let password = match region {
        Some(region) => rds_iam_password(region, &password, &tls)?,
        None => password,
    };
    // A token is sent in clear text.
    let allow_cleartext = region.is_some() || boolean("enable-cleartext-plugin", value)?;
    let public_key = match value("server-public-key-path").filter(|path| !path.is_empty()) {
        Some(path) => PublicKey::File(path.into()),
        None if boolean("get-server-public-key", value)? => PublicKey::Trusted,
        None => PublicKey::None,
    };
    let login = Login { user, password, address, tls, allow_cleartext, public_key };
    let login = login.clone().with_address(login.address.clone())?;
    if login.allow_cleartext && !login.is_private() {
        tracing::warn!(
            section,
            "enable-cleartext-plugin has no effect: the password is only sent over a socket, or \
             over TLS with a verified certificate"
        );
    }
    Ok(Some(login))
}

/// Checks the settings of a section with `rds-iam`, which uses a token of Amazon RDS as password.
fn rds_iam_password(region: &str, password: &Password, tls: &Tls) -> Result<Password, Problem> {
    let problem = |problem| Err(Problem::new("rds-iam", problem));
    let is_region = region
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_region || !region.contains('-') {
        return problem("expected an AWS region, such as eu-central-1");
    }
    if !matches!(password, Password::None) {
        return problem("a token replaces the password: remove one of them");
    }
    if !tls.is_verified() {
        return problem(
            "a token is only sent over TLS with a verified certificate: set ssl-ca to the file \
             with Amazon's authorities",
        );
    }
    #[cfg(feature = "rds-iam")]
    return Ok(Password::RdsIam(region.to_owned()));
    #[cfg(not(feature = "rds-iam"))]
    problem("this program was built without the feature rds-iam")
}

/// The value of a boolean key.
fn boolean<'a>(
    key: &'static str,
    value: impl Fn(&str) -> Option<&'a str>,
) -> Result<bool, Problem> {
    match value(key) {
        Some("true" | "1" | "ON" | "on") => Ok(true),
        None | Some("false" | "0" | "OFF" | "off" | "") => Ok(false),
        Some(_) => Err(Problem::new(key, "expected true or false")),
    }
}

fn address(file: &OptionFile, section: &str, defaults: &Defaults) -> Result<Address, Problem> {
    // An empty value counts as missing.
    let has_socket = file.value(section, "socket").is_some_and(|path| !path.is_empty());
    let keys = if has_socket { &["socket", "host"][..] } else { &["host"] };
    let host = match file.nearest(section, keys) {
        Some(("socket", path)) => return Ok(Address::Unix { path: path.to_owned() }),
        Some((_, host)) => Some(host).filter(|host| !host.is_empty()),
        None => None,
    };
    let port = file.value(section, "port").filter(|port| !port.is_empty());
    if host.is_none() && port.is_none() {
        return Ok(defaults.address.clone());
    }
    let (default_host, default_port) = match &defaults.address {
        Address::Tcp { host, port } => (host.as_str(), *port),
        Address::Unix { .. } => ("localhost", 3306),
    };
    let host = host.unwrap_or(default_host);
    let port = match port {
        Some(port) => {
            port.parse().map_err(|_| Problem::new("port", "expected a number up to 65535"))?
        }
        None => default_port,
    };
    let address =
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    address.parse().map_err(|_| Problem::new("host", "expected a host name or an IP address"))
}

impl Login {
    /// This login for another address. Fails if the TLS settings do not fit the address.
    pub(crate) fn with_address(self, address: Address) -> Result<Self, Problem> {
        let is_socket = matches!(address, Address::Unix { .. });
        if is_socket && self.tls.is_verified() {
            return Err(Problem::new(
                "socket",
                "a Unix socket has no TLS and needs none: remove the TLS keys from this section",
            ));
        }
        let tls = if is_socket { Tls::Off } else { self.tls };
        Ok(Self { address, tls, ..self })
    }

    /// Whether only the server can read what the client sends.
    fn is_private(&self) -> bool {
        matches!(self.address, Address::Unix { .. }) || self.tls.is_verified()
    }
}
