//! TLS: handshakes, and open connections after a reload.

use std::collections::VecDeque;
use std::fs;
use std::sync::atomic::AtomicBool;

use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::*;
use crate::web::pki::{Authority, Directory, Holder, client};
use crate::web::tls::rejection::Rejection;

const MUTUAL: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n  \
    client_ca_file: ca.pem\n  client_auth_type: RequireAndVerifyClientCert\n  \
    client_allowed_sans: [prometheus.example]\n";

struct Fixture {
    directory: Directory,
    authority: Authority,
    holder: Holder,
    server: Running,
    live: Arc<ConfigStore>,
}

fn fixture(adjust: impl FnOnce(&mut Site) + Send + 'static) -> Fixture {
    let directory = Directory::new();
    let authority = Authority::new("ca");
    directory.fill(&authority.server(), &authority);
    let file = directory.write("web.yml", MUTUAL);
    let live = ConfigStore::load(Some(file)).unwrap();
    let ours = Arc::clone(&live);
    let server = start(|site| {
        site.config = ours;
        adjust(site);
    });
    let holder = authority.client();
    Fixture { directory, authority, holder, server, live }
}

impl Fixture {
    fn config(&self, holder: Option<&Holder>, alpn: &[&[u8]]) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&client(&self.authority, holder, &[&TLS12, &TLS13]));
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        Arc::new(config)
    }

    fn connect(&self, config: &Arc<ClientConfig>) -> StreamOwned<ClientConnection, TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::clone(config), name).unwrap();
        StreamOwned::new(session, self.server.connect().0)
    }

    /// The counter increases after the client was notified, so it may be late.
    fn expect_rejected(&self, reason: Rejection, count: u64) {
        let start = Instant::now();
        while self.server.metrics.rejections(reason) < count && start.elapsed() < MAX_WAIT {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(self.server.metrics.rejections(reason), count, "{reason:?}");
    }
}

/// All bytes until the server closes, or the error.
fn say(stream: &mut (impl Read + Write), text: &str) -> Result<String, String> {
    let mut response = Vec::new();
    let result = stream.write_all(text.as_bytes()).and_then(|()| stream.read_to_end(&mut response));
    result.map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&response).into_owned())
}

#[test]
fn clients_need_a_certificate() {
    let fixture = fixture(|_| {});
    for alpn in [&[][..], &[&b"http/1.1"[..]]] {
        let config = fixture.config(Some(&fixture.holder), alpn);
        let response = say(&mut fixture.connect(&config), &get("/metrics", "")).unwrap();
        assert!(response.contains("\nword 1\n"), "{response}");
    }
    let stranger = fixture.config(None, &[]);
    let error = say(&mut fixture.connect(&stranger), &get("/metrics", "")).unwrap_err();
    assert!(error.contains("CertificateRequired"), "{error}");
    fixture.expect_rejected(Rejection::NoCertificate, 1);
    let config = fixture.config(Some(&fixture.holder), &[b"h3"]);
    let error = say(&mut fixture.connect(&config), &get("/metrics", "")).unwrap_err();
    assert!(error.contains("NoApplicationProtocol"), "{error}");
}

#[test]
fn http2_is_negotiated() {
    let fixture = fixture(|_| {});
    let config = fixture.config(Some(&fixture.holder), &[b"h2", b"http/1.1"]);
    let mut stream = fixture.connect(&config);
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).unwrap();
    assert_eq!(frame[3], 4, "settings");
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
}

#[test]
fn plain_http_on_a_tls_port_gets_an_http_response() {
    let fixture = fixture(|_| {});
    let response = fixture.server.say(get("/metrics", &"X: y\r\n".repeat(1000)));
    assert!(response.starts_with("HTTP/1.0 400 Bad Request\r\n"), "{response}");
    assert!(
        response.ends_with("\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"),
        "{response}"
    );
    fixture.expect_rejected(Rejection::PlainHttp, 1);
}

#[test]
fn an_incomplete_handshake_times_out() {
    let fixture = fixture(|site| site.limits.header = Duration::from_millis(300));
    for beginning in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"] {
        let mut client = fixture.server.connect();
        client.send(beginning);
        let (took, _) = client.closed();
        assert!((250..120_000).contains(&took.as_millis()), "{beginning:?} {took:?}");
    }
    fixture.expect_rejected(Rejection::Timeout, 3);
    let mut client = fixture.server.connect();
    client.send("\x16\x03\x01garbage, and more of it than a record header");
    let (took, _) = client.closed();
    assert!(took < MAX_WAIT, "{took:?}");
}

#[test]
fn stalled_handshakes_do_not_block_scrapes() {
    let fixture = fixture(|site| site.limits.handshakes = 8);
    let held: Vec<_> = (0..40)
        .map(|_| {
            let mut client = fixture.server.connect();
            client.send(b"\x16\x03\x01\x02");
            client
        })
        .collect();
    let config = fixture.config(Some(&fixture.holder), &[]);
    let response = say(&mut fixture.connect(&config), &get("/metrics", "")).unwrap();
    assert!(response.contains("\nword 1\n"), "{response}");
    assert!(fixture.server.metrics.connections.load(Ordering::Relaxed) <= 10);
    drop(held);
}

