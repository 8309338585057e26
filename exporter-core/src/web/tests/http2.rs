//! HTTP/2 without TLS: frames are handled alike.

use super::*;
use crate::web::tls::caller::Caller;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A literal, without table and Huffman coding.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut out = vec![0];
    for text in [name, value] {
        match text.len() {
            short @ 0..127 => out.push(short as u8),
            mut rest => {
                out.push(127);
                rest -= 127;
                while rest >= 128 {
                    out.push((rest % 128 + 128) as u8);
                    rest /= 128;
                }
                out.push(rest as u8);
            }
        }
        out.extend(text.bytes());
    }
    out
}

pub(super) fn request(method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let pseudo = [(":method", method), (":scheme", "http"), (":authority", "x"), (":path", path)];
    pseudo.iter().chain(more).flat_map(|(name, value)| literal(name, value)).collect()
}

/// A server that expects HTTP/2 from every client, and a client of it.
struct Http2 {
    client: Client,
    _server: Running,
}

fn start(adjust: impl FnOnce(&mut Site) + Send + 'static) -> Http2 {
    let (_server, address) = start_http2(adjust);
    Http2 { client: Client::new(TcpStream::connect(address).unwrap()), _server }
}

/// A server that speaks HTTP/2 without TLS at this address.
pub(super) fn start_http2(
    adjust: impl FnOnce(&mut Site) + Send + 'static,
) -> (Running, SocketAddr) {
    let (sender, receiver) = mpsc::channel();
    let running = start_with(adjust, move |site, _| {
        let server = Server::new(Arc::clone(site));
        let listener = Listener::bind(&["127.0.0.1:0".to_owned()]).unwrap().remove(0);
        sender.send(listener.local_addr().unwrap()).unwrap();
        tokio::spawn(async move {
            loop {
                let (socket, peer) = listener.accept().await.unwrap();
                let limits = &server.site.limits;
                let state = ConnectionState::new(Stage::FirstByte, peer.address(), limits);
                let changes = server.site.config.changes();
                let shutdown = server.shutdown.subscribe();
                let entry = server.table.admit(&state).unwrap();
                let server = Arc::clone(&server);
                let connection = Connection { server, state, peer, changes, shutdown };
                tokio::spawn(async move {
                    let _entry = entry;
                    connection.serve_http2(socket, Caller::default()).await
                });
            }
        });
    });
    (running, receiver.recv().unwrap())
}

impl Http2 {
    fn hello(&mut self) {
        self.client.send(PREFACE);
        self.client.send(frame(SETTINGS, 0, 0, &[]));
    }

    fn ask(&mut self, stream: u32, block: &[u8]) {
        self.client.send(frame(HEADERS, END_STREAM | END_HEADERS, stream, block));
    }

