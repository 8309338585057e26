//! The greeting: the first packet of a server (`Protocol::HandshakeV10`), with its version, its
//! capabilities, and the nonce for authentication.

use super::error::Error;
use super::payload::Payload;
use super::{capability, error_packet};

/// The greeting of a server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) version: String,
    pub(super) connection_id: u32,
    pub(super) capabilities: u32,
    pub(super) nonce: Vec<u8>,
    /// The default authentication plugin; empty if the server does not support plugins.
    pub(super) plugin: Vec<u8>,
}

/// The length of the nonce in a greeting.
const NONCE_LENGTH: usize = 20;
/// The maximum length of a version in characters; usual ones have about 40.
const MAX_VERSION: usize = 100;

impl Greeting {
    pub(super) fn parse(packet: &[u8]) -> Result<Self, Error> {
        let mut payload = Payload::new(packet);
        match payload.u8()? {
            10 => {}
            0xff => return Err(error_packet::parse(packet)),
            _ => return Err(Error::Malformed("it is not the greeting of a MySQL server")),
        }
        let version = payload.null_terminated_string()?;
        let version = String::from_utf8_lossy(version).chars().take(MAX_VERSION).collect();
        let connection_id = payload.u32()?;
        let mut nonce = payload.bytes(8)?.to_vec();
        payload.u8()?;
        let low = payload.u16()?;
        // Character set and status.
        payload.bytes(3)?;
        let capabilities = u32::from(low) | u32::from(payload.u16()?) << 16;
        if capabilities & capability::REQUIRED != capability::REQUIRED {
            return Err(Error::Malformed("the server is older than MySQL 4.1"));
        }
        let length = usize::from(payload.u8()?);
        payload.bytes(10)?;
        // At least 13 bytes, the last of them a NUL.
        nonce.extend(payload.bytes(length.saturating_sub(8).max(13))?);
        nonce.truncate(NONCE_LENGTH);
        let plugin = if capabilities & capability::PLUGIN_AUTH == 0 {
            &[]
        } else {
            // Servers before 5.5.10 leave out the NUL.
            payload.null_terminated_string().unwrap_or(payload.rest())
        };
        Ok(Self { version, connection_id, capabilities, nonce, plugin: plugin.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The greeting of MariaDB 10.11 without TLS.
    const MARIADB: &[u8] = b"\x0a5.5.5-10.11.19-MariaDB\0\x07\x01\0\0abcdefgh\0\xfe\xf7\x2d\x02\0\
        \xff\x81\x15\0\0\0\0\0\0\x1d\0\0\0ijklmnopqrst\0mysql_native_password\0";

    #[test]
    fn greetings_are_parsed() {
        let greeting = Greeting::parse(MARIADB).unwrap();
        assert_eq!(greeting.connection_id, 0x107);
        assert_eq!(greeting.capabilities, 0x81ff_f7fe);
        assert_eq!(greeting.nonce, b"abcdefghijklmnopqrst");
        assert_eq!(greeting.plugin, b"mysql_native_password");
    }

    #[test]
    fn truncated_and_other_packets_are_errors() {
        let name = b"mysql_native_password\0".len();
        for length in 0..MARIADB.len() - name {
            assert!(Greeting::parse(&MARIADB[..length]).is_err(), "{length}");
        }
        for bytes in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"\x09old\0", b"\xff\x10\x04Too many"] {
            assert!(Greeting::parse(bytes).is_err());
        }
    }
}
