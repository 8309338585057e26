//! Collectors that exceed their time limit or the deadline of the scrape.

use super::*;

/// Exceeds its limit in the first run, and returns soon after.
static SLOW_ONCE: Definition<()> = script("slow_once", |(), _| {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    Ok(Source::blocking(Script(|out| {
        if RUNS.fetch_add(1, Ordering::Relaxed) == 0 {
            thread::sleep(LIMIT * 3);
        }
        write(out)
    })))
});

/// A hanging collector delays the first scrape by the time limit, and the second not at all.
#[tokio::test]
async fn only_the_first_scrape_waits_for_a_hanging_collector() {
    let registry = registry(&[&HANGS, &WRITES]);
    let start = Instant::now();
    assert!(succeeded(&scrape(&registry).await, "writes"));
    let first = start.elapsed();
    assert!(first >= LIMIT && first < MAX_WAIT, "{first:?}");
    let page = scrape(&registry).await;
    let second = start.elapsed().saturating_sub(first);
    assert!(second < LIMIT, "{second:?}");
    assert!(succeeded(&page, "writes") && !succeeded(&page, "hangs"));
}

#[tokio::test]
async fn a_collector_runs_again_once_it_has_returned() {
    let registry = registry(&[&SLOW_ONCE, &WRITES]);
    assert!(!succeeded(&scrape(&registry).await, "slow_once"));
    let patience = Instant::now() + MAX_WAIT;
    while !succeeded(&scrape(&registry).await, "slow_once") {
        assert!(Instant::now() < patience, "never requested again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_deadline_of_the_scrape_precedes_the_time_limit() {
    let registry = registry(&[&HANGS, &WRITES]);
    let start = Instant::now();
    let page = registry.scrape(request(Selection::All, LIMIT / 4)).await.unwrap();
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(!succeeded(&page, "hangs") && !succeeded(&page, "writes"), "{page}");
}
