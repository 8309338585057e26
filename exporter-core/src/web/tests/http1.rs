//! Valid and invalid requests on HTTP/1.

use super::*;

#[test]
fn a_scrape_is_answered() {
    let server = start(|_| {});
    let response = server.say(get("/metrics", ""));
    assert_eq!(status(&response), "200");
    assert!(body(&response).contains("\nword 1\n"), "{response}");
    assert!(header(&response, "content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    assert_eq!(header(&response, "vary"), Some("Accept, Accept-Encoding"));
    server.stop();
}

#[test]
fn requests_may_be_pipelined() {
    let server = start(|_| {});
    let mut client = server.connect();
    for _ in 0..3 {
        client.send(SCRAPE);
        assert_eq!(status(&client.response()), "200");
    }
    client.send(SCRAPE.repeat(5));
    for _ in 0..5 {
        assert_eq!(status(&client.response()), "200");
    }
    // In two pieces: the first contains the beginning of the second request.
    let (first, second) = SCRAPE.split_at(20);
    client.send(format!("{SCRAPE}{first}"));
    assert_eq!(status(&client.response()), "200");
    client.send(second);
    assert_eq!(status(&client.response()), "200");
}

#[test]
fn a_client_may_half_close_after_its_request() {
    let server = start(|site| site.exporter = registry(&[&SLOW, &WORD]));
    let mut client = server.connect();
    client.send(SCRAPE);
    client.0.shutdown(std::net::Shutdown::Write).unwrap();
    let response = client.rest();
    assert!(response.contains("\nword 1\n"), "{response}");
}

#[test]
fn head_responses_have_a_length_and_no_body() {
    let server = start(|_| {});
    let mut client = server.connect();
    for path in ["/metrics", "/", "/-/healthy", "/nothing"] {
        client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let full = client.response();
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(client.byte().unwrap());
        }
        assert_eq!(status(&head), status(&full));
        assert_eq!(header(&head, "content-type"), header(&full, "content-type"));
        let length =
            |response| header(response, "content-length").unwrap().parse::<usize>().unwrap();
        // The durations differ in their digits.
        assert!(length(&head).abs_diff(length(&full)) < 50, "{head}");
    }
}

/// Requests that servers have interpreted differently, with the expected status.
#[test]
fn invalid_requests_are_rejected_and_end_the_connection() {
    let server = start(|_| {});
    let long = "x".repeat(1_100_000);
    let many: String = (0..10_000).map(|n| format!("x{n}: y\r\n")).collect();
    let hundred: String = (0..100).map(|n| format!("x{n}: y\r\n")).collect();
    let large = "y".repeat(34_000);
    let query = "q".repeat(64 * 1024);
    let names: String = (0..10_000).map(|n| format!("name[]={n}&")).collect();
    for (request, wanted) in [
        // Two lengths, or an ambiguous one.
        (
            "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
            "400",
        ),
        (
            "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
            "400",
        ),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 0\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
        // A body.
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd", "413"),
        (
            "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nabcd",
            "413",
        ),
        // Hosts.
        ("GET /metrics HTTP/1.1\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", "400"),
        // Syntax.
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost : x\r\n\r\n", "400"),
        ("GET /metrics HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", "400"),
        ("GET /metrics\r\n\r\n", "400"),
        ("GET /metrics HTTP/2.0\r\nHost: x\r\n\r\n", "400"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
        ("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
        ("\x16\x03\x01\x02\0\x01\0\x01\r\n\r\n", "400"),
        // Size.
        (&format!("GET /metrics HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n"), "431"),
        (&format!("GET /metrics HTTP/1.1\r\nHost: x\r\nX: {large}\r\n\r\n"), "431"),
        (&format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{many}\r\n"), "431"),
        (&format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{hundred}\r\n"), "431"),
        (&format!("GET /metrics?{query} HTTP/1.1\r\nHost: x\r\n\r\n"), "414"),
        (&format!("GET /metrics?{names} HTTP/1.1\r\nHost: x\r\n\r\n"), "431"),
        (&format!("GET /metrics?{} HTTP/1.1\r\nHost: x\r\n\r\n", &names[..9000]), "414"),
    ] {
        let response = server.say(format!("{request}GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"));
        let shown = request.get(..120).unwrap_or(request);
        assert_eq!(status(&response), wanted, "{shown}: {response}");
        assert!(response.matches("HTTP/1.1 ").count() <= 1, "{shown}: {response}");
    }
    server.stop();
}

#[test]
fn unusual_but_valid_requests_are_served() {
    let server = start(|_| {});
    let ninety: String = (0..90).map(|n| format!("x{n}: y\r\n")).collect();
    let large = "y".repeat(30_000);
    for request in [
        "GET /metrics HTTP/1.0\r\n\r\n",
        "GET /metrics HTTP/1.0\r\nHost: x\r\n\r\n",
        "GET http://x/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /metrics HTTP/1.1\nHost: x\nConnection: close\n\n",
        "\r\nGET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nHTTP2-WebConfig: AAMAAABkAAQAAP__\r\nConnection: upgrade, http2-settings, close\r\n\r\n",
        &get("/metrics", &ninety),
        &get("/metrics", &format!("X: {large}\r\n")),
    ] {
        let response = server.say(request);
        assert_eq!(status(&response), "200", "{request}: {response}");
    }
    server.stop();
}
