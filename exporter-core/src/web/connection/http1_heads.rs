//! Follows the requests of an HTTP/1 connection in its bytes.

/// Tracks whether the bytes so far end within a request. Requests have no body here: a request with
/// a body is rejected and is the last of its connection.
#[derive(Debug)]
pub(super) struct HeadScanner {
    is_in_head: bool,
    is_at_line_start: bool,
}

impl Default for HeadScanner {
    fn default() -> Self {
        Self { is_in_head: false, is_at_line_start: true }
    }
}

impl HeadScanner {
    pub(super) fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => {
                    // An empty line ends a head; before a head it is ignored.
                    self.is_in_head &= !self.is_at_line_start;
                    self.is_at_line_start = true;
                }
                b'\r' => {}
                _ => {
                    self.is_in_head = true;
                    self.is_at_line_start = false;
                }
            }
        }
    }

    pub(super) fn is_partial(&self) -> bool {
        self.is_in_head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_an_empty_line() {
        for (bytes, is_partial) in [
            (&b""[..], false),
            (b"\r\n\r\n", false),
            (b"G", true),
            (b"GET / HTTP/1.1\r\n", true),
            (b"GET / HTTP/1.1\r\nHost: x\r\n", true),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r", true),
            (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", false),
            (b"GET / HTTP/1.1\nHost: x\n\n", false),
            (b"GET / HTTP/1.1\nHost: x\n\r\n", false),
            (b"GET / HTTP/1.1\r\n\r\n\r\n", false),
            (b"GET / HTTP/1.1\r\n\r\nGE", true),
            (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", false),
        ] {
            for cut in 1..=bytes.len().max(1) {
                let mut scanner = HeadScanner::default();
                bytes.chunks(cut).for_each(|chunk| scanner.read(chunk));
                assert_eq!(scanner.is_partial(), is_partial, "{bytes:?}");
            }
        }
    }
}
