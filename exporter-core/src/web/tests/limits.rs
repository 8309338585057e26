//! Limits on scrapes, connections, unsent responses and file descriptors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::web::pki::Directory;

#[test]
fn scrapes_in_progress_are_limited() {
    let server = start(|site| {
        site.limits.requests = 2;
        site.exporter = registry(&[&SLOW]);
    });
    let mut clients: Vec<_> = (0..8).map(|_| server.connect()).collect();
    // Scrapes in different formats share no collection. The second half joins the first.
    let formats = [
        "text/plain;version=0.0.4",
        "text/plain;version=1.0.0",
        "application/openmetrics-text",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    ];
    for (client, format) in clients.iter_mut().zip(formats.iter().cycle()) {
        client.send(format!("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: {format}\r\n\r\n"));
    }
    let mut statuses: Vec<_> = clients
        .iter_mut()
        .map(|client| {
            let response = client.response();
            if status(&response) == "503" {
                assert_eq!(header(&response, "retry-after"), Some("1"));
            }
            status(&response).to_owned()
        })
        .collect();
    statuses.sort();
    assert_eq!(statuses, ["200", "200", "200", "200", "503", "503", "503", "503"]);
    // There is room again.
    assert_eq!(status(&server.say(get("/metrics", ""))), "200");
}

#[test]
fn the_longest_idle_connection_is_evicted() {
    let server = start(|site| site.limits.connections = 4);
    let mut clients: Vec<_> = (0..4)
        .map(|_| {
            let mut client = server.connect();
            client.send(SCRAPE);
            client.response();
            client
        })
        .collect();
    // The first one is used again, so that the second one is the longest idle.
    clients[0].send(SCRAPE);
    clients[0].response();
    for wanted in [1, 2, 3] {
        let response = server.say(get("/metrics", ""));
        assert_eq!(status(&response), "200");
        let (took, _) = clients[wanted].closed();
        assert!(took < MAX_WAIT);
        // Take the place of the connection that was closed.
        let mut client = server.connect();
        client.send(SCRAPE);
        client.response();
        clients.push(client);
    }
    clients[0].send(SCRAPE);
    assert_eq!(status(&clients[0].response()), "200");
}

#[test]
fn a_flood_of_connections_does_not_block_scrapes() {
    let server = start(|site| site.limits.connections = 16);
    let mut scraper = server.connect();
    let flood: Vec<_> = (0..200).map(|_| server.connect()).collect();
    scraper.send(SCRAPE);
    // The first connection may have been evicted; a new one is admitted.
    let mut scraper = server.connect();
    scraper.send(SCRAPE);
    assert_eq!(status(&scraper.response()), "200");
    assert!(server.metrics.connections.load(Ordering::Relaxed) <= 32);
    drop(flood);
}

/// Requests with wrong passwords keep their connections busy, and must not block others.
#[test]
fn unauthenticated_connections_are_evicted_first() {
    let directory = Directory::new();
    let file = directory.write("web.yml", USERS);
    let live = ConfigStore::load(Some(file)).unwrap();
    let server = start(|site| {
        site.config = live;
        site.limits.connections = 16;
    });
    let right = get("/metrics", "Authorization: Basic YTox\r\n");
    assert_eq!(status(&server.say(&right)), "200");
    let mut flood = Vec::new();
    for n in 0..40 {
        let mut client = server.connect_from([127, 0, 0, 2]);
        let login = STANDARD.encode(format!("user {n}:wrong"));
        client.send(get("/metrics", &format!("Authorization: Basic {login}\r\n")));
        flood.push(client);
        // The server responds to each before the next one begins.
        thread::sleep(Duration::from_millis(10));
    }
    for _ in 0..5 {
        let response = server.say(&right);
        assert_eq!(status(&response), "200", "{response}");
    }
    assert!(server.metrics.evictions(Eviction::ConnectionLimit) > 0);
}

/// User `a`, password `1`; the cost makes wrong passwords wait.
const USERS: &str =
    "basic_auth_users:\n  a: $2y$10$abcdefghijklmnopqrstuu6ppr/Iu.c1wGt1i1l2B1NaNNnoplJCK\n";

/// Clients must not be able to block a scraper through the rate limit.
#[test]
fn unauthenticated_requests_have_their_own_rate_limit() {
    let directory = Directory::new();
    let limited = format!("{USERS}rate_limit:\n  interval: 1h\n  burst: 4\n");
    let live = ConfigStore::load(Some(directory.write("web.yml", &limited))).unwrap();
    let server = start(|site| site.config = live);
    let right = get("/metrics", "Authorization: Basic YTox\r\n");
    assert_eq!(status(&server.say(&right)), "200");
    let flood: Vec<_> = (0..10).map(|_| server.say(get("/metrics", ""))).collect();
    let statuses: Vec<_> = flood.iter().map(|response| status(response)).collect();
    assert_eq!(&statuses[..3], ["401"; 3], "{statuses:?}");
    assert_eq!(&statuses[4..], ["429"; 6], "{statuses:?}");
    // Authenticated requests have their own limit.
    let statuses: Vec<_> = (0..6).map(|_| status(&server.say(&right)).to_owned()).collect();
    assert_eq!(statuses, ["200", "200", "200", "200", "429", "429"]);
}

