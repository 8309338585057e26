//! Paths, methods and queries.

use std::fmt::Write as _;
use std::sync::Mutex;

use tracing::field::Field;

use super::*;
use crate::testing::subscribe;
use crate::web::pki::Directory;

#[test]
fn only_get_and_head_are_allowed() {
    let server = start(|_| {});
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        for path in ["/metrics", "/", "/-/healthy", "/nothing"] {
            let response = server
                .say(format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
            assert_eq!(status(&response), "405", "{response}");
            assert_eq!(header(&response, "allow"), Some("GET, HEAD"), "{response}");
        }
    }
    for target in ["CONNECT x:80", "OPTIONS *"] {
        let response =
            server.say(format!("{target} HTTP/1.1\r\nHost: x:80\r\nConnection: close\r\n\r\n"));
        assert_eq!(status(&response), "405", "{response}");
    }
}

#[test]
fn paths_match_exactly() {
    let server = start(|_| {});
    for (path, wanted) in [
        ("/metrics", "200"),
        ("/metrics?", "200"),
        ("/metrics?x", "200"),
        ("/", "200"),
        ("/-/healthy", "200"),
        ("/-/ready", "200"),
        ("//metrics", "404"),
        ("/metrics/", "404"),
        ("/metrics%2f", "404"),
        ("/x/../metrics", "404"),
        ("/%2e%2e/%2e%2e/etc/passwd", "404"),
        ("/%00", "404"),
        ("/debug/pprof/", "404"),
        ("/-/reload", "405"),
    ] {
        let response = server.say(get(path, ""));
        assert_eq!(status(&response), wanted, "{path}: {response}");
    }
}

#[test]
fn the_landing_page_lists_collectors_and_escapes_text() {
    let server = start(|site| {
        site.exporter = registry(&[&WORD, &SLOW]);
        site.telemetry_path = "/\"><script>".to_owned();
    });
    let before = server.say(get("/", ""));
    assert!(before.contains("0 fine, <span>0 failing</span>, 2 not run yet"), "{before}");
    server.say(get("/%22%3E%3Cscript%3E", ""));
    // A path that no client can request; the collectors run through another one.
    let server = start(|site| site.exporter = registry(&[&WORD, &SLOW]));
    server.say(get("/metrics", ""));
    let page = server.say(get("/", ""));
    assert_eq!(header(&page, "content-type"), Some("text/html; charset=utf-8"));
    for part in [
        "<title>test-exporter</title>",
        "Tests &lt;all&gt;",
        "1.2.3",
        "href=\"/metrics\"",
        "1 fine, <span class=\"failed\">1 failing</span></p>",
        "<td class=\"name\">word</td>",
        "Of &lt;tests&gt;",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ] {
        assert!(page.contains(part), "no {part}: {page}");
    }
    assert!(page.find(">slow<") < page.find(">word<"), "failures come first: {page}");
    for page in [before, page] {
        assert!(!page.contains("<script"), "{page}");
        assert!(header(&page, "content-security-policy").unwrap().contains("default-src 'none'"));
    }
}

#[test]
fn the_landing_page_shows_recent_scrapes() {
    let server = start(|site| site.exporter = registry(&[&LARGE]));
    assert!(!server.say(get("/", "")).contains("Recent scrapes"));
    let page = server.say(get("/metrics", ""));
    let series = page.lines().filter(|line| line.starts_with("large")).count();
    server.say(get("/metrics?collect[]=unknown", ""));
    let page = server.say(get("/", ""));
    assert!(page.contains("Recent scrapes") && page.contains("127.0.0.1"), "{page}");
    assert_eq!(page.matches("<rect").count(), 2, "{page}");
    let shown = page.split("<td class=\"number\">").filter_map(|cell| cell.split('<').next());
    let most = shown.filter_map(|cell| cell.parse::<usize>().ok()).max();
    assert!(most.is_some_and(|most| most >= series), "{most:?} {series}");
    assert!(page.contains("status 400"), "{page}");
}

#[test]
fn the_landing_page_finds_metrics() {
    let server = start(|site| site.exporter = registry(&[&WORD]));
    let page = server.say(get("/?search=WORD", ""));
    assert!(page.contains("<h3>word</h3>") && page.contains("word 1\n"), "{page}");
    assert!(page.contains("value=\"WORD\""), "{page}");
    let page = server.say(get("/?search=%22%3E%3Cscript", ""));
    assert!(page.contains("No metric matches.") && !page.contains("<script"), "{page}");
}

#[test]
fn metrics_may_be_at_the_root() {
    let server = start(|site| site.telemetry_path = "/".to_owned());
    assert!(server.say(get("/", "")).contains("\nword 1\n"));
    assert_eq!(status(&server.say(get("/metrics", ""))), "404");
}

