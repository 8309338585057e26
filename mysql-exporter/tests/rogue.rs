//! Malicious servers: only their own scrape fails, and the exporter sends them no secrets.

#![expect(clippy::disallowed_methods, reason = "reads what programs wrote")]
#![expect(clippy::unwrap_used, reason = "tests fail by a panic")]
#![expect(clippy::cast_possible_truncation, reason = "packets are assembled from bytes")]

#[path = "rogue/server.rs"]
mod server;

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use exporter_core::testing::{Answer, Exporter, get};
use tempfile::TempDir;

use server::{CAPABILITIES, NONCE, Peer, RogueServer, column, greeting, length_encoded_string};

const BINARY: &str = env!("CARGO_BIN_EXE_mysql-exporter");
const PASSWORD: &str = "sesame-open-wide";

/// An exporter with a rogue server.
struct Victim {
    exporter: Exporter,
    _dir: TempDir,
}

impl Victim {
    /// Starts an exporter. `keys` are additional lines of its option file.
    fn start(server: &RogueServer, keys: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("my.cnf");
        let port = server.port;
        let text = format!(
            "[client]\nuser=exporter\npassword={PASSWORD}\nhost=127.0.0.1\nport={port}\n{keys}\n"
        );
        fs::write(&path, text).unwrap();
        let flags = [format!("--config.my-cnf={}", path.display())];
        let exporter = Exporter::start(BINARY, &[&flags[0]], dir.path());
        Self { exporter, _dir: dir }
    }

    fn scrape(&self, seconds: &str) -> Answer {
        let stream = TcpStream::connect(("127.0.0.1", self.exporter.port)).unwrap();
        let headers = [("X-Prometheus-Scrape-Timeout-Seconds", seconds)];
        get(stream, "/metrics?collect[]=global_status", &headers).unwrap()
    }

    /// Scrapes, and asserts that the server counts as down. Returns the log.
    fn scrape_with_server_down(&self) -> String {
        let page = self.scrape("5");
        assert!(page.body.contains("\nmysql_up 0\n"), "{}", page.body);
        self.exporter.log()
    }

    /// Scrapes, and asserts that the server is up and the collector failed. Returns the log.
    fn scrape_with_failed_collector(&self) -> String {
        let page = self.scrape("5");
        assert!(page.body.contains("\nmysql_up 1\n"), "{}\n{}", page.body, self.exporter.log());
        let failed = "mysql_exporter_collector_success{collector=\"collect.global_status\"} 0";
        assert!(page.body.contains(failed), "{}", page.body);
        self.exporter.log()
    }

    /// The peak resident memory so far, in MiB.
    fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.exporter.pid());
        let status = fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() / 1024
    }
}

/// Responses that announce more data than they contain.
#[test]
fn announced_lengths_are_limited() {
    let huge = |prefix: &[u8]| [prefix, &(1_u64 << 40).to_le_bytes()].concat();
    let columns_only = |count: &[u8]| vec![count.to_vec()];
    let responses = [
        ("2^40 columns", columns_only(&huge(&[0xfe]))),
        ("65,535 columns", columns_only(&[0xfc, 0xff, 0xff])),
        ("no columns", columns_only(&[0xfc, 0, 0])),
        ("half a count", columns_only(&[0xfe, 1])),
        ("an empty packet", vec![Vec::new()]),
        (
            "a column's name of 2^40 bytes",
            vec![vec![1], [length_encoded_string("def"), huge(&[0xfe])].concat()],
        ),
        ("an empty column", vec![vec![1], Vec::new()]),
        (
            "a value of 2^40 bytes",
            vec![vec![1], column("a"), vec![0xfe, 0, 0, 2, 0], huge(&[1, b'a', 0xfe])],
        ),
        (
            "a value with half a length",
            vec![vec![1], column("a"), vec![0xfe, 0, 0, 2, 0], vec![0xfc, 1]],
        ),
        ("a row without values", vec![vec![1], column("a"), vec![0xfe, 0, 0, 2, 0], Vec::new()]),
        ("an error without a code", vec![vec![0xff]]),
    ];
    for (name, packets) in responses {
        let server = RogueServer::start(move |peer| {
            peer.log_in()?;
            peer.serve(|peer, _| packets.iter().try_for_each(|packet| peer.send(packet)))
        });
        let victim = Victim::start(&server, "");
        let log = victim.scrape_with_failed_collector();
        assert!(log.contains("global_status"), "{name}: {log}");
        assert_eq!(victim.exporter.get("/-/healthy").status, 200, "{name}");
    }
}

