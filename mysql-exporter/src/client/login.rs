//! The start of a connection: greeting, TLS, authentication.

use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;

use super::auth::{self, ParsecSalt};
use super::blocking::{self, read_file};
use super::connection::Connection;
use super::error::Error;
use super::greeting::Greeting;
use super::packet::PacketStream;
use super::password::password;
use super::payload::Payload;
use super::transport::{self, Transport, TransportSecurity};
use super::{capability, error_packet, tls};
use crate::address::Address;
use crate::config::{Login, PublicKey, Tls};

/// The maximum size of a packet from the server during the login.
const MAX_LOGIN_PACKET: usize = 16 << 10;
/// The maximum number of packets from the server during the authentication.
const MAX_AUTH_PACKETS: usize = 8;
/// The number of the collation `utf8mb4_general_ci`.
const CHARACTER_SET: u8 = 45;
/// The `max_packet_size` of the handshake response.
const MAX_PACKET_SIZE: u32 = 16 << 20;

const NATIVE: &[u8] = b"mysql_native_password";
const CACHING_SHA2: &[u8] = b"caching_sha2_password";
const SHA256: &[u8] = b"sha256_password";

/// A connection whose server has sent its greeting, and waits for authentication.
pub(crate) struct UnauthenticatedConnection {
    packets: PacketStream,
    greeting: Greeting,
    connector: Option<(TlsConnector, ServerName<'static>)>,
    password: Vec<u8>,
}

impl UnauthenticatedConnection {
    /// Connects, and reads the greeting, the password and the files for TLS. If this fails, the server
    /// does not count a connection error for this host.
    pub(crate) async fn connect(login: &Login) -> Result<Self, Error> {
        let connector = match (&login.tls, &login.address) {
            (Tls::Off, _) | (_, Address::Unix { .. }) => None,
            (tls, Address::Tcp { host, .. }) => {
                Some((tls::connector(tls).await?, tls::server_name(tls, host)?))
            }
        };
        let password = password(login).await?;
        Self::from_transport(transport::connect(&login.address).await?, connector, password).await
    }

    /// Reads the greeting. Without a connector there is no TLS.
    pub(super) async fn from_transport(
        transport: Transport,
        connector: Option<(TlsConnector, ServerName<'static>)>,
        password: Vec<u8>,
    ) -> Result<Self, Error> {
        let mut packets = PacketStream::new(transport);
        let greeting = Greeting::parse(&packets.read(MAX_LOGIN_PACKET).await?)?;
        Ok(Self { packets, greeting, connector, password })
    }

    /// The connection ID.
    pub(crate) fn id(&self) -> u32 {
        self.greeting.connection_id
    }

    /// Starts TLS if the login has it, and authenticates.
    pub(crate) async fn log_in(self, login: &Login) -> Result<Connection, Error> {
        log_in(self, login).await
    }
}

/// Logs in over a transport of a test.
#[cfg(test)]
pub(crate) async fn log_in_over(transport: Transport, login: &Login) -> Result<Connection, Error> {
    UnauthenticatedConnection::from_transport(transport, None, password(login).await?)
        .await?
        .log_in(login)
        .await
}

async fn log_in(connection: UnauthenticatedConnection, login: &Login) -> Result<Connection, Error> {
    let UnauthenticatedConnection { mut packets, greeting, connector, password } = connection;
    let mut capabilities = capability::CLIENT & greeting.capabilities;
    let mut security = match login.address {
        Address::Unix { .. } => TransportSecurity::UnixSocket,
        Address::Tcp { .. } => TransportSecurity::Plain,
    };
    let offers_tls = capabilities & capability::SSL != 0;
    if !offers_tls && connector.is_some() && !matches!(login.tls, Tls::Preferred(_)) {
        return Err(Error::NoTls);
    }
    if let Some((connector, name)) = connector.filter(|_| offers_tls) {
        packets.write(&[&ssl_request(capabilities)]).await?;
        packets
            .upgrade(async |stream| match connector.connect(name, stream).await {
                Ok(stream) => Ok(Box::new(stream) as Transport),
                Err(error) => Err(tls::handshake_error(&error)),
            })
            .await?;
        security = if login.tls.is_verified() {
            TransportSecurity::VerifiedTls
        } else {
            TransportSecurity::UnverifiedTls
        };
    } else {
        capabilities &= !capability::SSL;
    }
    let Greeting { nonce, plugin, version, .. } = greeting;
    // The server requests any other plugin with an AuthSwitchRequest.
    let plugin = match &plugin[..] {
        CACHING_SHA2 => CACHING_SHA2,
        _ => NATIVE,
    };
    let mut authentication = Authentication { packets, login, password, security };
    let response = authentication.respond(plugin, &nonce).await?;
    let packet = handshake_response(login, capabilities, plugin, &response);
    authentication.packets.write(&[&packet]).await?;
    authentication.finish(plugin.to_vec(), nonce).await?;
    let deprecate_eof = capabilities & capability::DEPRECATE_EOF != 0;
    Ok(Connection::new(authentication.packets, deprecate_eof, version))
}

/// An authentication in progress.
struct Authentication<'a> {
    packets: PacketStream,
    login: &'a Login,
    password: Vec<u8>,
    security: TransportSecurity,
}

impl Authentication<'_> {
    /// Responds to the server until it accepts the login.
    async fn finish(&mut self, mut plugin: Vec<u8>, mut nonce: Vec<u8>) -> Result<(), Error> {
        let mut has_switched = false;
        for _ in 0..MAX_AUTH_PACKETS {
            let packet = self.packets.read(MAX_LOGIN_PACKET).await?;
            match &packet[..] {
                [0x00, ..] => return Ok(()),
                [0xff, ..] => return Err(error_packet::parse(&packet)),
                [0xfe, request @ ..] if !has_switched => {
                    has_switched = true;
                    (plugin, nonce) = parse_switch_request(request)?;
                    let response = self.respond(&plugin, &nonce).await?;
                    self.packets.write(&[&response]).await?;
                }
                [0x01, data @ ..] => self.respond_to_more_data(&plugin, &nonce, data).await?,
                // The first versions of MariaDB with this plugin leave out the byte 0x01.
                salt @ [b'P', ..] if plugin == b"parsec" => {
                    self.respond_to_more_data(&plugin, &nonce, salt).await?;
                }
                _ => return Err(Error::Malformed("a login")),
            }
        }
        Err(Error::Malformed("an endless login"))
    }

