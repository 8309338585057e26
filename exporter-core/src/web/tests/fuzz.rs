//! Invalid input on HTTP/1 and HTTP/2. The server responds or closes within its limits, sends only
//! HTTP, and serves the next client.
//!
//! `PROPTEST_CASES=1000000 cargo test -p exporter-core --lib fuzz` runs longer: a thousandth of
//! that number are the cases here, with 16 connections each. Failing input is kept in
//! `proptest-regressions/` and runs first from then on.

use std::sync::atomic::AtomicUsize;
use std::sync::{LazyLock, Once};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::http2::{PREFACE, frame, request, start_http2};
use super::*;

/// The inputs of one case, each on its own connection, at the same time.
const AT_ONCE: usize = 16;

/// Parts of requests, valid and not.
const PARTS: &[&[u8]] = &[
    b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"GET /metrics HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"GET /metrics?collect[]=word&collect[]=%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET ",
    b"/metrics",
    b" HTTP/1.1",
    b"\r\n",
    b"\r",
    b"\n",
    b"\r\n\r\n",
    b"Host: x\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n",
    b"Accept: application/openmetrics-text;q=1e9,\r\n",
    b"Accept-Encoding: gzip;q=\r\n",
    b"X-Prometheus-Scrape-Timeout-Seconds: 1e-300\r\n",
    b"Authorization: Basic ////\r\n",
    b" folded\r\n",
    b"0\r\n\r\n",
    b":",
    b"\0",
    b"\x80\xff",
    PREFACE,
];

fn short(site: &mut Site) {
    site.limits.header = Duration::from_millis(150);
    site.limits.idle = Duration::from_millis(300);
    site.limits.stall = Duration::from_millis(300);
}

fn config() -> ProptestConfig {
    let cases: Option<u32> = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or_default().div_ceil(1000).max(24))
}

/// Bytes, with pauses in between.
type Input = (Vec<u8>, Option<Index>);

fn http1_input() -> impl Strategy<Value = Input> {
    let part = prop_oneof![
        8 => select(PARTS).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..40),
        1 => (select(PARTS), 1..2000_usize).prop_map(|(part, times)| part.repeat(times)),
    ];
    let parts = vec(part, 1..8).prop_map(|parts| parts.concat());
    mutated(parts)
}

fn http2_input() -> impl Strategy<Value = Input> {
    let payload = prop_oneof![
        2 => Just(request("GET", "/metrics", &[])),
        1 => Just(request("POST", "/", &[("content-length", "-1"), ("te", "x")])),
        2 => select(vec![0_u32, 1, u32::MAX, 1 << 31]).prop_map(|n| n.to_be_bytes().to_vec()),
        1 => Just(vec![0; 8]),
        1 => Just(vec![0, 4, 0, 0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff]),
        2 => vec(any::<u8>(), 0..60),
    ];
    let kind = prop_oneof![4 => 0_u8..10, 1 => any::<u8>()];
    let flags = prop_oneof![3 => select(vec![0_u8, 1, 4, 5]), 1 => any::<u8>()];
    let frame = (kind, flags, select(vec![0_u32, 1, 2, 3, 5, 7, u32::MAX]), payload)
        .prop_map(|(kind, flags, stream, payload)| frame(kind, flags, stream, &payload));
    let input = (any::<bool>(), vec(frame, 0..30)).prop_map(|(has_settings, frames)| {
        let settings = if has_settings { http2::frame(4, 0, 0, &[]) } else { Vec::new() };
        [PREFACE.to_vec(), settings, frames.concat()].concat()
    });
    mutated(input)
}

/// Parts of requests, some with changed bytes.
fn mutated(input: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Input> {
    let changes = prop_oneof![2 => Just(Vec::new()), 1 => vec((any::<Index>(), any::<u8>()), 1..4)];
    let input = (input, changes).prop_map(|(mut bytes, changes)| {
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        bytes
    });
    (input, any::<Option<Index>>())
}

/// All bytes in response to each input until the server closes, as it has to.
fn responses(server: SocketAddr, inputs: &[Input]) -> Vec<Vec<u8>> {
    let clients: Vec<_> = inputs
        .iter()
        .map(|(bytes, pause)| {
            let mut client = Client::new(TcpStream::connect(server).unwrap());
            let (bytes, pause) = (bytes.clone(), *pause);
            thread::spawn(move || {
                let cut = pause.map_or(0, |pause| pause.index(bytes.len() + 1));
                let (first, rest) = bytes.split_at(cut);
                client.send(first);
                if pause.is_some() {
                    thread::sleep(Duration::from_millis(20));
                }
                client.send(rest);
                let mut response = Vec::new();
                match client.0.read_to_end(&mut response) {
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                    result => drop(result.expect("closed within the limits")),
                }
                response
            })
        })
        .collect();
    clients.into_iter().map(|client| client.join().unwrap()).collect()
}

/// The statuses of a sequence of complete responses.
fn statuses(mut response: &[u8]) -> Result<Vec<u16>, String> {
    let mut statuses = Vec::new();
    while !response.is_empty() {
        let end =
            response.windows(4).position(|end| end == b"\r\n\r\n").ok_or("an unfinished head")?;
        let head = str::from_utf8(&response[..end]).map_err(|error| error.to_string())?;
        let status: Option<u16> = head.get(9..12).and_then(|status| status.parse().ok());
        if !head.starts_with("HTTP/1.") || status.is_none() {
            return Err(format!("no status line: {head}"));
        }
        statuses.extend(status);
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(Ok(0), str::parse).map_err(|_| head.to_owned())?;
        response = response.get(end + 4 + length..).ok_or("an unfinished body")?;
    }
    Ok(statuses)
}

/// Whether the server serves others, and no task has panicked: the runtime would only end the
/// connection.
fn is_healthy(server: &Running) -> bool {
    PANICS.load(Ordering::Relaxed) == 0 && status(&server.say(get("/-/healthy", ""))) == "200"
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts panics from now on, except those of tests, some of which panic on purpose.
fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.location().is_some_and(|location| !location.file().contains("tests")) {
                PANICS.fetch_add(1, Ordering::Relaxed);
            }
            report(panic);
        }));
    });
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn fuzz_http1(inputs in vec(http1_input(), AT_ONCE)) {
        static SERVER: LazyLock<Running> = LazyLock::new(|| {
            count_panics();
            start(short)
        });
        for ((input, _), response) in inputs.iter().zip(responses(SERVER.address, &inputs)) {
            let shown = String::from_utf8_lossy(input).into_owned();
            let statuses = statuses(&response);
            prop_assert!(statuses.is_ok(), "{statuses:?} to {shown:?}");
            // Each response needs a request, which has at least the end of its line and of its
            // head.
            let served = statuses.unwrap().iter().filter(|status| **status == 200).count();
            let lines = input.iter().filter(|byte| **byte == b'\n').count();
            prop_assert!(served * 2 <= lines, "{served} responses to {shown:?}");
        }
        prop_assert!(is_healthy(&SERVER));
    }

    #[test]
    fn fuzz_http2(inputs in vec(http2_input(), AT_ONCE)) {
        static SERVER: LazyLock<(Running, SocketAddr)> = LazyLock::new(|| {
            count_panics();
            start_http2(short)
        });
        for response in responses(SERVER.1, &inputs) {
            let mut rest = &response[..];
            while let Some((head, after)) = rest.split_at_checked(9) {
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
                prop_assert!(length <= 16_384 && head[3] <= 9, "{head:?}");
                rest = after.get(length..).unwrap_or_default();
            }
        }
        prop_assert!(is_healthy(&SERVER.0));
    }
}
