//! A stream that reports its traffic to the state of its connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::http1_heads::HeadScanner;
use super::http2_frames::{ClientFrames, ServerFrames};
use super::state::ConnectionState;
use crate::web::socket::AsSocket;

/// A socket, or TLS on one, below HTTP.
#[derive(Debug)]
pub(super) struct TrackedStream<Stream: AsSocket> {
    stream: Stream,
    state: Arc<ConnectionState>,
    protocol: Protocol,
    shutdown: Shutdown,
}

/// The parsers for each version of HTTP.
#[derive(Debug)]
pub(super) enum Protocol {
    Http1(HeadScanner),
    Http2(ClientFrames, ServerFrames),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shutdown {
    No,
    Writing { drain: bool },
    Done,
}

impl<Stream: AsSocket> TrackedStream<Stream> {
    pub(super) fn http1(stream: Stream, state: Arc<ConnectionState>) -> Self {
        let protocol = Protocol::Http1(HeadScanner::default());
        Self { stream, state, protocol, shutdown: Shutdown::No }
    }

    pub(super) fn http2(stream: Stream, state: Arc<ConnectionState>) -> Self {
        let protocol = Protocol::Http2(ClientFrames::default(), ServerFrames::default());
        Self { stream, state, protocol, shutdown: Shutdown::No }
    }

    fn received(&mut self, bytes: &[u8]) -> io::Result<()> {
        let is_partial = match &mut self.protocol {
            Protocol::Http1(scanner) => {
                scanner.read(bytes);
                scanner.is_partial()
            }
            Protocol::Http2(frames, _) => {
                let flood = |_| io::Error::other("a flood of HTTP/2 control frames");
                frames.read(bytes, self.state.served()).map_err(flood)?;
                frames.is_partial()
            }
        };
        if !bytes.is_empty() {
            self.state.received(is_partial);
        }
        Ok(())
    }

    fn written<'a>(
        &mut self,
        result: &Poll<io::Result<usize>>,
        bufs: impl IntoIterator<Item = &'a [u8]>,
    ) {
        match result {
            Poll::Ready(Ok(written)) => {
                let sent = match &mut self.protocol {
                    Protocol::Http1(_) => *written,
                    Protocol::Http2(_, frames) => {
                        let mut rest = *written;
                        bufs.into_iter()
                            .map(|buf| {
                                let buf = buf.get(..rest).unwrap_or(buf);
                                rest -= buf.len();
                                frames.written(buf)
                            })
                            .sum()
                    }
                };
                self.state.sent(sent);
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.state.blocked(true),
        }
    }
}

impl<Stream: AsSocket + AsyncRead + Unpin> AsyncRead for TrackedStream<Stream> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let read = buf.filled().get(before..).unwrap_or_default();
        Poll::Ready(self.received(read))
    }
}

impl<Stream: AsSocket + AsyncRead + AsyncWrite + Unpin> AsyncWrite for TrackedStream<Stream> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.written(&result, [buf]);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.written(&result, bufs.iter().map(|buf| &**buf));
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.state.blocked(flushed.is_pending());
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.shutdown {
                Shutdown::No => {
                    let drain = self.state.start_closing();
                    self.shutdown = Shutdown::Writing { drain };
                }
                Shutdown::Writing { drain } => {
                    ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
                    self.state.start_lingering();
                    self.shutdown = Shutdown::Done;
                    if !drain {
                        return Poll::Ready(Ok(()));
                    }
                }
                Shutdown::Done => return self.drain(cx),
            }
        }
    }
}

impl<Stream: AsSocket + AsyncRead + Unpin> TrackedStream<Stream> {
    /// Reads until the peer closes. The state of the connection limits the time.
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

impl<Stream: AsSocket> Drop for TrackedStream<Stream> {
    fn drop(&mut self) {
        if self.state.is_aborted() {
            self.stream.as_socket().discard_unsent();
        }
    }
}