    /// The response of a plugin to the nonce.
    async fn respond(&self, plugin: &[u8], nonce: &[u8]) -> Result<Vec<u8>, Error> {
        let password = &self.password;
        match plugin {
            NATIVE | CACHING_SHA2 | b"client_ed25519" if password.is_empty() => Ok(Vec::new()),
            NATIVE => Ok(auth::native(password, nonce)),
            CACHING_SHA2 => Ok(auth::caching_sha2(password, nonce)),
            b"client_ed25519" => {
                let (password, nonce) = (password.clone(), nonce.to_vec());
                blocking::run(move || auth::ed25519(&password, &nonce)).await?
            }
            // The server sends the salt next.
            b"parsec" => Ok(Vec::new()),
            SHA256 if password.is_empty() => Ok(vec![0]),
            SHA256 => match self.password_form("sha256_password")? {
                PasswordForm::Plain => Ok(self.terminated_password()),
                PasswordForm::Encrypted(PublicKey::Trusted) => Ok(vec![1]),
                PasswordForm::Encrypted(key) => self.encrypt_with_file(key, nonce).await,
            },
            b"mysql_clear_password" if !self.login.allow_cleartext => Err(Error::CleartextDisabled),
            b"mysql_clear_password" => match self.security {
                TransportSecurity::UnixSocket | TransportSecurity::VerifiedTls => {
                    Ok(self.terminated_password())
                }
                _ => Err(Error::PasswordExposed { plugin: "mysql_clear_password" }),
            },
            other => Err(unknown_plugin(other)),
        }
    }

    /// Responds to the `AuthMoreData` of a plugin.
    async fn respond_to_more_data(
        &mut self,
        plugin: &[u8],
        nonce: &[u8],
        data: &[u8],
    ) -> Result<(), Error> {
        let response = match (plugin, data) {
            // The server has the hash in its cache: an OK packet follows.
            (CACHING_SHA2, [3]) => return Ok(()),
            (CACHING_SHA2, [4]) => match self.password_form("caching_sha2_password")? {
                PasswordForm::Plain => self.terminated_password(),
                PasswordForm::Encrypted(PublicKey::Trusted) => vec![2],
                PasswordForm::Encrypted(key) => self.encrypt_with_file(key, nonce).await?,
            },
            (CACHING_SHA2 | SHA256, key)
                if self.security == TransportSecurity::Plain
                    && self.login.public_key == PublicKey::Trusted =>
            {
                self.encrypt(key.to_vec(), nonce).await?
            }
            (b"parsec", salt) => {
                let salt = ParsecSalt::parse(salt)?;
                let (password, nonce) = (self.password.clone(), nonce.to_vec());
                blocking::run(move || salt.respond(&password, &nonce)).await??
            }
            _ => return Err(Error::Malformed("a login")),
        };
        self.packets.write(&[&response]).await
    }

