//! Listening sockets.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::{env, fs};

use super::*;

fn bind(address: &str) -> Result<Vec<Listener>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    Listener::bind(&[address.to_owned()]).map_err(|error| crate::collector::chain(&error))
}

#[test]
fn addresses_have_the_format_of_go() {
    for address in [":0", "127.0.0.1:0", "[::]:0", "localhost:0", "0.0.0.0:0"] {
        let port = bind(address).unwrap()[0].local_addr().unwrap().port();
        assert_ne!(port, 0, "{address}");
    }
    for address in [
        "",
        "9100",
        "localhost",
        "::1:9100",
        "[::1]",
        ":port",
        ":70000",
        "unix:x",
        "unix:/x,mode=9",
        "unix:/x,mode=7777",
    ] {
        let error = bind(address).unwrap_err();
        assert!(
            error.contains(&format!("--web.listen-address: invalid address {address:?}")),
            "{error}"
        );
    }
}

#[test]
fn an_address_without_host_listens_on_both_families() {
    let server = start_with(
        |_| {},
        |_, listeners| listeners.extend(Listener::bind(&[":0".to_owned()]).unwrap()),
    );
    let _ = server;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    let listener = Listener::bind(&[":0".to_owned()]).unwrap();
    let port = listener[0].local_addr().unwrap().port();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    if listener[0].local_addr().unwrap().is_ipv6() {
        assert!(TcpStream::connect(("::1", port)).is_ok());
    }
}

#[test]
fn an_address_in_use_is_named_in_the_error() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    let first = Listener::bind(&["127.0.0.1:0".to_owned()]).unwrap();
    let address = first[0].to_string();
    let error = Listener::bind(std::slice::from_ref(&address)).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {address}"));
}

#[test]
fn a_unix_socket_serves_and_a_stale_one_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("exporter.sock");
    // Left behind by a killed process.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let address = format!("unix:{},mode=0640", path.display());
    let again = address.clone();
    let server = start_with(
        |_| {},
        move |_, listeners| listeners.extend(Listener::bind(&[address]).unwrap()),
    );
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(get("/metrics", "").as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert!(response.contains("\nword 1\n"), "{response}");
    // A socket in use is not replaced.
    assert!(bind(&again).unwrap_err().contains("cannot listen on"));
    server.stop();
    assert!(!path.exists());
    fs::write(&path, "text").unwrap();
    assert!(bind(&again).unwrap_err().contains("there is a file, no socket"));
}

/// A server that accepts nothing: connecting to it would block.
#[test]
fn a_unix_socket_whose_queue_is_full_is_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("exporter.sock");
    let stuck = std::os::unix::net::UnixListener::bind(&path).unwrap();
    rustix::net::listen(&stuck, 0).unwrap();
    let waiting = UnixStream::connect(&path).unwrap();
    let address = format!("unix:{}", path.display());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(bind(&address).map(|_| ())));
    let error = told.recv_timeout(Duration::from_secs(10)).expect("does not hang").unwrap_err();
    assert!(error.contains("in use"), "{error}");
    drop(waiting);
}

#[test]
fn without_systemd_there_are_no_passed_sockets() {
    let error = Listener::from_systemd().unwrap_err();
    assert!(error.to_string().contains("no socket activation file descriptors found"));
}

/// The binary of this test, started with sockets as by systemd.
#[test]
#[expect(clippy::disallowed_methods, reason = "starts a process that is being tested")]
fn sockets_passed_by_systemd_are_served() {
    use std::process::{Command, Stdio};
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let activator = Command::new("systemd-socket-activate")
        .args(["--listen", &free.to_string()])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "web::tests::sockets::child_with_passed_sockets", "--ignored"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut activator) = activator else {
        return crate::testing::skip("no systemd-socket-activate");
    };
    let start = Instant::now();
    let stream = loop {
        match TcpStream::connect(free) {
            Ok(stream) => break stream,
            Err(error) => assert!(start.elapsed() < MAX_WAIT, "{error}"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    let mut client = Client::new(stream);
    client.send(get("/metrics", ""));
    let response = client.rest();
    assert!(response.contains("\nword 1\n"), "{response}");
    activator.wait().unwrap();
}

#[test]
#[ignore = "is started by another test"]
fn child_with_passed_sockets() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listeners = Listener::from_systemd().unwrap();
        assert_eq!(listeners.len(), 1);
        assert!(Listener::from_systemd().is_err(), "they can be had once");
        serve(Arc::new(site()), listeners, sleep(Duration::from_secs(3))).await;
    });
}