    /// The next frame except settings and window updates: type, stream, payload. `None` at the end
    /// of the connection.
    fn next(&mut self) -> Option<(u8, u32, Vec<u8>)> {
        loop {
            let mut head = [0; 9];
            self.client.0.read_exact(&mut head).ok()?;
            let [a, b, c, kind, flags, stream @ ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            self.client.0.read_exact(&mut payload).ok()?;
            match kind {
                SETTINGS if flags == 0 => self.client.send(frame(SETTINGS, 1, 0, &[])),
                SETTINGS | WINDOW_UPDATE => {}
                _ => return Some((kind, u32::from_be_bytes(stream), payload)),
            }
        }
    }

    /// The status of the next response. It is the first header; most statuses have an index in the
    /// static table, any other is literal.
    fn status(&mut self) -> String {
        let (kind, _, block) = self.next().expect("a response");
        assert_eq!(kind, HEADERS);
        match block[0] {
            0x88 => "200".to_owned(),
            0x8c => "400".to_owned(),
            0x8d => "404".to_owned(),
            _ => huffman_digits(&block[2..], block[1] & 0x7f),
        }
    }

    /// The number of frames by type until the connection is closed.
    fn until_closed(&mut self) -> Vec<u8> {
        std::iter::from_fn(|| self.next()).map(|(kind, ..)| kind).collect()
    }
}

/// Huffman coding of digits in HPACK: 0 to 2 in five bits, the others in six.
fn huffman_digits(bytes: &[u8], length: u8) -> String {
    let mut bits =
        bytes[..length.into()].iter().flat_map(|byte| (0..8).rev().map(move |n| byte >> n & 1));
    let mut digits = String::new();
    while digits.len() < 3 {
        let mut take = |count| (0..count).try_fold(0, |code, _| Some(code << 1 | bits.next()?));
        let Some(code) = take(5) else { break };
        let digit = match code {
            0..=2 => code,
            _ => (code << 1 | take(1).unwrap()) - 0x19 + 3,
        };
        digits.push(char::from(b'0' + digit));
    }
    digits
}

#[test]
fn requests_are_answered() {
    let mut http2 = start(|_| {});
    http2.hello();
    for (stream, (method, path, wanted)) in [
        ("GET", "/metrics", "200"),
        ("HEAD", "/metrics", "200"),
        ("GET", "/nothing", "404"),
        ("POST", "/metrics", "405"),
    ]
    .into_iter()
    .enumerate()
    {
        http2.ask(stream as u32 * 2 + 1, &request(method, path, &[]));
        assert_eq!(http2.status(), wanted, "{method} {path}");
        if method != "HEAD" {
            assert_eq!(http2.next().unwrap().0, 0, "a body");
        }
    }
}

#[test]
fn requests_with_a_body_or_two_hosts_are_rejected() {
    let mut http2 = start(|_| {});
    http2.hello();
    http2.client.send(frame(HEADERS, END_HEADERS, 1, &request("GET", "/metrics", &[])));
    assert_eq!(http2.status(), "413");
    let mut http2 = start(|_| {});
    http2.hello();
    http2.ask(1, &request("GET", "/metrics", &[("host", "x"), ("host", "y")]));
    assert_eq!(http2.status(), "400");
}

#[test]
fn headers_are_limited() {
    let value = "y".repeat(3000);
    let large: Vec<_> = (0..10).map(|_| ("x", value.as_str())).collect();
    let many: Vec<_> = (0..101).map(|_| ("x", "y")).collect();
    for more in [large, many] {
        let mut http2 = start(|_| {});
        http2.hello();
        let block = request("GET", "/metrics", &more);
        let (first, rest) = block.split_at(block.len().min(16_000));
        http2.client.send(frame(HEADERS, END_STREAM, 1, first));
        http2.client.send(frame(9, END_HEADERS, 1, rest));
        assert_eq!(http2.status(), "431");
    }
}

#[test]
fn rapid_resets_close_the_connection() {
    let mut http2 = start(|_| {});
    http2.hello();
    let block = request("GET", "/metrics", &[]);
    let mut flood = Vec::new();
    for stream in (0..5000).map(|n| n * 2 + 1) {
        flood.extend(frame(HEADERS, END_STREAM | END_HEADERS, stream, &block));
        flood.extend(frame(RESET, 0, stream, &8_u32.to_be_bytes()));
    }
    let start = Instant::now();
    http2.client.send(flood);
    let frames = http2.until_closed();
    assert!(frames.contains(&GOAWAY), "{frames:?}");
    assert!(start.elapsed() < MAX_WAIT, "{:?}", start.elapsed());
}

#[test]
fn floods_of_control_frames_close_the_connection() {
    let update = 1_u32.to_be_bytes();
    for (name, frame) in [
        ("pings", frame(PING, 0, 0, &[0; 8])),
        ("settings", frame(SETTINGS, 0, 0, &[])),
        ("windows", frame(WINDOW_UPDATE, 0, 0, &update)),
        ("priorities", frame(2, 0, 3, &[0, 0, 0, 0, 1])),
        ("unknown", frame(99, 0, 0, &[])),
    ] {
        let mut http2 = start(|_| {});
        http2.hello();
        http2.ask(1, &request("GET", "/metrics", &[]));
        assert_eq!(http2.status(), "200");
        let start = Instant::now();
        http2.client.send(frame.repeat(20_000));
        let answered = http2.until_closed().iter().filter(|kind| **kind == PING).count();
        assert!(answered <= 1100, "{name}: {answered}");
        assert!(start.elapsed() < MAX_WAIT, "{name}: {:?}", start.elapsed());
    }
}

#[test]
fn an_endless_header_closes_the_connection() {
    let mut http2 = start(|site| site.limits.header = Duration::from_secs(2));
    http2.hello();
    http2.client.send(frame(HEADERS, END_STREAM, 1, &request("GET", "/metrics", &[])));
    let start = Instant::now();
    http2.client.send(frame(9, 0, 1, &literal("x", "y")).repeat(20_000));
    http2.until_closed();
    assert!(start.elapsed() < MAX_WAIT, "{:?}", start.elapsed());
}

#[test]
fn a_connection_without_a_request_is_closed() {
    let mut http2 = start(|site| site.limits.header = Duration::from_secs(2));
    http2.hello();
    let start = Instant::now();
    http2.until_closed();
    let took = start.elapsed();
    assert!((250..120_000).contains(&took.as_millis()), "{took:?}");
}

#[test]
fn a_client_without_window_updates_is_disconnected() {
    let mut http2 = start(|site| {
        site.limits.stall = Duration::from_secs(2);
        site.exporter = registry(&[&LARGE]);
    });
    http2.hello();
    http2.ask(1, &request("GET", "/metrics", &[]));
    assert_eq!(http2.status(), "200");
    let start = Instant::now();
    http2.until_closed();
    let took = start.elapsed();
    assert!((300..120_000).contains(&took.as_millis()), "{took:?}");
}

/// Replies to pings are bytes on the wire, and a window of one byte lets one byte through.
#[test]
fn pings_and_small_windows_do_not_count_as_progress() {
    let ping = frame(PING, 0, 0, &[0; 8]);
    let mut window = frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes());
    window.extend(frame(WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes()));
    for trickle in [ping, window] {
        let mut http2 = start(|site| {
            site.limits.stall = Duration::from_millis(500);
            site.exporter = registry(&[&LARGE]);
        });
        http2.client.send(PREFACE);
        // SETTINGS_INITIAL_WINDOW_SIZE
        http2.client.send(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]));
        http2.ask(1, &request("GET", "/metrics", &[]));
        assert_eq!(http2.status(), "200");
        let mut writer = http2.client.0.try_clone().unwrap();
        thread::spawn(move || {
            while writer.write_all(&trickle).is_ok() {
                thread::sleep(Duration::from_millis(50));
            }
        });
        let start = Instant::now();
        http2.until_closed();
        let took = start.elapsed();
        assert!((300..5000).contains(&took.as_millis()), "{took:?}");
    }
}

#[test]
fn later_header_blocks_have_the_header_limit() {
    let mut http2 = start(|site| site.limits.header = Duration::from_millis(300));
    http2.hello();
    http2.ask(1, &request("GET", "/-/healthy", &[]));
    assert_eq!(http2.status(), "200");
    http2.client.send(frame(HEADERS, END_STREAM, 3, &request("GET", "/metrics", &[])));
    let start = Instant::now();
    http2.until_closed();
    let took = start.elapsed();
    assert!((250..5000).contains(&took.as_millis()), "{took:?}");
}

#[test]
fn pings_do_not_keep_an_idle_connection_open() {
    let mut http2 = start(|site| site.limits.idle = Duration::from_secs(2));
    http2.hello();
    http2.ask(1, &request("GET", "/-/healthy", &[]));
    assert_eq!(http2.status(), "200");
    let mut pings = http2.client.0.try_clone().unwrap();
    thread::spawn(move || {
        while pings.write_all(&frame(PING, 0, 0, &[0; 8])).is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let start = Instant::now();
    http2.until_closed();
    let took = start.elapsed();
    assert!((400..120_000).contains(&took.as_millis()), "{took:?}");
}