#[test]
fn removing_an_allowed_san_ends_connections_and_sessions() {
    let fixture = fixture(|_| {});
    let config = fixture.config(Some(&fixture.holder), &[]);
    let mut open = fixture.connect(&config);
    open.write_all(SCRAPE.as_bytes()).unwrap();
    let mut first = [0; 12];
    open.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let file = fixture.directory.path().join("web.yml");
    fs::write(file, MUTUAL.replace("prometheus.example", "other.example")).unwrap();
    fixture.live.reload().unwrap();
    let mut rest = Vec::new();
    let start = Instant::now();
    let _ = open.read_to_end(&mut rest);
    assert!(start.elapsed() < MAX_WAIT);
    // Resumed or not.
    for _ in 0..2 {
        assert!(say(&mut fixture.connect(&config), &get("/metrics", "")).is_err());
    }
    fixture.expect_rejected(Rejection::SanNotAllowed, 2);
}

#[test]
fn a_reload_does_not_lose_the_request_of_a_new_client() {
    let fixture = fixture(|_| {});
    let config = fixture.config(Some(&fixture.holder), &[]);
    let mut fresh = fixture.connect(&config);
    while fresh.conn.is_handshaking() {
        fresh.conn.complete_io(&mut fresh.sock).unwrap();
    }
    let file = fixture.directory.path().join("web.yml");
    fs::write(file, format!("{MUTUAL}\n# changed\n")).unwrap();
    fixture.live.reload().unwrap();
    let response = say(&mut fresh, SCRAPE).unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.contains("connection: close"), "{response}");
}

/// The server waits a second; a machine that is slower than that gets further attempts.
#[test]
fn a_stop_waits_for_the_request_after_a_handshake_in_progress() {
    let responses = (0..10).map(|_| answer_to_a_request_during_a_stop());
    let is_page = |response: Result<String, String>| {
        response.is_ok_and(|text| text.starts_with("HTTP/1.1 200"))
    };
    assert!(responses.into_iter().any(is_page));
}

fn answer_to_a_request_during_a_stop() -> Result<String, String> {
    let fixture = fixture(|_| {});
    let config = fixture.config(Some(&fixture.holder), &[]);
    let mut fresh = fixture.connect(&config);
    fresh.conn.write_tls(&mut fresh.sock).unwrap();
    // In TLS 1.3 a client has finished before the server has its certificate.
    while fresh.conn.is_handshaking() {
        fresh.conn.read_tls(&mut fresh.sock).unwrap();
        fresh.conn.process_new_packets().unwrap();
    }
    let Fixture { server, directory: _directory, .. } = fixture;
    let address = server.address;
    let stop = thread::spawn(|| server.stop());
    while TcpStream::connect(address).is_ok() {
        thread::sleep(Duration::from_millis(1));
    }
    let response = say(&mut fresh, SCRAPE);
    stop.join().unwrap();
    response
}

#[test]
fn authentication_comes_before_routing() {
    let hash = bcrypt::hash("secret", 4).unwrap();
    let directory = Directory::new();
    let file = directory.write(
        "web.yml",
        &format!(
            "basic_auth_users:\n  alice: {hash}\n\
             http_server_config:\n  headers:\n    X-Frame-Options: deny\n"
        ),
    );
    let live = ConfigStore::load(Some(file)).unwrap();
    let server = start(|site| site.config = live);
    for path in ["/metrics", "/", "/-/healthy", "/nothing"] {
        let response = server.say(get(path, ""));
        assert_eq!(status(&response), "401", "{response}");
        assert!(header(&response, "www-authenticate").unwrap().starts_with("Basic"));
        assert_eq!(header(&response, "x-frame-options"), Some("deny"));
    }
    let response = server.say(get("/metrics", "Authorization: Basic YWxpY2U6c2VjcmV0\r\n"));
    assert_eq!(status(&response), "200", "{response}");
}

#[test]
fn requests_beyond_the_rate_limit_get_429() {
    let directory = Directory::new();
    let file = directory.write("web.yml", "rate_limit:\n  interval: 1h\n  burst: 2\n");
    let live = ConfigStore::load(Some(file)).unwrap();
    let server = start(|site| site.config = live);
    let statuses = [(); 3].map(|()| status(&server.say(get("/metrics", ""))).to_owned());
    assert_eq!(statuses, ["200", "200", "429"]);
}

/// Incomplete handshakes must not block a client whose handshake is slow.
#[test]
fn a_flood_of_handshakes_does_not_block_a_slow_client() {
    let fixture = fixture(|site| site.limits.handshakes = 8);
    let address = fixture.server.address;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let flood = thread::spawn(move || {
        let mut held = VecDeque::new();
        while !stopped.load(Ordering::Relaxed) {
            held.push_back(connect_from([127, 0, 0, 2], address));
            if held.len() > 100 {
                held.pop_front();
            }
            thread::sleep(Duration::from_millis(2));
        }
    });
    let config = fixture.config(Some(&fixture.holder), &[]);
    for _ in 0..5 {
        let mut stream = fixture.connect(&config);
        thread::sleep(Duration::from_millis(80));
        stream.conn.write_tls(&mut stream.sock).unwrap();
        thread::sleep(Duration::from_millis(80));
        let response = say(&mut stream, &get("/metrics", "")).unwrap();
        assert_eq!(status(&response), "200", "{response}");
    }
    stop.store(true, Ordering::Relaxed);
    flood.join().unwrap();
    assert!(fixture.server.metrics.evictions(Eviction::HandshakeLimit) > 0);
}
