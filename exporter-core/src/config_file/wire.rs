//! The messages between a program and its reader process.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::Stamp;

/// The maximum length of a path on Linux.
const PATH_MAX: usize = 4096;

/// Requests the state of a file and, with a limit, its bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) path: PathBuf,
    pub(super) limit: Option<u64>,
}

impl Request {
    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let path = self.path.as_os_str().as_bytes();
        let mut message = Vec::with_capacity(path.len() + 24);
        put(&mut message, u64::from(self.limit.is_some()));
        put(&mut message, self.limit.unwrap_or_default());
        put_bytes(&mut message, path);
        to.write_all(&message)
    }

    /// Reads the next request. Fails at the end of the stream, too.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Self> {
        let has_limit = get(from)? != 0;
        let limit = get(from)?;
        let path = get_bytes(from, PATH_MAX as u64)?;
        let path = PathBuf::from(OsString::from_vec(path));
        Ok(Self { path, limit: has_limit.then_some(limit) })
    }
}

/// Fails if the path cannot be requested.
pub(super) fn check(path: &Path) -> io::Result<()> {
    let length = path.as_os_str().len();
    let problem = if length > PATH_MAX { "the name is too long" } else { return Ok(()) };
    Err(io::Error::new(ErrorKind::InvalidFilename, problem))
}

/// The state of a file, and its bytes or the reason why there are none.
pub(super) type Reply = (Stamp, io::Result<Vec<u8>>);

pub(super) fn write_reply((stamp, content): &Reply, to: &mut impl Write) -> io::Result<()> {
    let mut message = Vec::new();
    match *stamp {
        Stamp::Present { device, inode, size, mode, modified, changed } => {
            put(&mut message, PRESENT);
            for number in [device, inode, size, u64::from(mode)] {
                put(&mut message, number);
            }
            for number in [modified.0, modified.1, changed.0, changed.1] {
                put(&mut message, number.cast_unsigned());
            }
        }
        Stamp::Absent | Stamp::TimedOut => put(&mut message, ABSENT),
    }
    match content {
        Ok(bytes) => {
            put(&mut message, BYTES);
            put(&mut message, bytes.len() as u64);
            to.write_all(&message)?;
            to.write_all(bytes)
        }
        Err(error) => {
            if let Some(code) = error.raw_os_error() {
                put(&mut message, SYSTEM_ERROR);
                put(&mut message, u64::from(code.cast_unsigned()));
            } else {
                put(&mut message, OTHER_ERROR);
                put_bytes(&mut message, error.to_string().as_bytes());
            }
            to.write_all(&message)
        }
    }
}

/// Reads a reply with at most `limit` bytes of a file.
pub(super) fn read_reply(from: &mut impl Read, limit: u64) -> io::Result<Reply> {
    let stamp = match get(from)? {
        PRESENT => Stamp::Present {
            device: get(from)?,
            inode: get(from)?,
            size: get(from)?,
            mode: u32::try_from(get(from)?).unwrap_or_default(),
            modified: (get(from)?.cast_signed(), get(from)?.cast_signed()),
            changed: (get(from)?.cast_signed(), get(from)?.cast_signed()),
        },
        _ => Stamp::Absent,
    };
    let content = match get(from)? {
        BYTES => Ok(get_bytes(from, limit)?),
        SYSTEM_ERROR => {
            let code = u32::try_from(get(from)?).unwrap_or_default();
            Err(io::Error::from_raw_os_error(code.cast_signed()))
        }
        _ => {
            let text = get_bytes(from, PATH_MAX as u64)?;
            Err(io::Error::other(String::from_utf8_lossy(&text).into_owned()))
        }
    };
    Ok((stamp, content))
}

const ABSENT: u64 = 0;
const PRESENT: u64 = 1;
const BYTES: u64 = 0;
const SYSTEM_ERROR: u64 = 1;
const OTHER_ERROR: u64 = 2;

fn put(message: &mut Vec<u8>, number: u64) {
    message.extend_from_slice(&number.to_ne_bytes());
}

fn put_bytes(message: &mut Vec<u8>, bytes: &[u8]) {
    put(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

fn get(from: &mut impl Read) -> io::Result<u64> {
    let mut number = [0; 8];
    from.read_exact(&mut number)?;
    Ok(u64::from_ne_bytes(number))
}

fn get_bytes(from: &mut impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let length = get(from)?;
    if length > limit {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == length { Ok(bytes) } else { Err(ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_replies_round_trip() {
        for limit in [None, Some(0), Some(1024)] {
            let request = Request { path: "/etc/x/\u{fffd}.yml".into(), limit };
            let mut message = Vec::new();
            request.write(&mut message).unwrap();
            assert_eq!(Request::read(&mut message.as_slice()).unwrap(), request);
        }
        let stamp = Stamp::Present {
            device: 1,
            inode: u64::MAX,
            size: 3,
            mode: 0o100_644,
            modified: (-4, 5),
            changed: (6, 7),
        };
        for (stamp, content) in [
            (stamp, Ok(b"text".to_vec())),
            (stamp, Ok(Vec::new())),
            (Stamp::Absent, Err(io::Error::from_raw_os_error(2))),
            (stamp, Err(io::Error::new(ErrorKind::InvalidInput, "it is a directory"))),
        ] {
            let reply = (stamp, content);
            let mut message = Vec::new();
            write_reply(&reply, &mut message).unwrap();
            let read = read_reply(&mut message.as_slice(), 1024).unwrap();
            assert_eq!(read.0, reply.0);
            let text = |content: io::Result<_>| content.map_err(|error| error.to_string());
            assert_eq!(text(read.1), text(reply.1));
            for end in 0..message.len() {
                assert!(read_reply(&mut message.get(..end).unwrap(), 1024).is_err(), "{end}");
            }
        }
    }
}
