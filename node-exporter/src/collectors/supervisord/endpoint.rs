//! The endpoint of supervisord, and calls to it over HTTP/1.0.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

pub(super) struct Endpoint {
    address: Address,
    /// The target in the request line.
    path: String,
    /// The `Authorization` header, if the URL has a user.
    authorization: Option<String>,
}

enum Address {
    /// Host and port.
    Tcp(String),
    Unix(PathBuf),
}

/// Enough for a few thousand processes.
const MAX_RESPONSE_LENGTH: usize = 4 << 20;
const MAX_HEAD_LENGTH: usize = 16 << 10;

impl Endpoint {
    pub(super) fn parse(url: &str) -> Result<Self, &'static str> {
        if let Some(path) = url.strip_prefix("unix://") {
            if !path.starts_with('/') {
                return Err("expected the path of a socket, such as unix:///run/supervisor.sock");
            }
            let address = Address::Unix(path.into());
            return Ok(Self { address, path: "/RPC2".to_owned(), authorization: None });
        }
        let rest = url.strip_prefix("http://").ok_or("expected a URL with http:// or unix://")?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, authority),
        };
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if host.is_empty() || !is_plain(host) || !is_plain(path) {
            return Err("expected a URL such as http://localhost:9001/RPC2");
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let host = if has_port { host.to_owned() } else { format!("{host}:80") };
        let authorization = user.map(|user| {
            format!("Authorization: Basic {}\r\n", BASE64_STANDARD.encode(percent_decoded(user)))
        });
        Ok(Self { address: Address::Tcp(host), path: path.to_owned(), authorization })
    }

    /// Posts a body, and returns the body of the response. Takes no longer than `timeout`.
    pub(super) fn call(&self, body: &str, timeout: Duration) -> io::Result<String> {
        let deadline = Instant::now() + timeout;
        let response = match &self.address {
            Address::Tcp(host) => {
                let mut connection = connect(host, deadline)?;
                self.exchange(&mut connection, body, deadline)
            }
            Address::Unix(path) => {
                let mut connection = UnixStream::connect(path)?;
                self.exchange(&mut connection, body, deadline)
            }
        };
        response_body(&response?)
    }

    fn exchange(
        &self,
        connection: &mut impl Connection,
        body: &str,
        deadline: Instant,
    ) -> io::Result<Vec<u8>> {
        let Self { path, authorization, .. } = self;
        let authorization = authorization.as_deref().unwrap_or_default();
        let host = match &self.address {
            Address::Tcp(host) => host,
            Address::Unix(_) => "localhost",
        };
        let request = format!(
            "POST {path} HTTP/1.0\r\nHost: {host}\r\n{authorization}Content-Type: text/xml\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.set_timeouts(time_left(deadline)?)?;
        connection.write_all(request.as_bytes()).map_err(map_timeout)?;
        let mut response = Vec::new();
        let mut buffer = [0; 16 << 10];
        while !is_complete(&response) {
            connection.set_timeouts(time_left(deadline)?)?;
            match connection.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => response.extend_from_slice(buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(map_timeout(error)),
            }
            if response.len() > MAX_RESPONSE_LENGTH {
                return Err(io::Error::new(ErrorKind::InvalidData, "its answer has no end"));
            }
            if response.len() > MAX_HEAD_LENGTH && split_head(&response).is_none() {
                break;
            }
        }
        Ok(response)
    }
}

/// The address without user and password.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp(host) => write!(f, "http://{host}{}", self.path),
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

trait Connection: Read + Write {
    fn set_timeouts(&self, time: Duration) -> io::Result<()>;
}

impl Connection for TcpStream {
    fn set_timeouts(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

impl Connection for UnixStream {
    fn set_timeouts(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

fn connect(host: &str, deadline: Instant) -> io::Result<TcpStream> {
    let mut last_error = io::Error::new(ErrorKind::NotFound, "it has no address");
    for address in host.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, time_left(deadline)?) {
            Ok(connection) => return Ok(connection),
            Err(error) => last_error = error,
        }
    }
    Err(last_error)
}

fn time_left(deadline: Instant) -> io::Result<Duration> {
    let time_left = deadline.saturating_duration_since(Instant::now());
    if time_left.is_zero() { Err(timeout_error()) } else { Ok(time_left) }
}

fn timeout_error() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "no reply in time")
}

