//! ERR packets: the errors that a server reports.

use super::error::Error;
use super::payload::Payload;

/// The maximum length of a message in characters. Longer messages are truncated.
const MAX_MESSAGE: usize = 512;

/// Parses an ERR packet into [`Error::Server`].
pub(super) fn parse(packet: &[u8]) -> Error {
    fields(packet).unwrap_or(Error::Malformed("an error"))
}

fn fields(packet: &[u8]) -> Result<Error, Error> {
    let mut payload = Payload::new(packet);
    payload.u8()?;
    let code = payload.u16()?;
    // Errors before the handshake response have no SQLSTATE.
    let state = match payload.rest().first() {
        Some(b'#') => {
            let [_, state @ ..] = payload.array::<6>()?;
            Some(String::from_utf8_lossy(&state).into_owned())
        }
        _ => None,
    };
    let message = String::from_utf8_lossy(payload.rest()).chars().take(MAX_MESSAGE).collect();
    Ok(Error::Server { code, state, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_packets_are_parsed() {
        let long = [&b"\xff\x01\0"[..], &[b'x'; 5000]].concat();
        for (packet, text) in [
            (&b"\xff\x15\x04#28000Access denied"[..], "ERROR 1045 (28000): Access denied"),
            (b"\xff\x69\x04Host is blocked", "ERROR 1129: Host is blocked"),
            (b"\xff\x69", "it sent an invalid packet: an error"),
            (b"\xff\x15\x04#28", "it sent an invalid packet: an error"),
            (&long, &format!("ERROR 1: {}", "x".repeat(512))),
        ] {
            assert_eq!(parse(packet).to_string(), text);
        }
    }
}
