//! What the first bytes of a connection say, where TLS is expected.

/// Enough to see the version of a client's hello.
pub(super) const LENGTH: usize = 11;

/// To who speaks HTTP without TLS.
pub(super) const PLAIN_HTTP: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
    Connection: close\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// To who speaks no TLS later than 1.1: a fatal alert, `protocol_version`.
pub(super) const OLD_TLS: &[u8] = &[21, 3, 1, 0, 2, 2, 70];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greeting {
    /// The other end has left.
    Nothing,
    /// rustls would refuse it for what an old hello lacks, and not say that it is old.
    OldTls,
    PlainHttp,
    /// For rustls to judge.
    Tls,
}

impl Greeting {
    pub(super) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [] => Self::Nothing,
            [letter, ..] if letter.is_ascii_alphabetic() => Self::PlainHttp,
            // A record with a hello: type, version, length; type, length, version.
            [22, 3, _, _, _, 1, _, _, _, 3, 0..=2] => Self::OldTls,
            _ => Self::Tls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_are_told_apart() {
        for (bytes, greeting) in [
            (&b""[..], Greeting::Nothing),
            (b"G", Greeting::PlainHttp),
            (b"GET / HTTP/", Greeting::PlainHttp),
            (b"\x16", Greeting::Tls),
            (b"\x16\x03\x01\x00\xc0\x01\x00\x00\xbc\x03\x03", Greeting::Tls),
            (b"\x16\x03\x01\x00\xc0\x01\x00\x00\xbc\x03\x02", Greeting::OldTls),
            (b"\x16\x03\x00\x00\xc0\x01\x00\x00\xbc\x03\x00", Greeting::OldTls),
            (b"\x80\x2e\x01\x00\x02", Greeting::Tls),
            (b"\0", Greeting::Tls),
        ] {
            assert_eq!(Greeting::of(bytes), greeting, "{bytes:?}");
        }
    }
}
