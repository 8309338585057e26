//! The TLS settings of a section.

use std::path::PathBuf;

use super::error::Problem;

/// How a connection is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    Off,
    /// If the server offers TLS, without verifying its certificate.
    Preferred(Identity),
    /// Without verifying the server's certificate.
    Unverified(Identity),
    /// One of `authorities` must have issued the certificate, for `name` or else for the server's host
    /// name.
    Verified {
        authorities: Authorities,
        name: Option<String>,
        identity: Identity,
    },
    /// A CA in `ca_file` must have issued the certificate, for any name.
    VerifiedCa {
        ca_file: PathBuf,
        identity: Identity,
    },
}

/// The trusted certificate authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Authorities {
    /// Those in a PEM file.
    File(PathBuf),
    /// Those that browsers trust.
    Public,
}

/// The files of the client certificate and its key.
pub(crate) type Identity = Option<(PathBuf, PathBuf)>;

/// `mysqld_exporter` misspells the key.
const SKIP_VERIFICATION: [&str; 2] = ["ssl-skip-verification", "ssl-skip-verfication"];

impl Tls {
    /// Reads the keys of a section. `skip_verification` is the flag `--tls.insecure-skip-verify`.
    pub(super) fn read<'a>(
        value: impl Fn(&str) -> Option<&'a str>,
        skip_verification: bool,
    ) -> Result<Self, Problem> {
        check_versions(&value)?;
        let identity = identity(&value)?;
        let authorities = value("ssl-ca").map(PathBuf::from);
        let verified = |identity| Self::Verified {
            authorities: authorities.clone().map_or(Authorities::Public, Authorities::File),
            name: value("tls-server-name").map(str::to_owned),
            identity,
        };
        for key in SKIP_VERIFICATION {
            match value(key) {
                Some("true" | "1") => return Ok(Self::Unverified(identity)),
                None | Some("false" | "0" | "") => {}
                Some(_) => return Err(Problem::new(key, "expected true or false")),
            }
        }
        if skip_verification {
            return Ok(Self::Unverified(identity));
        }
        let mode = value("ssl-mode").map(str::to_ascii_uppercase);
        match (mode.as_deref(), value("tls")) {
            (Some(_), Some(_)) => {
                Err(Problem::new("tls", "has the same purpose as ssl-mode: remove one of them"))
            }
            (Some("DISABLED"), None) | (None, Some("false")) => Ok(Self::Off),
            (Some("PREFERRED"), None) | (None, Some("preferred")) => Ok(Self::Preferred(identity)),
            (Some("REQUIRED"), None) if authorities.is_none() => Ok(Self::Unverified(identity)),
            (Some("REQUIRED" | "VERIFY_IDENTITY"), None) | (None, Some("true")) => {
                Ok(verified(identity))
            }
            (None, Some("skip-verify")) => Ok(Self::Unverified(identity)),
            (Some("VERIFY_CA"), None) => match authorities {
                Some(ca_file) => Ok(Self::VerifiedCa { ca_file, identity }),
                None => Err(Problem::new(
                    "ssl-mode",
                    "VERIFY_CA needs ssl-ca, because anyone can get a certificate of a public authority",
                )),
            },
            (Some(_), None) => Err(Problem::new(
                "ssl-mode",
                "expected DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY",
            )),
            (None, Some(_)) => {
                Err(Problem::new("tls", "expected true, false, skip-verify or preferred"))
            }
            (None, None) if authorities.is_some() || identity.is_some() => Ok(verified(identity)),
            (None, None) => Ok(Self::Off),
        }
    }

    /// The protection that is lost if `new` replaces these settings, if any.
    pub(super) fn lost_protection(&self, new: &Self) -> Option<&'static str> {
        let (strength, weakness) = new.strength();
        (self.strength().0 > strength).then_some(weakness)
    }

    /// The strength, and what the next stronger setting would add.
    fn strength(&self) -> (u8, &'static str) {
        match self {
            Self::Off => (0, "the connection would not be encrypted"),
            Self::Preferred(_) => (1, "a server without TLS would be accepted"),
            Self::Unverified(_) => (2, "the server's certificate would not be verified"),
            Self::VerifiedCa { .. } => {
                (3, "the name in the server's certificate would not be checked")
            }
            Self::Verified { .. } => (4, ""),
        }
    }

    /// Whether the server's certificate is verified.
    pub(crate) fn is_verified(&self) -> bool {
        matches!(self, Self::Verified { .. } | Self::VerifiedCa { .. })
    }
}