/// Socket buffers with unread responses count as memory of the service.
#[test]
#[expect(clippy::disallowed_methods, reason = "reads the buffers of the kernel")]
fn the_socket_buffer_of_an_unread_response_is_small() {
    let server = start(|site| site.exporter = registry(&[&LARGE]));
    let mut client = server.connect();
    rustix::net::sockopt::set_socket_recv_buffer_size(&client.0, 4096).unwrap();
    client.send(SCRAPE);
    client.byte();
    thread::sleep(Duration::from_millis(300));
    assert!(rustix::io::ioctl_fionread(&client.0).unwrap() > 0);
    // `sl local_address rem_address st tx_queue:rx_queue ...`, in hexadecimal numbers.
    let port = |address: SocketAddr| format!(":{:04X}", address.port());
    let ends = [port(server.address), port(client.0.local_addr().unwrap())];
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let queued = table.lines().find_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let is_it = words[1].ends_with(&ends[0]) && words[2].ends_with(&ends[1]);
        is_it.then(|| u64::from_str_radix(&words[4][..8], 16).unwrap())
    });
    let queued = queued.unwrap();
    assert!(queued > 0 && queued < 600_000, "{queued} bytes");
}

/// Unread responses use memory.
#[test]
fn clients_that_hold_too_many_unsent_bytes_are_disconnected() {
    let server = start(|site| site.exporter = registry(&[&LARGE]));
    let mut clients: Vec<_> = (0..12)
        .map(|_| {
            let mut client = server.connect_from([127, 0, 0, 2]);
            rustix::net::sockopt::set_socket_recv_buffer_size(&client.0, 4096).unwrap();
            client.send(SCRAPE);
            // Not at the same time, since they would share one response.
            client.byte();
            client
        })
        .collect();
    let start = Instant::now();
    while server.metrics.connections.load(Ordering::Relaxed) > 4 {
        assert!(start.elapsed() < Duration::from_secs(15));
        thread::sleep(Duration::from_millis(10));
    }
    assert!(server.metrics.evictions(Eviction::UnsentResponses) >= 8);
    // Others are served as before.
    assert!(server.say(get("/metrics", "")).len() > 9_000_000);
    clients.clear();
}

/// In another process, with its own limits.
#[test]
#[expect(clippy::disallowed_methods, reason = "starts a process that is being tested")]
fn running_out_of_file_descriptors_does_not_block_scrapes() {
    use std::io::BufRead;
    use std::process::{Command, Stdio};
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "web::tests::limits::with_few_descriptors", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = io::BufReader::new(server.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let address = lines.find_map(|line| {
        line.split("address ").nth(1).map(|address| address.parse::<SocketAddr>().unwrap())
    });
    let address = address.unwrap();
    let flood: Vec<_> = (0..60).map(|_| TcpStream::connect(address).unwrap()).collect();
    let mut scraper = Client::new(TcpStream::connect(address).unwrap());
    scraper.send(get("/metrics", ""));
    let response = scraper.rest();
    assert!(response.contains("\nword 1\n"), "{response}");
    drop((flood, server.stdin.take()));
    lines.for_each(drop);
    assert!(server.wait().unwrap().success());
}

#[test]
#[ignore = "is started by another test"]
#[expect(clippy::print_stdout, reason = "how the other test learns of the port")]
fn with_few_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let server = start(|_| {});
    let metrics = Arc::clone(&server.metrics);
    // Start the thread of the collectors and its pipes first.
    server.say(get("/metrics", ""));
    let used = std::fs::File::open("/dev/null").unwrap();
    let next = u64::try_from(std::os::fd::AsRawFd::as_raw_fd(&used)).unwrap();
    let limit = Rlimit { current: Some(next + 6), maximum: getrlimit(Resource::Nofile).maximum };
    drop(used);
    setrlimit(Resource::Nofile, limit).unwrap();
    println!("address {}", server.address);
    let start = Instant::now();
    while metrics.accept_failures.load(Ordering::Relaxed) == 0 {
        assert!(start.elapsed() < MAX_WAIT, "accepting never failed");
        thread::sleep(Duration::from_millis(10));
    }
    // Wait until the other test has its response.
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
    server.stop();
}
