mod intervals;
mod log;
mod shared;
mod time_limits;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;

use super::*;
use crate::collector::{AsyncCollector, Collector, Source};
use crate::exposition::desc::Desc;
use crate::exposition::families::Families;
use crate::exposition::format::{Escaping, Format};
use crate::instrument::{Gauge, Instruments, Metric};

struct Script(fn(&mut Families) -> Result<(), Error>);

impl Collector for Script {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        (self.0)(out)
    }
}

#[async_trait]
impl AsyncCollector for Script {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        (self.0)(out)
    }
}

const fn script(
    name: &'static str,
    build: fn(&(), &Flags) -> Result<Source, Error>,
) -> Definition<()> {
    Definition::new(name, "", build)
}

#[expect(clippy::unnecessary_wraps, reason = "has the type of a collector")]
fn write(out: &mut Families) -> Result<(), Error> {
    static WORD: Desc<1> = Desc::gauge("word", "A word.", ["n"]);
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
    out.family(&WORD).sample([&n], 1.0);
    Ok(())
}

static WRITES: Definition<()> = script("writes", |(), _| Ok(Source::blocking(Script(write))));
static FAILS: Definition<()> = script("fails", |(), _| {
    Ok(Source::asynchronous(Script(|out| write(out).and(Err(Error::Absent("thing"))))))
});
static PANICS: Definition<()> = script("panics", |(), _| {
    Ok(Source::blocking(Script(|out| {
        write(out)?;
        panic!("on purpose")
    })))
});
static PANICS_WAITING: Definition<()> =
    script("panics_waiting", |(), _| Ok(Source::asynchronous(Script(|_| panic!("on purpose")))));

/// Hangs, as with a dead mount: much longer than any limit here.
static HANGS: Definition<()> = script("hangs", |(), _| {
    Ok(Source::blocking(Script(|out| {
        thread::sleep(Duration::from_secs(600));
        write(out)
    })))
});

struct Forever;

#[async_trait]
impl AsyncCollector for Forever {
    async fn collect(&mut self, _: &mut Families) -> Result<(), Error> {
        std::future::pending().await
    }
}

static WAITS: Definition<()> = script("waits", |(), _| Ok(Source::asynchronous(Forever)));

static DURATION: Desc<1> = Desc::gauge("duration_seconds", "Time taken.", ["collector"]);
static SUCCESS: Desc<1> = Desc::gauge("success", "Whether it did.", ["collector"]);
static ABSENT: Desc<1> = Desc::gauge("absent", "Whether the machine lacks it.", ["collector"]);
const LIMIT: Duration = Duration::from_secs(2);
/// More than enough for a scrape, also on a busy machine.
const MAX_WAIT: Duration = Duration::from_secs(120);

fn registry(defs: &[&Definition<()>]) -> Arc<Registry> {
    let settings = Settings {
        duration: Some(&DURATION),
        success: Some(&SUCCESS),
        absent: Some(&ABSENT),
        limit: LIMIT,
        exposes_dropped: true,
        ..Settings::default()
    };
    Arc::new(Registry::build(defs, &[&WRITES], &(), &Flags::default(), settings).unwrap())
}

fn request(selection: Selection, within: Duration) -> ScrapeRequest {
    ScrapeRequest {
        format: Format::Text004,
        escaping: Escaping::Underscores,
        selection,
        deadline: Instant::now() + within,
    }
}

async fn scrape(registry: &Arc<Registry>) -> String {
    let page = registry.scrape(request(Selection::All, MAX_WAIT)).await.unwrap();
    String::from_utf8(page.to_vec()).unwrap()
}

fn succeeded(page: &str, name: &str) -> bool {
    let line = |value| format!("success{{collector=\"{name}\"}} {value}");
    assert!(page.lines().any(|l| l == line(0) || l == line(1)), "{name} is missing from\n{page}");
    page.lines().any(|l| l == line(1))
}

#[tokio::test]
async fn a_failing_collector_does_not_affect_others() {
    let registry = registry(&[&HANGS, &PANICS, &FAILS, &PANICS_WAITING, &WAITS, &WRITES]);
    let page = scrape(&registry).await;
    for (name, success) in [
        ("hangs", false),
        ("panics", false),
        ("fails", false),
        ("panics_waiting", false),
        ("waits", false),
        ("writes", true),
    ] {
        assert_eq!(succeeded(&page, name), success, "{name} in\n{page}");
    }
    let words = page.lines().filter(|line| line.starts_with("word{")).count();
    assert_eq!(words, 2, "of the collector that failed, and of the one that succeeded\n{page}");
    let results: Vec<_> = registry
        .outcomes()
        .into_iter()
        .map(|outcome| outcome.last.unwrap().result.err().unwrap_or_default())
        .collect();
    let late = "not done within the time that a collector may take";
    let panicked = "panicked: on purpose";
    assert_eq!(results, [late, panicked, "no thing here", panicked, late, ""]);
}

