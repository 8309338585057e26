//! Concurrent scrapers, and the program besides its metrics.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use exporter_core::testing::{mutual_tls, until};
use fake_cloudwatch::{Fake, Fault, Model, Operation, Values};

use super::fixture::{BINARY, Fixture, cpu_and_peak_memory, environment, rule, samples, value};

/// 20 metrics in 500 dimension sets, five statistics of each.
fn park() -> (Model, String) {
    let model = Model::new().grid("Park", 20, 500, &Values::Samples(vec![1.0, 2.0, 3.0]));
    let of = |n| rule("Park", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..20).map(of).collect();
    (model, format!("metrics:\n{rules}"))
}

/// The number of metrics determines the operation: far beyond the free requests, so
/// `GetMetricData`, with each metric billed once.
#[test]
#[expect(clippy::print_stderr, reason = "the figures are worth reading")]
fn a_large_park_costs_what_it_must() {
    let (model, config) = park();
    let fixture = Fixture::new(model, &format!("period_seconds: 300\n{config}"));
    let page = fixture.page();
    assert_eq!(samples(&page, "park_metric").len(), 50_000);
    let counters = fixture.fake.counters();
    assert_eq!(counters.get_metric_data.received, 100);
    assert_eq!(counters.get_metric_data.billed, 10_000);
    assert_eq!(counters.queries, 50_000);
    assert_eq!(counters.list_metrics.received, 20);
    assert_eq!(counters.get_metric_statistics.received, 0);
    assert!(counters.most_at_once <= 8, "{}", counters.most_at_once);
    let units = "cloudwatch_billed_units_total{action=\"getMetricData\",namespace=\"Park\"}";
    assert_eq!(value(&page, units), 10_000.0);
    let requests = "cloudwatch_requests_total{action=\"getMetricData\",namespace=\"Park\"}";
    assert_eq!(value(&page, requests), 100.0);
    let dollars = |counting: &str| {
        value(&page, &format!("cloudwatch_estimated_cost_dollars_total{{counting=\"{counting}\"}}"))
    };
    assert!((dollars("five_statistics") - 0.1002).abs() < 1e-9);
    assert!((dollars("query") - 0.5002).abs() < 1e-9);
    let (cpu, memory) = cpu_and_peak_memory(fixture.exporter.pid());
    eprintln!("50,000 series: {cpu:.2} CPU seconds, {memory:.1} MiB at most");
    if !cfg!(debug_assertions) {
        assert!(memory < 60.0, "{memory} MiB");
    }
}

/// Concurrent scrapes share a fetch, and later ones use its results, in any format.
#[test]
fn scrapes_share_fetched_results() {
    let model = Model::new().grid("Park", 2, 10, &Values::Constant(1.0));
    let of = |n| rule("Park", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..2).map(of).collect();
    let config = format!("period_seconds: 3600\nrange_seconds: 7200\nmetrics:\n{rules}");
    let fixture = Fixture::with(model, &config, &["--collector.timeout=100s"], &[]);
    fixture.fake.inject(Fault::delay(Duration::from_secs(2)));
    let pages: Vec<_> = thread::scope(|scope| {
        let scrapes: Vec<_> = (0..6).map(|_| scope.spawn(|| fixture.page())).collect();
        scrapes.into_iter().map(|scrape| scrape.join().unwrap()).collect()
    });
    for page in &pages {
        assert_eq!(samples(page, "park_metric").len(), 100);
    }
    let counters = fixture.fake.counters();
    assert_eq!(counters.list_metrics.received, 2);
    assert_eq!(counters.get_metric_statistics.received, 20);
    assert_eq!(counters.most_at_once, 8, "calls under way at once");
    assert_eq!(value(&fixture.page(), "cloudwatch_exporter_fetches_total"), 1.0);
    assert_eq!(fixture.fake.counters().received(), counters.received());
}