#[test]
fn the_query_selects_collectors() {
    let server = start(|site| site.exporter = registry(&[&WORD, &LARGE]));
    let response = server.say(get("/metrics?collect[]=word", ""));
    assert!(response.contains("\nword 1\n") && !response.contains("large"), "{response}");
    let response = server.say(get("/metrics?exclude%5B%5D=large", ""));
    assert!(response.contains("\nword 1\n") && !response.contains("large"), "{response}");
    for query in ["collect[]=%3Cscript%3E", "collect[]=word&exclude[]=large"] {
        let response = server.say(get(&format!("/metrics?{query}"), ""));
        assert_eq!(status(&response), "400", "{response}");
        assert_eq!(header(&response, "content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(header(&response, "x-content-type-options"), Some("nosniff"));
    }
}

#[test]
fn pages_are_compressed_on_request() {
    use std::io::Read;
    for (registry, size) in [(registry(&[&WORD]), 300), (registry(&[&LARGE]), 8_000_000)] {
        let server = start(|site| site.exporter = registry);
        for (accept, coding) in [("gzip", "gzip"), ("gzip, zstd", "zstd")] {
            let mut client = server.connect();
            client.send(get("/metrics", &format!("Accept-Encoding: {accept}\r\n")));
            let mut response = Vec::new();
            client.0.read_to_end(&mut response).unwrap();
            let split = response.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
            let head = String::from_utf8_lossy(&response[..split]);
            assert_eq!(header(&head, "content-encoding"), Some(coding), "{head}");
            let body = &response[split..];
            let mut page = String::new();
            match coding {
                "gzip" => flate2::read::GzDecoder::new(body).read_to_string(&mut page).unwrap(),
                _ => zstd::Decoder::new(body).unwrap().read_to_string(&mut page).unwrap(),
            };
            assert!(page.len() > size, "{page}");
        }
    }
}

#[test]
fn reload_is_allowed_by_a_flag() {
    let server = start(|_| {});
    let post =
        "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&server.say(post)), "403");
    let server = start(|site| site.enable_lifecycle = true);
    assert_eq!(status(&server.say(post)), "200");
    assert_eq!(status(&server.say(post.replace("POST", "PUT"))), "200");
    let response = server.say(get("/-/reload", ""));
    assert_eq!(status(&response), "405");
    assert_eq!(header(&response, "allow"), Some("POST, PUT"));
}

#[test]
fn responses_are_counted() {
    let metrics = Arc::new(ServerMetrics::default());
    let (seen, live) = (Arc::clone(&metrics), ConfigStore::load(None).unwrap());
    let server = start(|site| site.metrics = metrics);
    server.say(get("/metrics", ""));
    server.say(get("/metrics?collect[]=x", ""));
    server.say(get("/nothing", ""));
    server.say("GET / HTTP/1.1\r\n\r\n");
    let (format, escaping) = Default::default();
    let mut families = Families::new(format, escaping);
    seen.write(&mut families, &live);
    let (page, _) = crate::exposition::join(&[families], format, escaping);
    let page = String::from_utf8(page).unwrap();
    for line in [
        "promhttp_metric_handler_requests_total{code=\"200\"} 1\n",
        "promhttp_metric_handler_requests_total{code=\"400\"} 1\n",
        "promhttp_metric_handler_requests_total{code=\"500\"} 0\n",
        "promhttp_metric_handler_requests_total{code=\"503\"} 0\n",
        "promhttp_metric_handler_requests_in_flight 0\n",
        "exporter_http_requests_total{code=\"400\"} 2\n",
        "exporter_http_requests_total{code=\"404\"} 1\n",
        "exporter_tls_handshakes_refused_total{reason=\"plain_http\"} 0\n",
        "exporter_config_last_reload_successful 1\n",
    ] {
        assert!(page.contains(line), "no {line}: {page}");
    }
}

#[test]
fn each_request_is_logged_at_the_debug_level() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Log(Arc::clone(&lines));
    let directory = Directory::new();
    let users =
        "basic_auth_users:\n  a: $2y$10$abcdefghijklmnopqrstuu6ppr/Iu.c1wGt1i1l2B1NaNNnoplJCK\n";
    let live = ConfigStore::load(Some(directory.write("web.yml", users))).unwrap();
    let server = start(|site| {
        // The subscriber of this thread, which is that of the server.
        std::mem::forget(subscribe(log));
        site.config = live;
    });
    server.say(get("/-/healthy?token=secret", "Authorization: Basic YTox\r\n"));
    server.say(get("/nothing", ""));
    for _ in 0..3 {
        let response = server.say(get("/", "Authorization: Basic YTo=\r\n"));
        assert!(response.ends_with("The user name or password is wrong.\n"), "{response}");
    }
    let lines = lines.lock().unwrap().join("\n");
    for (part, count) in [
        (
            "peer=127.0.0.1 certificate=\"\" user=\"a\" method=GET path=\"/-/healthy\" status=200 bytes=3 ",
            1,
        ),
        ("user=\"\" method=GET path=\"/nothing\" status=401 bytes=37 ", 1),
        ("duration=", 5),
        // Not for each request.
        (
            "message=login refused peer=127.0.0.1 reason=\"no user name and password sent\" more=0 ",
            1,
        ),
        (
            "message=login refused peer=127.0.0.1 reason=\"unknown user or wrong password\" more=0 ",
            1,
        ),
        ("secret", 0),
        ("YTox", 0),
    ] {
        assert_eq!(lines.matches(part).count(), count, "{part} in {lines}");
    }
}

/// Records the fields of each event at the debug level.
struct Log(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("exporter_core")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = String::new();
        event.record(&mut |field: &Field, value: &dyn std::fmt::Debug| {
            write!(line, "{field}={value:?} ").unwrap();
        });
        self.0.lock().unwrap().push(line);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