#[test]
fn greetings_are_validated() {
    let whole = greeting("mysql_native_password", CAPABILITIES);
    let mut greetings: Vec<_> = (0..whole.len()).map(|length| whole[..length].to_vec()).collect();
    greetings.extend([
        vec![9; 80],
        vec![0xff; 80],
        vec![0xff],
        greeting("mysql_native_password", 0),
        greeting(&"x".repeat(10_000), CAPABILITIES),
    ]);
    let server = RogueServer::start({
        let connections = std::sync::atomic::AtomicUsize::new(0);
        move |peer| {
            let index = connections.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let greeting = greetings.get(index % greetings.len()).cloned().unwrap_or_default();
            peer.send(&greeting)?;
            peer.read().map(drop)
        }
    });
    let victim = Victim::start(&server, "");
    for _ in 0..100 {
        let page = victim.scrape("1");
        assert!(page.body.contains("\nmysql_up 0\n"), "{}", page.body);
    }
}

/// With `parsec`, the server chooses the iterations of the password hash.
#[test]
fn the_iterations_of_a_password_hash_are_limited() {
    let server = RogueServer::start(|peer| {
        peer.greet("mysql_native_password")?;
        peer.switch("parsec", &[7; 32])?;
        let salt = [&[1, b'P', 20][..], &[1; 18]].concat();
        peer.send(&salt)?;
        peer.read().map(drop)
    });
    let mut victim = Victim::start(&server, "");
    let log = victim.scrape_with_server_down();
    assert!(log.contains("parsec"), "{log}");
    assert_eq!(victim.exporter.get("/-/healthy").status, 200);
    victim.exporter.signal("TERM");
    assert!(victim.exporter.wait(Duration::from_secs(20)).success());
}

#[test]
fn huge_keys_are_rejected() {
    for (bytes, problem) in [(10_000, "it sent more than"), (1100, "public key is not usable")] {
        let server =
            RogueServer::start(move |peer| request_encrypted_password(peer, &public_key(bytes)));
        let mut victim = Victim::start(&server, "get-server-public-key=true");
        let log = victim.scrape_with_server_down();
        assert!(log.contains(problem), "{log}");
        assert_eq!(victim.exporter.get("/-/healthy").status, 200);
        victim.exporter.signal("TERM");
        assert!(victim.exporter.wait(Duration::from_secs(20)).success());
    }
}

/// Without a configured key, the client does not encrypt the password with the key of the server.
#[test]
fn the_password_is_not_encrypted_for_an_unverified_key() {
    for plugin in ["caching_sha2_password", "sha256_password"] {
        let server = RogueServer::start(move |peer| {
            peer.greet("mysql_native_password")?;
            peer.switch(plugin, NONCE)?;
            if plugin == "caching_sha2_password" {
                peer.send(&[1, 4])?;
                peer.read()?;
            }
            peer.send(&[&[1][..], &public_key(256)].concat())?;
            peer.read().map(drop)
        });
        let log = Victim::start(&server, "").scrape_with_server_down();
        assert!(log.contains("get-server-public-key"), "{plugin}: {log}");
        let received = server.received();
        // The handshake response, and at most the response to the AuthSwitchRequest: a hash of the
        // password and the nonce.
        assert!(received.len() <= 2, "{plugin}: {received:?}");
        assert!(received.last().is_some_and(|packet| packet.len() <= 200), "{received:?}");
    }
}

/// Plugins that reveal a password are not used on a connection that others can read.
#[test]
fn the_password_is_not_sent_in_clear_text() {
    let plugins = ["mysql_clear_password", "dialog", "mysql_old_password", "auth_gssapi_client"];
    for plugin in plugins {
        let server = RogueServer::start(move |peer| {
            peer.greet(plugin)?;
            peer.switch(plugin, NONCE)?;
            peer.read().map(drop)
        });
        let log = Victim::start(&server, "").scrape_with_server_down();
        assert!(log.contains("collector failed"), "{plugin}: {log}");
        let received = server.received();
        assert_eq!(received.len(), 1, "{plugin}: only the login: {received:?}");
        let login = String::from_utf8_lossy(&received[0]);
        assert!(!login.contains(PASSWORD), "{plugin}: {login:?}");
    }
}

