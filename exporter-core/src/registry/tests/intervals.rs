//! Collectors that run less often than they are scraped.

use super::*;

/// Counts its runs in a family, and fails from the second on where it is told to.
fn counting(fails_later: bool) -> impl Fn(&mut Families) -> Result<(), Error> + Send {
    static RUN: Desc = Desc::gauge("run", "Runs so far.", []);
    let runs = AtomicUsize::new(0);
    move |out| {
        let run = runs.fetch_add(1, Ordering::Relaxed) + 1;
        out.family(&RUN).sample([], run as f64);
        if fails_later && run > 1 { Err(Error::Other("broken".into())) } else { Ok(()) }
    }
}

struct Counting<F>(F);

impl<F: Fn(&mut Families) -> Result<(), Error> + Send> Collector for Counting<F> {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        (self.0)(out)
    }
}

#[async_trait]
impl<F: Fn(&mut Families) -> Result<(), Error> + Send> AsyncCollector for Counting<F> {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        (self.0)(out)
    }
}

fn age_of(page: &str) -> f64 {
    let age = "exporter_collector_result_age_seconds{collector=\"c\"} ";
    let line = page.lines().find_map(|line| line.strip_prefix(age));
    line.unwrap_or_else(|| panic!("no age in\n{page}")).parse().unwrap()
}

#[tokio::test]
async fn a_collector_with_an_interval_shows_its_last_result_with_its_age() {
    let hour = Duration::from_secs(3600);
    let blocking = || Source::blocking(Counting(counting(false)));
    let asynchronous = || Source::asynchronous(Counting(counting(false)));
    for source in [&blocking as &dyn Fn() -> Source, &asynchronous] {
        let registry = registry(&[]);
        registry.register_with_interval("c", source(), hour);
        let first = scrape(&registry).await;
        assert!(first.contains("\nrun 1\n") && succeeded(&first, "c"), "{first}");
        assert!(age_of(&first) < 3600.0);
        let again = scrape(&registry).await;
        assert!(again.contains("\nrun 1\n") && succeeded(&again, "c"), "{again}");
        assert!(age_of(&again) > age_of(&first), "{first}\n{again}");
        // A client that asks for another format gets the same result.
        let format = Format::OpenMetrics;
        let other = ScrapeRequest { format, ..request(Selection::All, MAX_WAIT) };
        let other = registry.scrape(other).await.unwrap();
        assert!(str::from_utf8(&other).unwrap().contains("\nrun 1.0\n"), "{other:?}");
        // Without an interval there is no age.
        registry.register("c", source());
        let page = scrape(&registry).await;
        assert!(page.contains("\nrun 1\n") && !page.contains("result_age"), "{page}");
        assert!(scrape(&registry).await.contains("\nrun 2\n"));
    }
}

#[tokio::test]
async fn a_collector_with_an_interval_that_fails_shows_its_last_good_result() {
    for source in
        [Source::blocking(Counting(counting(true))), Source::asynchronous(Counting(counting(true)))]
    {
        let registry = registry(&[]);
        registry.register_with_interval("c", source, Duration::ZERO);
        let good = scrape(&registry).await;
        assert!(good.contains("\nrun 1\n") && succeeded(&good, "c"), "{good}");
        let bad = scrape(&registry).await;
        assert!(bad.contains("\nrun 1\n") && !succeeded(&bad, "c"), "{bad}");
        assert!(age_of(&bad) > age_of(&good), "{good}\n{bad}");
    }
}

#[tokio::test]
async fn a_failure_is_not_repeated_within_the_interval() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let registry = registry(&[]);
    let fails = Script(|out| {
        RUNS.fetch_add(1, Ordering::Relaxed);
        write(out).and(Err(Error::Absent("thing")))
    });
    registry.register_with_interval("c", Source::asynchronous(fails), MAX_WAIT * 10);
    for _ in 0..2 {
        let page = scrape(&registry).await;
        assert!(!succeeded(&page, "c") && page.contains("absent{collector=\"c\"} 1"), "{page}");
        assert!(page.contains("\nword{"), "what was written before the error: {page}");
    }
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
}
