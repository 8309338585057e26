//! Graceful shutdown, and connections after a reload.

use super::*;
use crate::web::pki::Directory;

#[test]
fn shutdown_completes_requests_and_closes_idle_connections() {
    let mut server = start(|site| site.exporter = registry(&[&SLOW, &WORD]));
    let mut idle = server.connect();
    idle.send("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    idle.response();
    let mut silent = server.connect();
    let mut partial = server.connect();
    partial.send("GET / HT");
    let mut busy = server.connect();
    busy.send(SCRAPE);
    thread::sleep(Duration::from_millis(500));
    server.stop.take().unwrap().send(()).unwrap();
    let start = Instant::now();
    assert_eq!(idle.rest(), "");
    assert_eq!(silent.rest(), "");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(TcpStream::connect(server.address).is_err());
    let response = busy.rest();
    assert!(response.contains("\nword 1\n"), "{response}");
    assert_eq!(header(&response, "connection"), Some("close"));
    server.thread.take().unwrap().join().unwrap();
    assert!(start.elapsed() < MAX_WAIT, "{:?}", start.elapsed());
}

#[test]
fn shutdown_is_limited_in_time() {
    let server = start(|site| {
        site.limits.drain = Duration::from_millis(200);
        site.exporter = registry(&[&LARGE]);
    });
    let mut client = server.connect();
    client.send(SCRAPE);
    client.byte();
    let start = Instant::now();
    server.stop();
    assert!(start.elapsed() < MAX_WAIT);
}

#[test]
fn a_reload_closes_connections_after_their_response() {
    let directory = Directory::new();
    let file = directory.write("web.yml", "{}");
    let live = ConfigStore::load(Some(file)).unwrap();
    let server = start(|site| {
        site.enable_lifecycle = true;
        site.config = live;
        site.exporter = registry(&[&SLOW, &WORD]);
    });
    let mut idle = server.connect();
    idle.send("GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n");
    idle.response();
    let mut busy = server.connect();
    busy.send(SCRAPE);
    thread::sleep(Duration::from_millis(500));
    directory.write("web.yml", "http_server_config: {headers: {X-Frame-Options: deny}}");
    let post = "POST /-/reload HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&server.say(post)), "200");
    let (took, said) = idle.closed();
    assert!(took < MAX_WAIT && said.is_empty(), "{took:?} {said}");
    assert!(busy.rest().contains("\nword 1\n"));
}
