//! Servers that respond correctly, late, partially, with garbage, or never.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread::{self, JoinHandle};

use exporter_core::testing;

use super::*;
use crate::scratch::Scratch;

fn process(name: &str, state: i64, start: i64) -> String {
    let member = |name: &str, value: &str| {
        format!("<member><name>{name}</name><value>{value}</value></member>")
    };
    let text = |text: &str| format!("<string>{text}</string>");
    let number = |number: i64| format!("<int>{number}</int>");
    format!(
        "<value><struct>{}{}{}{}{}{}</struct></value>\n",
        member("name", &text(name)),
        member("group", &text("web")),
        member("start", &number(start)),
        member("state", &number(state)),
        member("statename", &text("X")),
        member("exitstatus", &number(if state == 100 { 3 } else { 0 })),
    )
}

fn response() -> String {
    let processes = process("nginx", 20, 1_700_000_000) + &process("cron", 100, 1_600_000_000);
    let body = format!(
        "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n\
         {processes}</data></array></value>\n</param>\n</params>\n</methodResponse>\n"
    );
    format!(
        "HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads a request, and then calls `then` with the connection.
fn serve<C: Read + Write>(mut connection: C, then: impl FnOnce(&mut C)) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"</methodCall>") && connection.read(&mut byte).unwrap_or(0) == 1 {
        request.extend(byte);
    }
    then(&mut connection);
}

/// A server for one request, and its URL.
fn server(
    then: impl FnOnce(&mut std::net::TcpStream) + Send + 'static,
) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://me:secret@{}/RPC2", listener.local_addr().unwrap());
    (url, thread::spawn(move || serve(listener.accept().unwrap().0, then)))
}

fn collected(url: &str) -> Result<String, String> {
    let (page, result) = testing::collect(&mut Supervisord(Endpoint::parse(url).unwrap()));
    result.map(|()| page).map_err(|error| error.to_string())
}

fn expected(page: &str) {
    let samples: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        samples,
        [
            "node_supervisord_up{name=\"nginx\",group=\"web\"} 1",
            "node_supervisord_up{name=\"cron\",group=\"web\"} 0",
            "node_supervisord_state{name=\"nginx\",group=\"web\"} 20",
            "node_supervisord_state{name=\"cron\",group=\"web\"} 100",
            "node_supervisord_exit_status{name=\"nginx\",group=\"web\"} 0",
            "node_supervisord_exit_status{name=\"cron\",group=\"web\"} 3",
            "node_supervisord_start_time_seconds{name=\"nginx\",group=\"web\"} 1.7e+09",
        ]
    );
}

#[test]
fn over_tcp() {
    let (url, server) = server(|connection| connection.write_all(response().as_bytes()).unwrap());
    expected(&collected(&url).unwrap());
    server.join().unwrap();
}

#[test]
fn over_a_unix_socket() {
    let directory = Scratch::new();
    let path = directory.path().join("supervisor.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let server = thread::spawn(move || {
        let then = |connection: &mut std::os::unix::net::UnixStream| {
            connection.write_all(response().as_bytes()).unwrap();
        };
        serve(listener.accept().unwrap().0, then);
    });
    expected(&collected(&format!("unix://{}", path.display())).unwrap());
    server.join().unwrap();
}

#[test]
fn errors_do_not_show_the_password() {
    type Then = fn(&mut std::net::TcpStream);
    for (then, problem) in [
        ((|_| ()) as Then, "no HTTP answer"),
        (|connection| connection.write_all(&[0xff; 100]).unwrap(), "no HTTP answer"),
        (
            |connection| {
                let response = response();
                connection.write_all(&response.as_bytes()[..response.len() / 2]).unwrap();
            },
            "an answer that is cut off",
        ),
        (
            |connection| connection.write_all(b"HTTP/1.0 401 Unauthorized\r\n\r\n").unwrap(),
            "it wants a password",
        ),
        (|connection| while connection.write_all(&[b'x'; 1 << 12]).is_ok() {}, "no HTTP answer"),
        (
            |connection| {
                connection.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
                while connection.write_all(&[b'x'; 1 << 12]).is_ok() {}
            },
            "its answer has no end",
        ),
    ] {
        let (url, server) = server(then);
        let error = collected(&url).unwrap_err();
        assert!(error.contains(problem) && !error.contains("secret"), "{error}");
        server.join().unwrap();
    }
}

#[test]
fn a_server_that_never_responds_times_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/RPC2", listener.local_addr().unwrap());
    let error =
        Endpoint::parse(&url).unwrap().call(processes::REQUEST_BODY, Duration::from_millis(200));
    assert_eq!(error.unwrap_err().to_string(), "no reply in time");
    // Nor one that responds byte by byte.
    let (url, server) = server(|connection| {
        while connection.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let error =
        Endpoint::parse(&url).unwrap().call(processes::REQUEST_BODY, Duration::from_millis(200));
    assert_eq!(error.unwrap_err().to_string(), "no reply in time");
    server.join().unwrap();
}
