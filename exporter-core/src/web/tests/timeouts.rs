//! Time limits of a connection: header, idle, stalled reader.

use super::*;

/// Limits short enough to wait for, and different enough to tell apart.
fn short(site: &mut Site) {
    site.limits.header = Duration::from_secs(1);
    site.limits.idle = Duration::from_secs(10);
    site.limits.stall = Duration::from_secs(10);
}

fn around(took: Duration, wanted: u64) -> bool {
    let wanted = Duration::from_millis(wanted);
    // A busy machine may be slow, but not as slow as the next limit.
    took + Duration::from_millis(50) >= wanted && took < wanted + Duration::from_secs(8)
}

#[test]
fn a_silent_connection_is_closed() {
    let server = start(short);
    let (took, said) = server.connect().closed();
    assert!(around(took, 1000), "{took:?}");
    assert_eq!(said, "");
}

#[test]
fn a_header_sent_byte_by_byte_has_to_end_within_the_limit() {
    let server = start(short);
    let mut client = server.connect();
    client.send("GET /metrics HTTP/1.1\r\n");
    let mut drip = client.0.try_clone().unwrap();
    thread::spawn(move || {
        while drip.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let (took, said) = client.closed();
    assert!(around(took, 1000), "{took:?}");
    assert!(!said.contains("HTTP"), "{said}");
}

#[test]
fn an_idle_connection_outlives_the_header_limit() {
    let server = start(short);
    let mut client = server.connect();
    for _ in 0..2 {
        client.send(SCRAPE);
        assert_eq!(status(&client.response()), "200");
        thread::sleep(Duration::from_millis(1500));
    }
    client.send(SCRAPE);
    assert_eq!(status(&client.response()), "200");
    let (took, _) = client.closed();
    assert!(around(took, 10_000), "{took:?}");
}

#[test]
fn the_next_header_on_a_connection_has_its_own_limit() {
    let server = start(short);
    let mut client = server.connect();
    client.send(SCRAPE);
    assert_eq!(status(&client.response()), "200");
    thread::sleep(Duration::from_millis(100));
    client.send("GET /");
    let (took, _) = client.closed();
    assert!(around(took, 1000), "{took:?}");
}

/// A request that begins early has no more time than others.
#[test]
fn a_partial_pipelined_request_has_the_header_limit() {
    let server = start(short);
    let mut client = server.connect();
    client.send(format!("{SCRAPE}GET /"));
    assert_eq!(status(&client.response()), "200");
    let (took, _) = client.closed();
    assert!(around(took, 300), "{took:?}");
}

#[test]
fn a_slow_collector_does_not_time_out_the_client() {
    let server = start(|site| {
        short(site);
        site.exporter = registry(&[&SLOW, &WORD]);
    });
    let response = server.say(get("/metrics", ""));
    assert!(response.contains("\nword 1\n"), "{response}");
}

#[test]
fn a_client_that_does_not_read_is_disconnected() {
    let server = start(|site| {
        short(site);
        site.exporter = registry(&[&LARGE]);
    });
    let mut client = server.connect();
    // Otherwise the kernel would buffer the whole response.
    rustix::net::sockopt::set_socket_recv_buffer_size(&client.0, 4096).unwrap();
    client.send(SCRAPE);
    let start = Instant::now();
    while server.metrics.connections.load(Ordering::Relaxed) > 0 {
        assert!(start.elapsed() < MAX_WAIT);
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_slow_but_steady_client_receives_the_whole_page() {
    let server = start(|site| {
        site.limits.stall = Duration::from_secs(2);
        site.exporter = registry(&[&LARGE]);
    });
    let mut client = server.connect();
    client.send(get("/metrics", ""));
    // At least nine reads, and so more than twice the limit.
    let mut buffer = vec![0; 1_000_000];
    let mut total = 0;
    let start = Instant::now();
    loop {
        let read = client.0.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        total += read;
        thread::sleep(Duration::from_millis(500));
    }
    assert!(total > 9_000_000, "{total}");
    assert!(start.elapsed() > Duration::from_secs(4), "{:?}", start.elapsed());
}
