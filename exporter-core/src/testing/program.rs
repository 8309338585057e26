//! The real binary on real sockets.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use super::signal::send_signal;

/// How long a test waits for a condition before it fails; long enough for slow and busy machines.
pub const MAX_WAIT: Duration = Duration::from_secs(120);

/// Waits for a condition; `state` describes the actual state if the wait times out.
pub fn until(mut condition: impl FnMut() -> bool, state: impl Fn() -> String) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < MAX_WAIT, "not within {MAX_WAIT:?}: {}", state());
        thread::sleep(Duration::from_millis(20));
    }
}

/// A running exporter. It is killed when this is dropped.
#[derive(Debug)]
pub struct Exporter {
    child: Child,
    /// The port of 127.0.0.1 that it listens on.
    pub port: u16,
    log: PathBuf,
}

impl Exporter {
    /// Starts `binary` on a free port of loopback, and waits until it listens. Its log goes to a
    /// file in `dir`.
    pub fn start(binary: &str, flags: &[&str], dir: &Path) -> Self {
        Self::start_with(binary, flags, &[], dir)
    }

    /// Like [`Exporter::start`], with these environment variables.
    pub fn start_with(
        binary: &str,
        flags: &[&str],
        variables: &[(&str, &str)],
        dir: &Path,
    ) -> Self {
        let arguments = |address: &str| {
            let flags = flags.iter().map(|flag| (*flag).to_owned());
            flags.chain([format!("--web.listen-address={address}")]).collect()
        };
        Self::start_until_it_listens(binary, &arguments, variables, dir)
    }

    /// Like [`Exporter::start`], for a program whose only argument is its address.
    pub fn start_on_address(binary: &str, dir: &Path) -> Self {
        Self::start_until_it_listens(binary, &|address| vec![address.to_owned()], &[], dir)
    }

    fn start_until_it_listens(
        binary: &str,
        arguments: &dyn Fn(&str) -> Vec<String>,
        variables: &[(&str, &str)],
        dir: &Path,
    ) -> Self {
        loop {
            if let Some(exporter) = Self::attempt(binary, arguments, variables, dir) {
                return exporter;
            }
        }
    }

    /// `None` if another test has bound the port in the meantime.
    #[expect(clippy::disallowed_methods, reason = "a test runs the program that it tests")]
    fn attempt(
        binary: &str,
        arguments: &dyn Fn(&str) -> Vec<String>,
        variables: &[(&str, &str)],
        dir: &Path,
    ) -> Option<Self> {
        let port = free_port();
        let log = dir.join(format!("exporter-{port}.log"));
        let errors = File::create(&log).expect("the test's directory takes files");
        let child = Command::new(binary)
            .args(arguments(&format!("127.0.0.1:{port}")))
            .envs(variables.iter().copied())
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|error| panic!("{binary} does not start: {error}"));
        let mut exporter = Self { child, port, log };
        let since = Instant::now();
        while !exporter.listens() {
            if exporter.child.try_wait().expect("the status of a child is available").is_some() {
                let log = exporter.log();
                let is_taken = log.to_lowercase().contains("address already in use");
                assert!(is_taken, "{binary} ended: {log}");
                return None;
            }
            assert!(since.elapsed() < MAX_WAIT, "{binary} does not listen: {}", exporter.log());
            thread::sleep(Duration::from_millis(10));
        }
        Some(exporter)
    }

    /// Whether its process listens on its port. Another one may have taken the port meanwhile, so that a
    /// connection proves nothing.
    #[expect(clippy::disallowed_methods, reason = "reads about a child, not the machine")]
    fn listens(&self) -> bool {
        let address = format!("0100007F:{:04X}", self.port);
        let sockets = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let descriptors: Vec<_> = fs::read_dir(format!("/proc/{}/fd", self.pid()))
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .collect();
        sockets.lines().any(|line| {
            let fields: Vec<_> = line.split_ascii_whitespace().collect();
            let [_, local, _, "0A", _, _, _, _, _, inode, ..] = fields[..] else { return false };
            let socket = format!("socket:[{inode}]");
            local == address && descriptors.iter().any(|link| link.as_os_str() == &*socket)
        })
    }

    /// The ID of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The log so far.
    #[expect(clippy::disallowed_methods, reason = "reads a log, not the machine")]
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Requests a path over plain HTTP.
    pub fn get(&self, path: &str) -> Answer {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        get(stream, path, &[]).expect("it answers")
    }

    /// Sends a request without a body, such as `POST`.
    pub fn send(&self, method: &str, path: &str) -> Answer {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        send(stream, method, path, &[]).expect("it answers")
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        send_signal(self.pid(), name);
    }

    /// Waits until it ends, which must happen within `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the status of a child is available")
            {
                return status;
            }
            assert!(since.elapsed() < limit, "still running after {limit:?}: {}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // It may have already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP/1.1 response.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All header lines, unchanged.
    pub head: String,
    /// The body; what is not UTF-8 is replaced.
    pub body: String,
}

/// Sends one request on a new connection, and closes the connection.
pub fn get(stream: impl Read + Write, path: &str, headers: &[(&str, &str)]) -> io::Result<Answer> {
    send(stream, "GET", path, headers)
}

fn send(
    mut stream: impl Read + Write,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> io::Result<Answer> {
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.extend([*name, ": ", *value, "\r\n"]);
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        // The response is complete even if the peer closes without `close_notify`.
        Err(error) if bytes.is_empty() => return Err(error),
        _ => {}
    }
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status in {head:?}")))?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// A port of the loopback address that was free at the time of the call.
pub(super) fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    socket.local_addr().expect("a bound socket has an address").port()
}
