//! Scrapes at the same time share a collection or take turns.

use futures_util::future;

use super::*;

#[tokio::test]
async fn concurrent_scrapes_share_one_collection() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    static COUNTS: Definition<()> = script("counts", |(), _| {
        Ok(Source::blocking(Script(|out| {
            RUNS.fetch_add(1, Ordering::Relaxed);
            thread::sleep(LIMIT / 4);
            write(out)
        })))
    });
    let registry = registry(&[&COUNTS]);
    let pages = future::join_all((0..20).map(|_| scrape(&registry))).await;
    assert_eq!(RUNS.load(Ordering::Relaxed), 1);
    assert!(pages.iter().all(|page| *page == pages[0] && succeeded(page, "counts")));
    scrape(&registry).await;
    assert_eq!(RUNS.load(Ordering::Relaxed), 2, "a later scrape is a new collection");
}

#[tokio::test]
async fn scrapes_in_two_formats_take_turns() {
    let registry = registry(&[&WRITES]);
    let other = ScrapeRequest { format: Format::OpenMetrics, ..request(Selection::All, MAX_WAIT) };
    let (text, open) = tokio::join!(scrape(&registry), registry.scrape(other));
    assert!(succeeded(&text, "writes"));
    assert!(!open.unwrap().is_empty());
}

#[tokio::test]
async fn a_client_that_disconnects_does_not_cancel_the_collection_of_others() {
    let registry = registry(&[&HANGS, &WRITES]);
    let asked = registry.scrape(request(Selection::All, MAX_WAIT));
    let hung_up = tokio::time::timeout(LIMIT / 10, asked).await;
    assert!(hung_up.is_err());
    assert!(succeeded(&scrape(&registry).await, "writes"));
}