    /// How the password itself, and not a hash of it, is sent. An error if others could read it.
    fn password_form(&self, plugin: &'static str) -> Result<PasswordForm<'_>, Error> {
        let key = &self.login.public_key;
        match (self.security, key) {
            // An unverified certificate is like a key that the server has sent.
            (TransportSecurity::UnixSocket | TransportSecurity::VerifiedTls, _)
            | (TransportSecurity::UnverifiedTls, PublicKey::Trusted) => Ok(PasswordForm::Plain),
            (TransportSecurity::Plain, PublicKey::Trusted | PublicKey::File(_)) => {
                Ok(PasswordForm::Encrypted(key))
            }
            _ => Err(Error::PasswordExposed { plugin }),
        }
    }

    fn terminated_password(&self) -> Vec<u8> {
        [&self.password[..], &[0]].concat()
    }

    async fn encrypt_with_file(&self, key: &PublicKey, nonce: &[u8]) -> Result<Vec<u8>, Error> {
        let PublicKey::File(path) = key else { return Err(Error::Malformed("a login")) };
        let pem = read_file("server-public-key-path", path).await?;
        self.encrypt(pem, nonce).await
    }

    async fn encrypt(&self, key: Vec<u8>, nonce: &[u8]) -> Result<Vec<u8>, Error> {
        let (password, nonce) = (self.password.clone(), nonce.to_vec());
        blocking::run(move || auth::encrypt(&key, &password, &nonce)).await?
    }
}

/// How the password itself, and not a hash of it, is sent.
enum PasswordForm<'a> {
    Encrypted(&'a PublicKey),
    Plain,
}

/// Parses an `AuthSwitchRequest` into plugin and nonce. Servers before MySQL 5.5 send an empty one for
/// `mysql_old_password`, which is not supported.
fn parse_switch_request(request: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
    if request.is_empty() {
        return Err(unknown_plugin(b"mysql_old_password"));
    }
    let mut payload = Payload::new(request);
    let plugin = payload.null_terminated_string()?.to_vec();
    let nonce = payload.rest();
    Ok((plugin, nonce.strip_suffix(&[0]).unwrap_or(nonce).to_vec()))
}

fn unknown_plugin(plugin: &[u8]) -> Error {
    Error::UnknownPlugin(String::from_utf8_lossy(plugin).chars().take(64).collect())
}

/// An `SSLRequest`, which is also the start of a handshake response.
fn ssl_request(capabilities: u32) -> Vec<u8> {
    let mut packet = capabilities.to_le_bytes().to_vec();
    packet.extend(MAX_PACKET_SIZE.to_le_bytes());
    packet.push(CHARACTER_SET);
    packet.extend([0; 23]);
    packet
}

fn handshake_response(login: &Login, capabilities: u32, plugin: &[u8], response: &[u8]) -> Vec<u8> {
    let mut packet = ssl_request(capabilities);
    packet.extend(login.user.bytes().filter(|byte| *byte != 0));
    packet.push(0);
    push_short_string(&mut packet, response);
    if capabilities & capability::PLUGIN_AUTH != 0 {
        packet.extend(plugin);
        packet.push(0);
    }
    if capabilities & capability::CONNECT_ATTRS != 0 {
        let mut attributes = Vec::new();
        for text in [
            "_client_name",
            env!("CARGO_PKG_NAME"),
            "_client_version",
            env!("CARGO_PKG_VERSION"),
            "program_name",
            env!("CARGO_PKG_NAME"),
        ] {
            push_short_string(&mut attributes, text.as_bytes());
        }
        push_short_string(&mut packet, &attributes);
    }
    packet
}

/// Appends a length-encoded string of fewer than 251 bytes, whose length is one byte.
fn push_short_string(packet: &mut Vec<u8>, text: &[u8]) {
    debug_assert!(text.len() < 251, "{}", text.len());
    packet.extend(u8::try_from(text.len()));
    packet.extend(text);
}
