//! Pages as stored by Prometheus: the same series from each format.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, io, process, thread};

use exporter_core::families::Families;
use exporter_core::format::Format;
use exporter_core::testing::{MAX_WAIT, skip};
use serde::Deserialize;

use crate::page::page;
use crate::peers::program;

/// One job for each format, which accepts only that.
const JOBS: [(&str, &str); 4] = [
    ("openmetrics", "OpenMetricsText1.0.0"),
    ("protobuf", "PrometheusProto"),
    ("text004", "PrometheusText0.0.4"),
    ("text100", "PrometheusText1.0.0"),
];

#[test]
fn prometheus_stores_the_same_series_of_each_format() {
    match version() {
        None => return skip("no prometheus in $PROMETHEUS or PATH"),
        Some(old) if old < OLDEST => {
            return skip(&format!("Prometheus {old} does not know text 1.0.0; {OLDEST}.0 does"));
        }
        Some(_) => {}
    }
    let prometheus = Prometheus::start(serve());
    let jobs: Vec<Job> = JOBS.iter().map(|(job, _)| prometheus.series(job)).collect();
    let [open, proto, old, new] = &jobs[..] else { unreachable!() };

    assert_eq!(open.floats.len(), 38, "{:?}", open.floats);
    assert_eq!(open.floats, new.floats);
    // These two are requested without an escaping scheme.
    let mut expected: BTreeMap<_, _> = open.floats.iter().map(escaped).collect();
    assert_eq!(old.floats, expected);
    // What has no classic buckets is native only to those who take native histograms.
    expected.retain(|labels, _| {
        let name = &labels["__name__"];
        !name.starts_with("test_size_") && !name.starts_with("test_nothing_")
    });
    assert_eq!(proto.floats, expected);

    assert!([open, old, new].iter().all(|job| job.native.is_empty()));
    let native: Vec<_> = proto.native.iter().map(|(name, count)| (&**name, &**count)).collect();
    assert_eq!(
        native,
        [("test_nothing_seconds", "0"), ("test_size_bytes", "10"), ("test_took_seconds", "10")]
    );

    // Protobuf has them on any counter and on native histograms too.
    for (job, series) in [("openmetrics", 3), ("protobuf", 6), ("text004", 0), ("text100", 0)] {
        assert_eq!(prometheus.exemplars(job), series, "{job}");
    }
}

/// Before it, `scrape_protocols` has no text 1.0.0.
const OLDEST: u32 = 3;

/// The major version of Prometheus, or none if there is no such program.
fn version() -> Option<u32> {
    let output = program("PROMETHEUS", "prometheus").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    text.split_once("version ")?.1.split('.').next()?.parse().ok()
}

type Labels = BTreeMap<String, String>;

/// A series with its escaped names.
fn escaped((labels, value): (&Labels, &String)) -> (Labels, String) {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let plain = |name: &str| name.chars().map(letter).collect::<String>();
    let escape = |(name, value): (&String, &String)| match &**name {
        "__name__" => (name.clone(), plain(value)),
        name => (plain(name), value.clone()),
    };
    (labels.iter().map(escape).collect(), value.clone())
}

/// The series of one job.
#[derive(Debug, Default)]
struct Job {
    floats: BTreeMap<Labels, String>,
    /// The count of each native histogram.
    native: BTreeMap<String, String>,
}

/// An exporter that serves the page in the requested format.
fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Clients may disconnect.
            let _ = answer(stream);
        }
    });
    address
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        request.extend(byte);
    }
    let request = String::from_utf8_lossy(&request);
    let accept = request.lines().filter_map(|line| line.strip_prefix("Accept: "));
    let (format, escaping) = Format::negotiate(accept);
    let page = page(Families::new(format, escaping), SystemTime::now());
    let (content_type, len) = (format.content_type(escaping), page.len());
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&page)
}

/// A Prometheus with a temporary directory.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Prometheus {
    fn start(exporter: SocketAddr) -> Self {
        let folder = env::temp_dir().join(format!("exposition-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let jobs = JOBS.map(|(job, protocol)| {
            format!(
                "- {{job_name: {job}, scrape_protocols: [{protocol}], \
                 always_scrape_classic_histograms: true, \
                 static_configs: [{{targets: ['{exporter}']}}]}}\n"
            )
        });
        let jobs = jobs.concat();
        let config = format!("global: {{scrape_interval: 1s}}\nscrape_configs:\n{jobs}");
        let file = folder.join("prometheus.yml");
        fs::write(&file, config).unwrap();
        // Free until another program binds it.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let flag = |name: &str, path: &Path| format!("--{name}={}", path.display());
        let mut command = program("PROMETHEUS", "prometheus");
        command
            .arg(flag("config.file", &file))
            .arg(flag("storage.tsdb.path", &folder.join("data")))
            .arg(format!("--web.listen-address={address}"))
            .arg("--enable-feature=native-histograms,exemplar-storage")
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("log")).unwrap());
        let prometheus = Self { child: command.spawn().unwrap(), address, folder };
        prometheus.wait();
        prometheus
    }

    /// Waits until every job has been scraped.
    fn wait(&self) {
        let start = Instant::now();
        while start.elapsed() < MAX_WAIT {
            thread::sleep(Duration::from_millis(250));
            let Ok(up) = self.ask("query?query=count(up==1)") else { continue };
            if up.contains("\"4\"") {
                return;
            }
        }
        let targets = self.ask("targets").unwrap_or_default();
        let log = fs::read(self.folder.join("log")).unwrap();
        panic!("not all are up: {targets}\n{}", String::from_utf8_lossy(&log));
    }

    fn series(&self, job: &str) -> Job {
        let json = self.ask(&format!("query?query={{job=%22{job}%22,__name__=~%22test.%2B%22}}"));
        let json = json.unwrap();
        let reply: Reply<Found> = serde_saphyr::from_str(&json).unwrap();
        let mut found = Job::default();
        for Series { mut metric, value, histogram } in reply.data.result {
            for label in ["instance", "job"] {
                metric.remove(label);
            }
            if let Some((_, histogram)) = histogram {
                found.native.insert(metric.remove("__name__").unwrap(), histogram.count);
            } else if let Some((_, value)) = value {
                found.floats.insert(metric, value);
            }
        }
        found
    }

    /// How many series have exemplars.
    fn exemplars(&self, job: &str) -> usize {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let query = format!(
            "query_exemplars?query={{job=%22{job}%22}}&start={}&end={}",
            now - 3600,
            now + 3600
        );
        let json = self.ask(&query).unwrap();
        json.matches("seriesLabels").count()
    }

    fn ask(&self, query: &str) -> io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(MAX_WAIT))?;
        // HTTP/1.0, so that the response is not chunked.
        write!(stream, "GET /api/v1/{query} HTTP/1.0\r\nHost: {}\r\n\r\n", self.address)?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply.split_once("\r\n\r\n").unwrap_or_default().1.to_owned())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[derive(Debug, Deserialize)]
struct Reply<T> {
    data: T,
}

#[derive(Debug, Deserialize)]
struct Found {
    result: Vec<Series>,
}

#[derive(Debug, Deserialize)]
struct Series {
    metric: Labels,
    value: Option<(f64, String)>,
    histogram: Option<(f64, Native)>,
}

#[derive(Debug, Deserialize)]
struct Native {
    count: String,
}
