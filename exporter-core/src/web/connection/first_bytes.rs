//! Detects the protocol of a client by its first bytes, on a TLS port.

/// The bytes up to the version of a `ClientHello`.
pub(super) const LENGTH: usize = 11;

/// The response to HTTP without TLS.
pub(super) const PLAIN_HTTP: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Connection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// The response to TLS 1.1 and older: a fatal alert, `protocol_version`.
pub(super) const OLD_TLS: &[u8] = &[21, 3, 1, 0, 2, 2, 70];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// The client has closed the connection.
    None,
    /// TLS 1.1 or older. rustls would report missing extensions instead of the version.
    OldTls,
    PlainHttp,
    /// TLS 1.2 or newer, or anything else: rustls decides.
    Tls,
}

impl Protocol {
    pub(super) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [] => Self::None,
            [letter, ..] if letter.is_ascii_alphabetic() => Self::PlainHttp,
            // A record with a ClientHello: type, version, length; type, length, version.
            [22, 3, _, _, _, 1, _, _, _, 3, 0..=2] => Self::OldTls,
            _ => Self::Tls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_detected() {
        for (bytes, protocol) in [
            (&b""[..], Protocol::None),
            (b"G", Protocol::PlainHttp),
            (b"GET / HTTP/", Protocol::PlainHttp),
            (b"\x16", Protocol::Tls),
            (b"\x16\x03\x01\x00\xc0\x01\x00\x00\xbc\x03\x03", Protocol::Tls),
            (b"\x16\x03\x01\x00\xc0\x01\x00\x00\xbc\x03\x02", Protocol::OldTls),
            (b"\x16\x03\x00\x00\xc0\x01\x00\x00\xbc\x03\x00", Protocol::OldTls),
            (b"\x80\x2e\x01\x00\x02", Protocol::Tls),
            (b"\0", Protocol::Tls),
        ] {
            assert_eq!(Protocol::of(bytes), protocol, "{bytes:?}");
        }
    }
}