/// A scrape that ends before AWS responds is served in time, and the next one has the results.
#[test]
fn a_scrape_ends_before_its_timeout() {
    // Longer than a scrape may take, and shorter than an attempt.
    const DELAY: Duration = Duration::from_secs(6);
    let model = Model::new().grid("Park", 1, 3, &Values::Constant(1.0));
    let rule = rule("Park", "Metric0", "  aws_dimensions: [Id]\n");
    let config = format!("period_seconds: 3600\nrange_seconds: 7200\nmetrics:\n{rule}");
    let fixture = Fixture::with(model, &config, &["--collector.timeout=1s"], &[]);
    fixture.fake.inject(Fault::delay(DELAY).on(Operation::ListMetrics));
    let start = Instant::now();
    let page = fixture.page();
    assert!(start.elapsed() < DELAY, "{:?}", start.elapsed());
    assert_eq!(value(&page, "cloudwatch_exporter_scrape_error "), 1.0);
    assert_eq!(value(&page, "cloudwatch_exporter_collector_success"), 0.0);
    assert!(samples(&page, "park_").is_empty());
    let mut page = page;
    until(
        || {
            page = fixture.page();
            value(&page, "cloudwatch_exporter_scrape_error ") == 0.0
        },
        || fixture.exporter.log(),
    );
    assert_eq!(samples(&page, "park_").len(), 15);
    assert_eq!(fixture.received(Operation::ListMetrics), 1);
}

/// `name[]` of the query, as the Java exporter has it.
#[test]
fn families_are_selected_by_name() {
    let model = Model::new().grid("Park", 2, 3, &Values::Constant(1.0));
    let of = |n| rule("Park", &format!("Metric{n}"), "  aws_dimensions: [Id]\n");
    let rules: String = (0..2).map(of).collect();
    let fixture = Fixture::new(model, &format!("metrics:\n{rules}"));
    let page = |query: &str| fixture.exporter.get(&format!("/metrics?{query}")).body;
    let names = "name[]=park_metric0_sum&name%5B%5D=cloudwatch_requests_total";
    let found = page(names);
    assert_eq!(samples(&found, "park_").len(), 3, "{found}");
    assert_eq!(samples(&found, "park_metric0_sum{").len(), 3);
    assert_eq!(samples(&found, "cloudwatch_requests_total{").len(), 2, "{found}");
    assert!(samples(&found, "process_").is_empty() && samples(&found, "aws_").is_empty());
    for n in 0..40 {
        assert!(samples(&page(&format!("name[]=absent{n}")), "park_").is_empty());
    }
    assert_eq!(samples(&page(""), "park_").len(), 30);
}

#[test]
fn the_build_is_exposed() {
    let page = Fixture::new(Model::new(), "metrics: []").page();
    let line =
        format!("cloudwatch_exporter_build_info{{build_version=\"{}\",", env!("CARGO_PKG_VERSION"));
    assert_eq!(samples(&page, &line).len(), 1, "{page}");
    assert_eq!(value(&page, &line), 1.0);
}

/// `cloudwatch-exporter 9106 config.yml`, the command line of the Java exporter.
#[test]
fn port_and_file_may_be_arguments() {
    let fake = Fake::start(Model::new().grid("Park", 1, 1, &Values::Constant(1.0))).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.yml");
    let rule = rule("Park", "Metric0", "  aws_dimensions: [Id]\n");
    std::fs::write(&file, format!("metrics:\n{rule}")).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut child = Command::new(BINARY)
        .args([&port.to_string(), file.to_str().unwrap()])
        .envs(environment(&fake.url()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let get = |path: &str| {
        for _ in 0..6000 {
            if let Ok(stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
                return exporter_core::testing::get(stream, path, &[]).unwrap();
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("nobody listens on {port}");
    };
    let page = get("/metrics").body;
    let (healthy, reload) = (get("/-/healthy").status, get("/-/reload").status);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(samples(&page, "park_metric0_").len(), 5);
    assert_eq!((healthy, reload), (200, 405), "reloading is on, by POST");
}

fn mutual_tls(dir: &Path) -> mutual_tls::Setup {
    let file = dir.join("config.yml");
    std::fs::write(&file, "region: eu-west-1\nmetrics: []\n").unwrap();
    let file = format!("--config.file={}", file.display());
    mutual_tls::Setup::new(BINARY, &[&file], dir)
}

#[test]
fn mutual_tls_accepts_one_client_and_counts_rejections() {
    let dir = tempfile::tempdir().unwrap();
    mutual_tls(dir.path()).connect_as_each_client();
}

#[test]
fn prometheus_scrapes_over_mutual_tls() {
    let dir = tempfile::tempdir().unwrap();
    mutual_tls(dir.path()).scrape(dir.path());
}
