//! A stream whose traffic its connection's phase gets to know.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::frames::Frames;
use super::phase::Phase;

/// A socket, or TLS on one, below HTTP.
#[derive(Debug)]
pub(super) struct Watched<Stream> {
    stream: Stream,
    phase: Arc<Phase>,
    /// On HTTP/2.
    frames: Option<Frames>,
    shut: Shut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shut {
    No,
    Writing { linger: bool },
    Done,
}

impl<Stream> Watched<Stream> {
    pub(super) fn new(stream: Stream, phase: Arc<Phase>, frames: Option<Frames>) -> Self {
        Self { stream, phase, frames, shut: Shut::No }
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(Ok(bytes)) => self.phase.wrote(Some(*bytes)),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.phase.wrote(None),
        }
    }
}

impl<Stream: AsyncRead + Unpin> AsyncRead for Watched<Stream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = buf.filled().get(before..).unwrap_or_default();
        if !read.is_empty() {
            self.phase.read(self.frames.is_some());
        }
        let served = self.phase.served();
        if let Some(frames) = &mut self.frames
            && frames.read(read, served).is_err()
        {
            return Poll::Ready(Err(io::Error::other("a flood of HTTP/2 control frames")));
        }
        Poll::Ready(Ok(()))
    }
}

impl<Stream: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<Stream> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_pending() {
            self.phase.wrote(None);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.shut {
                Shut::No => {
                    let linger = self.phase.closing();
                    self.shut = Shut::Writing { linger };
                }
                Shut::Writing { linger } => {
                    ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                    self.phase.lingering();
                    self.shut = Shut::Done;
                    if !linger {
                        return Poll::Ready(Ok(()));
                    }
                }
                Shut::Done => return self.drain(cx),
            }
        }
    }
}

impl<Stream: AsyncRead + Unpin> Watched<Stream> {
    /// Reads until the peer closes. How long that may take is up to the phase.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [0; 4096];
        loop {
            let mut buf = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {}
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}