fn identity<'a>(value: &impl Fn(&str) -> Option<&'a str>) -> Result<Identity, Problem> {
    match (value("ssl-cert"), value("ssl-key")) {
        (Some(certificate), Some(key)) => Ok(Some((certificate.into(), key.into()))),
        (None, None) => Ok(None),
        (Some(_), None) => Err(Problem::new("ssl-cert", "needs ssl-key, too")),
        (None, Some(_)) => Err(Problem::new("ssl-key", "needs ssl-cert, too")),
    }
}

/// Rejects settings that exclude TLS 1.2 or 1.3: both are always enabled.
fn check_versions<'a>(value: &impl Fn(&str) -> Option<&'a str>) -> Result<(), Problem> {
    for (key, accepted) in [
        ("tls-min-version", &["TLSv1.0", "TLSv1.1", "TLSv1.2"][..]),
        ("tls-max-version", &["TLSv1.3"]),
    ] {
        match value(key) {
            Some(version) if !accepted.contains(&version) => {
                return Err(Problem::new(
                    key,
                    "TLS 1.2 and 1.3 are always enabled here: remove the key, and set the version \
                     on the server",
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &[(&'static str, &'static str)]) -> Result<Tls, String> {
        let value = |key: &str| keys.iter().find(|(name, _)| *name == key).map(|(_, v)| *v);
        Tls::read(value, false).map_err(|problem| problem.to_string())
    }

    #[test]
    fn keys_are_parsed() {
        let verified = |authorities: Option<&str>, name: Option<&str>| Tls::Verified {
            authorities: authorities
                .map_or(Authorities::Public, |path| Authorities::File(path.into())),
            name: name.map(str::to_owned),
            identity: None,
        };
        for (keys, tls) in [
            (&[][..], Tls::Off),
            (&[("tls", "true")], verified(None, None)),
            (&[("tls", "skip-verify")], Tls::Unverified(None)),
            (&[("tls", "preferred")], Tls::Preferred(None)),
            (&[("ssl-ca", "/ca")], verified(Some("/ca"), None)),
            (&[("ssl-ca", "/ca"), ("tls-server-name", "db")], verified(Some("/ca"), Some("db"))),
            (&[("ssl-ca", "/ca"), ("ssl-skip-verfication", "true")], Tls::Unverified(None)),
            (&[("ssl-mode", "required")], Tls::Unverified(None)),
            (&[("ssl-mode", "REQUIRED"), ("ssl-ca", "/ca")], verified(Some("/ca"), None)),
            (&[("ssl-mode", "VERIFY_IDENTITY")], verified(None, None)),
            (
                &[("ssl-mode", "VERIFY_CA"), ("ssl-ca", "/ca")],
                Tls::VerifiedCa { ca_file: "/ca".into(), identity: None },
            ),
            (&[("ssl-mode", "DISABLED"), ("ssl-ca", "/ca")], Tls::Off),
            (&[("tls-min-version", "TLSv1.2"), ("tls", "true")], verified(None, None)),
        ] {
            assert_eq!(read(keys).as_ref(), Ok(&tls), "{keys:?}");
        }
    }

    #[test]
    fn invalid_keys_are_errors() {
        for (keys, problem) in [
            (&[("ssl-mode", "VERIFY_CA")][..], "ssl-mode: VERIFY_CA needs ssl-ca"),
            (&[("ssl-mode", "SURE")], "ssl-mode: expected DISABLED"),
            (&[("tls", "yes")], "tls: expected true"),
            (&[("tls", "true"), ("ssl-mode", "REQUIRED")], "tls: has the same purpose"),
            (&[("ssl-cert", "/c")], "ssl-cert: needs ssl-key"),
            (&[("ssl-key", "/k")], "ssl-key: needs ssl-cert"),
            (&[("ssl-skip-verification", "maybe")], "ssl-skip-verification: expected true"),
            (&[("tls-min-version", "TLSv1.3")], "tls-min-version: TLS 1.2 and 1.3"),
            (&[("tls-max-version", "TLSv1.1")], "tls-max-version: TLS 1.2 and 1.3"),
        ] {
            let error = read(keys).unwrap_err();
            assert!(error.starts_with(problem), "{keys:?}: {error}");
        }
    }
}
