//! Counts the HTTP/2 frames that cost work and ask for nothing: pings, settings, window updates,
//! priorities, empty data.

/// How many such frames may come before something is asked or answered.
const CREDIT: usize = 1000;

/// What a client sends before its first frame.
const PREFACE: usize = 24;

const HEADER: usize = 9;

/// Follows the frames of one connection through its bytes.
#[derive(Debug)]
pub(super) struct Frames {
    /// Bytes until the next frame header.
    skip: usize,
    header: [u8; HEADER],
    /// How much of the header has come.
    have: usize,
    idle: usize,
    served: u64,
}

/// Too many.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flood;

impl Default for Frames {
    fn default() -> Self {
        Self { skip: PREFACE, header: [0; HEADER], have: 0, idle: 0, served: 0 }
    }
}

impl Frames {
    /// Takes the bytes as they come. `served` counts what was asked and answered so far, in
    /// whatever unit; when it moves, the count starts again.
    pub(super) fn read(&mut self, mut bytes: &[u8], served: u64) -> Result<(), Flood> {
        if std::mem::replace(&mut self.served, served) != served {
            self.idle = 0;
        }
        while !bytes.is_empty() {
            if self.skip > 0 {
                let skipped = self.skip.min(bytes.len());
                self.skip -= skipped;
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            let wanted = self.header.get_mut(self.have..).unwrap_or_default();
            let taken = wanted.len().min(bytes.len());
            let (head, rest) = bytes.split_at(taken);
            for (slot, byte) in wanted.iter_mut().zip(head) {
                *slot = *byte;
            }
            self.have += taken;
            bytes = rest;
            if self.have == HEADER {
                self.have = 0;
                self.idle += 1;
                let [a, b, c, ..] = self.header;
                self.skip = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
            }
        }
        if self.idle > CREDIT { Err(Flood) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    #[test]
    fn counts_whole_frames_however_they_are_cut() {
        for cut in [1, 2, 7, 9, 17, 100] {
            let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
            for _ in 0..CREDIT {
                bytes.extend(PING);
            }
            let mut frames = Frames::default();
            for chunk in bytes.chunks(cut) {
                assert_eq!(frames.read(chunk, 0), Ok(()));
            }
            assert_eq!(frames.read(&PING, 0), Err(Flood));
        }
    }

    #[test]
    fn starts_again_when_something_was_served() {
        let mut frames = Frames { skip: 0, ..Frames::default() };
        for served in 0..10 {
            for _ in 0..CREDIT {
                assert_eq!(frames.read(&PING, served), Ok(()));
            }
        }
    }
}
