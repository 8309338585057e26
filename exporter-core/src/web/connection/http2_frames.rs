//! Follows the frames of one direction of an HTTP/2 connection in its bytes.

/// The limit of frames without a request or a response: pings, settings, window updates, priorities
/// and empty data cost work.
const MAX_IDLE_FRAMES: usize = 1000;

/// The client preface before its first frame.
const PREFACE: usize = 24;

const HEADER: usize = 9;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PUSH_PROMISE: u8 = 5;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// The frames that a client sends.
#[derive(Debug)]
pub(super) struct ClientFrames {
    frames: Frames,
    /// Frames since the last progress.
    idle: usize,
    served: u64,
    /// A header block has begun and must be continued.
    is_in_header_block: bool,
}

/// Too many frames without progress.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flood;

impl Default for ClientFrames {
    fn default() -> Self {
        let frames = Frames { skip: PREFACE, ..Frames::default() };
        Self { frames, idle: 0, served: 0, is_in_header_block: false }
    }
}

impl ClientFrames {
    /// Consumes bytes in pieces of any length. `served` counts requests and responses so far, in
    /// any unit; when it changes, the count of idle frames starts again.
    pub(super) fn read(&mut self, bytes: &[u8], served: u64) -> Result<(), Flood> {
        if std::mem::replace(&mut self.served, served) != served {
            self.idle = 0;
        }
        let Self { frames, idle, is_in_header_block, .. } = self;
        frames.read(bytes, |part| {
            if let Part::Header { kind, flags } = part {
                *idle += 1;
                if matches!(kind, HEADERS | PUSH_PROMISE | CONTINUATION) {
                    *is_in_header_block = flags & END_HEADERS == 0;
                }
            }
        });
        if self.idle > MAX_IDLE_FRAMES { Err(Flood) } else { Ok(()) }
    }

    /// Whether the bytes so far end within a frame or a header block.
    pub(super) fn is_partial(&self) -> bool {
        self.is_in_header_block || !self.frames.is_at_frame_start()
    }
}

/// The frames that the server sends.
#[derive(Debug, Default)]
pub(super) struct ServerFrames(Frames);

impl ServerFrames {
    /// Consumes bytes in pieces of any length, and returns how many of them belong to response
    /// bodies.
    pub(super) fn written(&mut self, bytes: &[u8]) -> usize {
        let mut data = 0;
        self.0.read(bytes, |part| {
            if let Part::Payload { kind: DATA, length } = part {
                data += length;
            }
        });
        data
    }
}

#[derive(Debug, Default)]
struct Frames {
    /// Bytes until the next frame header.
    skip: usize,
    /// The type of the current frame.
    kind: u8,
    header: [u8; HEADER],
    /// The number of header bytes so far.
    have: usize,
}

enum Part {
    Header {
        kind: u8,
        flags: u8,
    },
    /// A piece of the payload of a frame.
    Payload {
        kind: u8,
        length: usize,
    },
}

impl Frames {
    fn read(&mut self, mut bytes: &[u8], mut on_part: impl FnMut(Part)) {
        while !bytes.is_empty() {
            if self.skip > 0 {
                let length = self.skip.min(bytes.len());
                self.skip -= length;
                bytes = bytes.get(length..).unwrap_or_default();
                on_part(Part::Payload { kind: self.kind, length });
                continue;
            }
            let wanted = self.header.get_mut(self.have..).unwrap_or_default();
            let taken = wanted.len().min(bytes.len());
            let (head, rest) = bytes.split_at(taken);
            for (to, from) in wanted.iter_mut().zip(head) {
                *to = *from;
            }
            self.have += taken;
            bytes = rest;
            if self.have == HEADER {
                self.have = 0;
                let [a, b, c, kind, flags, ..] = self.header;
                self.skip = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                self.kind = kind;
                on_part(Part::Header { kind, flags });
            }
        }
    }

    fn is_at_frame_start(&self) -> bool {
        self.skip == 0 && self.have == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn after_preface() -> ClientFrames {
        ClientFrames { frames: Frames::default(), ..ClientFrames::default() }
    }

    #[test]
    fn frames_are_counted_across_reads() {
        for cut in [1, 2, 7, 9, 17, 100] {
            let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
            for _ in 0..MAX_IDLE_FRAMES {
                bytes.extend(PING);
            }
            let mut frames = ClientFrames::default();
            for chunk in bytes.chunks(cut) {
                assert_eq!(frames.read(chunk, 0), Ok(()));
            }
            assert_eq!(frames.read(&PING, 0), Err(Flood));
        }
    }

    #[test]
    fn the_count_restarts_after_progress() {
        let mut frames = after_preface();
        for served in 0..10 {
            for _ in 0..MAX_IDLE_FRAMES {
                assert_eq!(frames.read(&PING, served), Ok(()));
            }
        }
    }

    #[test]
    fn the_end_of_a_request_is_detected() {
        for (bytes, is_partial) in [
            (&b""[..], false),
            (&[0, 0, 0], true),
            (&PING[..9], true),
            (&PING, false),
            // HEADERS, then CONTINUATION.
            (&[0, 0, 0, 1, 4, 0, 0, 0, 1], false),
            (&[0, 0, 0, 1, 0, 0, 0, 0, 1], true),
            (&[0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 1], true),
            (&[0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 9, 4, 0, 0, 0, 1], false),
        ] {
            let mut frames = after_preface();
            frames.read(bytes, 0).unwrap();
            assert_eq!(frames.is_partial(), is_partial, "{bytes:?}");
        }
    }

    #[test]
    fn only_data_frames_count_as_response_bytes() {
        let mut bytes = PING.to_vec();
        bytes.extend([0, 0, 5, 0, 1, 0, 0, 0, 1]);
        bytes.extend(b"hello");
        bytes.extend([0, 0, 2, 1, 4, 0, 0, 0, 1, 0x88, 0x88]);
        for cut in 1..bytes.len() {
            let mut frames = ServerFrames::default();
            let data: usize = bytes.chunks(cut).map(|chunk| frames.written(chunk)).sum();
            assert_eq!(data, 5, "{cut}");
        }
    }
}