#[test]
fn endless_rows_are_limited() {
    let server = RogueServer::start(|peer| {
        peer.log_in()?;
        peer.serve(|peer, _| {
            peer.columns(&["Variable_name", "Value"])?;
            let value = "x".repeat(1000);
            loop {
                peer.row(&["Uptime", &value])?;
            }
        })
    });
    let victim = Victim::start(&server, "");
    let log = victim.scrape_with_failed_collector();
    assert!(log.contains("it sent more than 32 MiB"), "{log}");
    assert!(victim.peak_memory() < 128, "{} MiB", victim.peak_memory());
}

#[test]
fn endless_small_rows_are_limited() {
    let server = RogueServer::start(|peer| {
        peer.log_in()?;
        peer.serve(|peer, _| {
            peer.columns(&["Variable_name", "Value"])?;
            let mut rows = Vec::new();
            let start = peer.sequence();
            for index in 0..=255_u8 {
                rows.extend([2, 0, 0, start.wrapping_add(index), 0, 0]);
            }
            loop {
                peer.stream.write_all(&rows)?;
            }
        })
    });
    let victim = Victim::start(&server, "");
    let log = victim.scrape_with_failed_collector();
    assert!(log.contains("it sent more than 32 MiB"), "{log}");
    assert!(victim.peak_memory() < 128, "{} MiB", victim.peak_memory());
}

/// The server requests a file of the client.
#[test]
fn no_file_is_sent_to_the_server() {
    let server = RogueServer::start(|peer| {
        peer.log_in()?;
        peer.serve(|peer, _| {
            peer.send(b"\xfb/etc/passwd")?;
            peer.read().map(drop)
        })
    });
    let victim = Victim::start(&server, "");
    let log = victim.scrape_with_failed_collector();
    assert!(log.contains("asks for a file"), "{log}");
    let sent = server.received().concat();
    assert!(!String::from_utf8_lossy(&sent).contains("root:"), "a file was sent");
}

/// A payload of 16 MiB or more spans several packets.
#[test]
fn payloads_of_several_packets_are_limited() {
    for is_logged_in in [false, true] {
        let server = RogueServer::start(move |peer| {
            let flood = |peer: &mut Peer| {
                let payload = vec![b'x'; 0xff_ffff];
                for index in 0..=255_u8 {
                    let sequence = peer.sequence().wrapping_add(index);
                    peer.stream.write_all(&[0xff, 0xff, 0xff, sequence])?;
                    peer.stream.write_all(&payload)?;
                }
                Ok(())
            };
            if !is_logged_in {
                return flood(peer);
            }
            peer.log_in()?;
            peer.serve(|peer, _| {
                peer.columns(&["Variable_name", "Value"])?;
                flood(peer)
            })
        });
        let victim = Victim::start(&server, "");
        if is_logged_in {
            let log = victim.scrape_with_failed_collector();
            assert!(log.contains("it sent more than 32 MiB"), "{log}");
        } else {
            victim.scrape_with_server_down();
        }
        assert!(victim.peak_memory() < 128, "{} MiB", victim.peak_memory());
    }
}

/// Requests the password encrypted with `key`, as `caching_sha2_password` does.
fn request_encrypted_password(peer: &mut Peer, key: &[u8]) -> std::io::Result<()> {
    peer.greet("caching_sha2_password")?;
    peer.send(&[1, 4])?;
    peer.read()?;
    peer.send(&[&[1][..], key].concat())?;
    peer.read().map(drop)
}

/// An RSA public key with a modulus and an exponent of this many bytes, as PEM.
fn public_key(bytes: usize) -> Vec<u8> {
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_be_bytes();
        [&[tag, 0x84], &length[..], content].concat()
    }
    let number = der(2, &[&[0][..], &vec![0xff; bytes]].concat());
    let key = der(0x30, &[number.clone(), number].concat());
    let rsa = [0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let bits = der(3, &[&[0][..], &key].concat());
    let key = STANDARD.encode(der(0x30, &[&rsa[..], &bits].concat()));
    format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n").into_bytes()
}
