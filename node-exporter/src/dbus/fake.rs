//! A message bus for tests, with scripted services.

use std::os::unix::net::UnixStream as StdStream;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use zbus::connection::Builder;
use zbus::message::{Header, Type};
use zbus::{Connection, Guid, Message};

use super::Bus;

/// The reply of a service to a call; an error reply if it is `None`.
pub(crate) type Service = fn(&Header<'_>, &Message) -> Option<Message>;

/// Listens on a socket until it is dropped. Needs a runtime.
pub(crate) struct FakeBus {
    directory: tempfile::TempDir,
    task: tokio::task::JoinHandle<()>,
}

impl FakeBus {
    pub(crate) fn new(service: Service) -> Self {
        Self::listen(move |stream| serve(stream, service))
    }

    /// A bus that is slow to accept a connection.
    pub(crate) fn late(service: Service, delay: Duration) -> Self {
        Self::listen(move |stream| async move {
            tokio::time::sleep(delay).await;
            serve(stream, service).await;
        })
    }

    /// A bus that writes some bytes to each client, and then closes the connection or lets it hang.
    pub(crate) fn broken(bytes: &'static [u8], hangs: bool) -> Self {
        Self::listen(move |mut stream| async move {
            let _ = stream.write_all(bytes).await;
            if hangs {
                std::future::pending::<()>().await;
            }
        })
    }

    fn listen<F>(serve: impl Fn(UnixStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("bus")).unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Self { directory, task }
    }

    /// A client that has not connected yet.
    pub(crate) fn client(&self) -> Bus {
        Bus::with_address(format!("unix:path={}", self.directory.path().join("bus").display()))
    }
}

impl Drop for FakeBus {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: UnixStream, service: Service) {
    let stream: StdStream = stream.into_std().unwrap();
    let guid = Guid::generate();
    let server = Builder::unix_stream(stream).server(guid).p2p();
    let Ok(mut messages) = server.build_message_stream().await else { return };
    let connection: Connection = (&messages).into();
    while let Some(Ok(message)) = messages.next().await {
        if message.message_type() != Type::MethodCall {
            continue;
        }
        let header = message.header();
        let reply = if header.member().is_some_and(|member| member.as_str() == "Hello") {
            Message::method_return(&header).build(&":1.1").ok()
        } else {
            service(&header, &message)
        };
        let reply = reply.unwrap_or_else(|| {
            let name = "org.freedesktop.DBus.Error.UnknownObject";
            Message::error(&header, name).build(&"no such thing").unwrap()
        });
        if connection.send(&reply).await.is_err() {
            return;
        }
    }
}

/// Runs a future on a new runtime.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
