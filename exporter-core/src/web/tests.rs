//! Tests over real sockets, with clients that send arbitrary bytes.

#![allow(
    clippy::cast_possible_truncation,
    clippy::format_collect,
    clippy::naive_bytecount,
    clippy::used_underscore_binding,
    reason = "bytes are written by hand here, and short"
)]

mod fuzz;
mod http1;
mod http2;
mod limits;
mod routes;
mod shutdown;
mod sockets;
mod timeouts;
mod tls;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::sleep;

use super::connection::Connection;
use super::connection::state::{ConnectionState, Stage};
use super::metrics::{Eviction, ServerMetrics};
use super::reload::ConfigStore;
use super::server::Server;
use super::*;
use crate::collector::{Collector, Definition, Error, Source};
use crate::exporter::Exporter;
use crate::exposition::desc::Desc;
use crate::exposition::families::Families;
use crate::flags::Flags;
use crate::registry::{self, Registry};
use crate::testing::MAX_WAIT;

/// A server on its own thread and port.
struct Running {
    address: SocketAddr,
    metrics: Arc<ServerMetrics>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts a server after `adjust` has changed its site.
fn start(adjust: impl FnOnce(&mut Site) + Send + 'static) -> Running {
    start_with(adjust, |_, _| {})
}

/// As [`start`], with something else to run first on the runtime.
fn start_with(
    adjust: impl FnOnce(&mut Site) + Send + 'static,
    more: impl FnOnce(&Arc<Site>, &mut Vec<Listener>) + Send + 'static,
) -> Running {
    let (stop, stopped) = oneshot::channel();
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let mut site = site();
            adjust(&mut site);
            let site = Arc::new(site);
            let mut listeners = Listener::bind(&["127.0.0.1:0".to_owned()]).unwrap();
            let address = listeners[0].local_addr().unwrap();
            more(&site, &mut listeners);
            tell.send((address, Arc::clone(&site.metrics))).unwrap();
            serve(site, listeners, stopped).await;
        });
    });
    let (address, metrics) = told.recv().unwrap();
    Running { address, metrics, stop: Some(stop), thread: Some(thread) }
}

fn site() -> Site {
    Site {
        name: "test-exporter".into(),
        about: "Tests <all>".into(),
        version: "1.2.3".into(),
        exporter: registry(&[&WORD]),
        config: ConfigStore::load(None).unwrap(),
        metrics: Arc::default(),
        limits: Limits::default(),
        telemetry_path: "/metrics".to_owned(),
        enable_lifecycle: false,
        timeout_offset: Duration::from_millis(250),
    }
}

impl Running {
    fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).unwrap())
    }

    /// Connects from another address.
    fn connect_from(&self, source: [u8; 4]) -> Client {
        Client::new(connect_from(source, self.address))
    }

    /// Sends `text` and returns all bytes until the server closes.
    fn say(&self, text: impl AsRef<[u8]>) -> String {
        let mut client = self.connect();
        client.send(text);
        client.rest()
    }

    fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn connect_from(source: [u8; 4], server: SocketAddr) -> TcpStream {
    use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
    let stream = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&stream, &SocketAddr::from((source, 0))).unwrap();
    connect(&stream, &server).unwrap();
    stream.into()
}

struct Client(TcpStream);

impl Client {
    fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(MAX_WAIT)).unwrap();
        stream.set_write_timeout(Some(MAX_WAIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Sends as much as the server takes.
    fn send(&mut self, text: impl AsRef<[u8]>) {
        let _ = self.0.write_all(text.as_ref());
    }

    /// Reads a response with a content length.
    fn response(&mut self) -> String {
        let mut response = String::new();
        while !response.ends_with("\r\n\r\n") {
            response.push(self.byte().expect("the rest of a header"));
        }
        let length = response
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
            .unwrap_or(0);
        for _ in 0..length {
            response.push(self.byte().expect("the rest of a body"));
        }
        response
    }

    fn byte(&mut self) -> Option<char> {
        let mut byte = [0];
        (self.0.read(&mut byte).unwrap() > 0).then(|| char::from(byte[0]))
    }

    /// Reads until the server closes.
    fn rest(&mut self) -> String {
        let mut response = Vec::new();
        if let Err(error) = self.0.read_to_end(&mut response) {
            response.extend(format!("<{error}>").bytes());
        }
        String::from_utf8_lossy(&response).into_owned()
    }

    /// The time until the server closes, and the bytes before that.
    fn closed(&mut self) -> (Duration, String) {
        let start = Instant::now();
        let rest = self.rest();
        (start.elapsed(), rest)
    }
}

/// A request for the metrics, after which the connection stays open.
const SCRAPE: &str = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

fn get(path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")
}

fn status(response: &str) -> &str {
    response.get(9..12).unwrap_or(response)
}

/// The value of a header, as sent.
fn header<'a>(response: &'a str, name: &str) -> Option<&'a str> {
    let head = response.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn body(response: &str) -> &str {
    response.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

fn registry(collectors: &[&Definition<()>]) -> Arc<dyn Exporter> {
    static DURATION: Desc<1> = Desc::gauge("took_seconds", "Time.", ["collector"]);
    static SUCCESS: Desc<1> = Desc::gauge("success", "Success.", ["collector"]);
    let settings = registry::Settings {
        duration: Some(&DURATION),
        success: Some(&SUCCESS),
        limit: MAX_WAIT,
        exposes_dropped: true,
        ..registry::Settings::default()
    };
    let registry = Registry::build(collectors, &[], &(), &Flags::default(), settings).unwrap();
    Arc::new(Arc::new(registry))
}

const fn definition(
    name: &'static str,
    build: fn(&(), &Flags) -> Result<Source, Error>,
) -> Definition<()> {
    let about = "Of <tests>";
    Definition::new(name, about, build)
}

struct Script(fn(&mut Families) -> Result<(), Error>);

impl Collector for Script {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        (self.0)(out)
    }
}

static WORD: Definition<()> = definition("word", |(), _| {
    static WORD: Desc = Desc::gauge("word", "Spoken.", []);
    Ok(Source::blocking(Script(|out| {
        out.family(&WORD).sample([], 1.0);
        Ok(())
    })))
});

static SLOW: Definition<()> = definition("slow", |(), _| {
    Ok(Source::blocking(Script(|_| {
        thread::sleep(Duration::from_millis(2500));
        Err(Error::Other("<script>alert(1)</script>".into()))
    })))
});

/// Several megabytes.
static LARGE: Definition<()> = definition("large", |(), _| {
    static LARGE: Desc<1> = Desc::gauge("large", "Much.", ["n"]);
    Ok(Source::blocking(Script(|out| {
        let mut family = out.family(&LARGE);
        for n in 0..100_000 {
            family.sample([&format!("{n:0>80}")], f64::from(n));
        }
        Ok(())
    })))
});