#[tokio::test]
async fn collectors_are_selected_by_name() {
    let registry = registry(&[&FAILS, &PANICS]);
    let ask = async |selection| {
        let page = registry.scrape(request(selection, MAX_WAIT)).await?;
        Ok::<_, ScrapeError>(String::from_utf8(page.to_vec()).unwrap())
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let page = ask(Selection::Only(names(&["fails"]))).await.unwrap();
    assert!(page.contains("{collector=\"fails\"}") && !page.contains("{collector=\"panics\"}"));
    let page = ask(Selection::Except(names(&["fails", "unheard_of"]))).await.unwrap();
    assert!(!page.contains("{collector=\"fails\"}") && page.contains("{collector=\"panics\"}"));
    for (name, problem) in [
        ("writes", "collector \"writes\" is switched off on this exporter"),
        ("nope", "there is no collector named \"nope\""),
    ] {
        let error = ask(Selection::Only(names(&["fails", name]))).await.unwrap_err();
        assert_eq!(error.to_string(), problem);
    }
}

#[tokio::test]
async fn unavailable_collectors_are_ignored_where_the_program_says_so() {
    let known = [&WRITES, &FAILS];
    let settings = Settings {
        success: Some(&SUCCESS),
        exposes_dropped: true,
        ignores_unavailable: true,
        ..Settings::default()
    };
    let registry = Registry::build(&[&FAILS], &known, &(), &Flags::default(), settings).unwrap();
    let registry = Arc::new(registry);
    let ask = async |names: &[&str]| {
        let selection = Selection::Only(names.iter().map(ToString::to_string).collect());
        let page = registry.scrape(request(selection, MAX_WAIT)).await?;
        Ok::<_, ScrapeError>(String::from_utf8(page.to_vec()).unwrap())
    };
    let page = ask(&["fails", "writes", "nope", "neither"]).await.unwrap();
    for line in [
        "success{collector=\"fails\"} 0\n",
        "exporter_ignored_collectors_total{reason=\"disabled\"} 1\n",
        "exporter_ignored_collectors_total{reason=\"unknown\"} 2\n",
    ] {
        assert!(page.contains(line), "{line} in\n{page}");
    }
    let error = ask(&["nope", "writes"]).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no collector named \"nope\"");
}

#[tokio::test]
async fn a_family_of_two_collectors_is_exposed_once() {
    static SHARED: Desc<1> = Desc::gauge("shared", "Of both.", ["by"]);
    static ONE: Definition<()> = script("one", |(), _| {
        Ok(Source::blocking(Script(|out| {
            out.family(&SHARED).sample(["one"], 1.0);
            Ok(())
        })))
    });
    static OTHER: Definition<()> = script("other", |(), _| {
        Ok(Source::blocking(Script(|out| {
            out.family(&SHARED).sample(["other"], 2.0);
            out.family(&SHARED).sample(["one"], 3.0);
            Ok(())
        })))
    });
    let registry = registry(&[&ONE, &OTHER]);
    let page = scrape(&registry).await;
    assert_eq!(page.matches("# TYPE shared gauge").count(), 1);
    assert!(page.contains("shared{by=\"one\"} 1\nshared{by=\"other\"} 2\n"), "{page}");
    assert!(!page.contains("} 3\n"), "{page}");
    assert!(
        scrape(&registry).await.contains("exporter_dropped_series_total{reason=\"duplicate\"} 1")
    );
}

static SUCCEEDS: Definition<()> =
    script("succeeds", |(), _| Ok(Source::asynchronous(Script(|_| Ok(())))));

#[tokio::test]
async fn collectors_run_only_after_a_successful_precheck() {
    for (precheck, succeeds) in
        [(&SUCCEEDS, true), (&FAILS, false), (&WAITS, false), (&PANICS_WAITING, false)]
    {
        let settings = Settings {
            duration: Some(&DURATION),
            success: Some(&SUCCESS),
            label: "collect.",
            limit: LIMIT,
            concurrency: 1,
            ..Settings::default()
        };
        let flags = Flags::default();
        let registry = Registry::build(&[&WRITES], &[&WRITES], &(), &flags, settings).unwrap();
        let source = (precheck.build)(&(), &flags).unwrap();
        let registry = Arc::new(registry.with_precheck(Precheck::new("precheck", "", source)));
        let page = scrape(&registry).await;
        assert_eq!(succeeded(&page, "precheck"), succeeds, "{page}");
        assert_eq!(page.contains("success{collector=\"collect.writes\"} 1"), succeeds, "{page}");
        let only = Selection::Only(vec!["precheck".into()]);
        let error = registry.scrape(request(only, LIMIT)).await.unwrap_err();
        assert!(matches!(error, ScrapeError::Unknown(_)), "a precheck cannot be selected");
    }
}

