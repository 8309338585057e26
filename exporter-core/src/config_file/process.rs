//! The process that reads files for a program, and the connection to it.
//!
//! It is the same program, started again with [`ARGUMENT`]. Its standard input is one end of a
//! socket pair, on which it receives one [`Request`] at a time and sends a reply. It exits when the
//! other end is closed.

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::wire::{self, Reply, Request};
use super::{Stamp, read_directly};
use crate::sys;

/// The first argument of the process.
pub(crate) const ARGUMENT: &str = "config-file-reader";

/// The `main` of the process.
pub(crate) fn main() -> ExitCode {
    if let Ok(socket) = io::stdin().as_fd().try_clone_to_owned() {
        serve(&mut UnixStream::from(socket));
    }
    ExitCode::SUCCESS
}

/// Handles requests until the other end is closed.
fn serve(socket: &mut UnixStream) {
    while let Ok(Request { path, limit }) = Request::read(socket) {
        let stamp = Stamp::of(&path);
        let content = limit.map_or(Ok(Vec::new()), |limit| read_directly(&path, limit));
        if wire::write_reply(&(stamp, content), socket).is_err() {
            return;
        }
    }
}

/// The program's end of the connection.
#[derive(Debug)]
pub(super) struct Reader {
    socket: UnixStream,
    /// `None` for a thread of this process.
    child: Option<Child>,
}

impl Reader {
    /// Starts a process.
    #[expect(clippy::disallowed_methods, reason = "runs itself, for calls that may not return")]
    pub(super) fn process() -> io::Result<Self> {
        let (socket, other) = UnixStream::pair()?;
        let child = Command::new(sys::running_program()?)
            .arg0(std::env::args_os().next().unwrap_or_default())
            .arg(ARGUMENT)
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(other)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Signals from a terminal are meant for the program.
            .process_group(0)
            .spawn()?;
        Ok(Self { socket, child: Some(child) })
    }

    /// Starts a thread instead, for programs whose `main` does not handle [`ARGUMENT`].
    pub(super) fn thread() -> io::Result<Self> {
        let (socket, mut other) = UnixStream::pair()?;
        thread::Builder::new().name("config-file".into()).spawn(move || serve(&mut other))?;
        Ok(Self { socket, child: None })
    }

    /// Sends a request and waits for the reply until `deadline`. After the error `TimedOut`, the
    /// reader is still busy; after any other error, it has ended.
    pub(super) fn request(&mut self, request: &Request, deadline: Instant) -> io::Result<Reply> {
        self.socket.set_write_timeout(Some(remaining(deadline)?))?;
        request.write(&mut self.socket)?;
        let limit = request.limit.unwrap_or_default();
        wire::read_reply(&mut DeadlineReader { socket: &self.socket, deadline }, limit)
    }

    /// Whether a reader that timed out has replied or ended in the meantime.
    pub(super) fn is_done(&self) -> bool {
        let mut socket = [rustix::event::PollFd::new(&self.socket, rustix::event::PollFlags::IN)];
        let now = rustix::event::Timespec::default();
        matches!(rustix::event::poll(&mut socket, Some(&now)), Ok(1..))
    }

    /// For tests: a reader that never replies, as if blocked by a file system.
    #[cfg(test)]
    pub(super) fn hanging() -> io::Result<Self> {
        let (socket, other) = UnixStream::pair()?;
        // Stays open without a reader.
        std::mem::forget(other);
        Ok(Self { socket, child: None })
    }

    /// For tests: kills the reader.
    #[cfg(test)]
    pub(super) fn shut_down(&self) {
        self.socket.shutdown(std::net::Shutdown::Both).unwrap();
    }

    /// Closes the socket, upon which the process exits. Returns the child to reap.
    pub(super) fn close(self) -> Option<Child> {
        self.child
    }
}

/// A socket that is read until a deadline.
struct DeadlineReader<'a> {
    socket: &'a UnixStream,
    deadline: Instant,
}

impl Read for DeadlineReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(remaining(self.deadline)?))?;
        match self.socket.read(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ErrorKind::TimedOut.into()),
            read => read,
        }
    }
}

fn remaining(deadline: Instant) -> io::Result<Duration> {
    let remaining = deadline.saturating_duration_since(Instant::now());
    if remaining.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(remaining) }
}