/// Replaces the error of a timeout, whose message is not helpful.
fn map_timeout(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => timeout_error(),
        _ => error,
    }
}

/// Head and body of a response, as far as they have been received.
fn split_head(response: &[u8]) -> Option<(&str, &[u8])> {
    let at = response.windows(4).take(MAX_HEAD_LENGTH).position(|bytes| bytes == b"\r\n\r\n")?;
    Some((std::str::from_utf8(response.get(..at)?).ok()?, response.get(at + 4..)?))
}

/// The `Content-Length`.
fn length(head: &str) -> Option<usize> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    })
}

/// Whether the body has the announced length. Without `Content-Length`, the body ends with the
/// connection.
fn is_complete(response: &[u8]) -> bool {
    split_head(response)
        .is_some_and(|(head, body)| length(head).is_some_and(|length| body.len() >= length))
}

/// The body of a response with status 200.
fn response_body(response: &[u8]) -> io::Result<String> {
    let problem = |problem: String| io::Error::new(ErrorKind::InvalidData, problem);
    let (head, body) = split_head(response).ok_or_else(|| problem("no HTTP answer".to_owned()))?;
    let mut words = head.split_ascii_whitespace();
    let is_http = words.next().is_some_and(|version| version.starts_with("HTTP/1."));
    match words.next().filter(|_| is_http) {
        Some("200") => {}
        Some("401") => {
            let hint =
                "it wants a password: http://user:password@... in --collector.supervisord.url";
            return Err(problem(hint.to_owned()));
        }
        Some(status) => return Err(problem(format!("HTTP status {status}"))),
        None => return Err(problem("no HTTP answer".to_owned())),
    }
    if length(head).is_some_and(|length| body.len() < length) {
        return Err(problem("an answer that is cut off".to_owned()));
    }
    Ok(String::from_utf8_lossy(body).into_owned())
}

/// Replaces escapes such as `%40`; invalid ones are kept.
fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let escaped = match (byte, tail.first_chunk::<2>()) {
            (b'%', Some(digits)) => {
                std::str::from_utf8(digits).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_parsed() {
        for (url, expected, authorization) in [
            ("http://localhost:9001/RPC2", Ok("http://localhost:9001/RPC2"), None),
            ("http://[::1]:9001/RPC2", Ok("http://[::1]:9001/RPC2"), None),
            ("http://host", Ok("http://host:80/"), None),
            ("unix:///run/supervisor.sock", Ok("unix:///run/supervisor.sock"), None),
            (
                "http://me:p%40ss@host:1/x",
                Ok("http://host:1/x"),
                Some("Authorization: Basic bWU6cEBzcw==\r\n"),
            ),
            ("https://host/RPC2", Err("expected a URL with http:// or unix://"), None),
            (
                "unix://run/x",
                Err("expected the path of a socket, such as unix:///run/supervisor.sock"),
                None,
            ),
            ("http:///x", Err("expected a URL such as http://localhost:9001/RPC2"), None),
            ("http://host/a b", Err("expected a URL such as http://localhost:9001/RPC2"), None),
        ] {
            let endpoint = Endpoint::parse(url);
            let shown = endpoint.as_ref().map(ToString::to_string).map_err(|problem| *problem);
            assert_eq!(shown.as_deref().map_err(|problem| *problem), expected, "{url}");
            let found = endpoint.ok().and_then(|endpoint| endpoint.authorization);
            assert_eq!(found.as_deref(), authorization, "{url}");
        }
    }

    #[test]
    fn responses_are_parsed() {
        for (response, expected) in [
            ("HTTP/1.0 200 OK\r\n\r\nx", Ok("x")),
            ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxy", Ok("xy")),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nxy", Err("an answer that is cut off")),
            ("HTTP/1.0 404 Not Found\r\n\r\n", Err("HTTP status 404")),
            ("HTTP/1.0 200 OK\r\n", Err("no HTTP answer")),
            ("SSH-2.0-x\r\n\r\n", Err("no HTTP answer")),
            ("", Err("no HTTP answer")),
        ] {
            let found = response_body(response.as_bytes()).map_err(|error| error.to_string());
            let expected = expected.map(ToOwned::to_owned).map_err(ToOwned::to_owned);
            assert_eq!(found, expected, "{response}");
        }
    }
}