/// Records the order in which collectors run.
struct Recorder(&'static str, Duration);

static ORDER: Mutex<Vec<&str>> = Mutex::new(Vec::new());

#[async_trait]
impl AsyncCollector for Recorder {
    async fn collect(&mut self, _: &mut Families) -> Result<(), Error> {
        ORDER.lock().unwrap().push(self.0);
        tokio::time::sleep(self.1).await;
        Ok(())
    }
}

#[tokio::test]
async fn the_slowest_async_collectors_start_first() {
    static QUICK: Definition<()> =
        script("quick", |(), _| Ok(Source::asynchronous(Recorder("quick", Duration::ZERO))));
    static SLOW: Definition<()> = script("slow", |(), _| {
        Ok(Source::asynchronous(Recorder("slow", Duration::from_millis(50))))
    });
    let settings = Settings { concurrency: 1, success: Some(&SUCCESS), ..Settings::default() };
    let definitions = [&QUICK, &SLOW];
    let registry =
        Registry::build(&definitions, &definitions, &(), &Flags::default(), settings).unwrap();
    let registry = Arc::new(registry);
    scrape(&registry).await;
    assert_eq!(std::mem::take(&mut *ORDER.lock().unwrap()), ["quick", "slow"]);
    // On a busy machine, the quick one may have been slow once.
    for _ in 0..100 {
        let page = scrape(&registry).await;
        let order = std::mem::take(&mut *ORDER.lock().unwrap());
        assert!(page.find("\"quick\"") < page.find("\"slow\""), "{page}");
        if order == ["slow", "quick"] {
            return;
        }
    }
    panic!("the slow collector never ran first");
}

#[tokio::test]
async fn collectors_can_be_registered_and_unregistered_at_run_time() {
    static READY: Metric<Gauge> = Metric::gauge("ready", "Ready.");
    static DEPTH: Metric<Gauge> = Metric::gauge("depth", "Depth.");
    let registry = Registry::builder().instruments("ready", [&READY]).build();
    let depth = || Source::blocking(Instruments::new([&DEPTH]));
    let help = "# HELP ready Ready.\n# TYPE ready gauge\nready 0\n";
    let both = format!("{help}# HELP depth Depth.\n# TYPE depth gauge\ndepth 0\n");
    assert_eq!(scrape(&registry).await, help);
    registry.register("depth", depth());
    assert_eq!(scrape(&registry).await, both);
    registry.register("depth", depth());
    assert_eq!(scrape(&registry).await, both);
    assert!(registry.unregister("depth"));
    assert!(!registry.unregister("depth"));
    assert_eq!(scrape(&registry).await, help);
    let only = request(Selection::Only(vec!["depth".into()]), LIMIT);
    assert!(matches!(registry.scrape(only).await, Err(ScrapeError::Unknown(_))));
}

#[tokio::test]
async fn only_an_absent_feature_is_reported_as_absent() {
    let page = scrape(&registry(&[&FAILS, &PANICS, &WRITES])).await;
    let absent: Vec<_> = page.lines().filter(|line| line.starts_with("absent{")).collect();
    assert_eq!(absent, ["absent{collector=\"fails\"} 1"], "{page}");
    assert!(!succeeded(&page, "fails"));
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of a collector")]
fn write_many(out: &mut Families) -> Result<(), Error> {
    static KEPT: Desc<1> = Desc::gauge("kept", "", ["n"]);
    static UNWANTED: Desc<1> = Desc::gauge("unwanted", "", ["n"]);
    for desc in [&UNWANTED, &KEPT] {
        let mut family = out.family(desc);
        for n in 0..5 {
            family.sample([&n.to_string()], 1.0);
        }
    }
    Ok(())
}

#[tokio::test]
async fn output_limits_apply_to_each_collector() {
    static BLOCKING: Definition<()> =
        script("blocking", |(), _| Ok(Source::blocking(Script(write_many))));
    static WAITING: Definition<()> =
        script("waiting", |(), _| Ok(Source::asynchronous(Script(write_many))));
    for def in [&BLOCKING, &WAITING] {
        let mut settings = Settings { exposes_dropped: true, ..Settings::default() };
        settings.limits.is_wanted = Some(Arc::new(|name| name != "unwanted"));
        settings.limits.max_series = Some(3);
        let registry = Registry::build(&[def], &[], &(), &Flags::default(), settings).unwrap();
        let registry = Arc::new(registry);
        for scrapes in 1..=2 {
            let page = scrape(&registry).await;
            assert_eq!(page.matches("\nkept{").count(), 3, "{page}");
            assert!(!page.contains("unwanted"), "{page}");
            let dropped = format!(
                "exporter_dropped_series_total{{reason=\"max_series\",collector=\"{}\"}} {}\n",
                def.name,
                2 * scrapes
            );
            assert!(page.contains(&dropped), "{page}");
            let illegal = "exporter_dropped_series_total{reason=\"illegal\"} 0\n";
            assert!(page.contains(illegal), "{page}");
        }
    }
}
