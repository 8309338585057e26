//! The log of failures.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::testing::subscribe;

/// Clients that do not wait, or collectors that alternate between failure and success, must not
/// fill the log.
#[tokio::test]
async fn failures_caused_by_clients_are_logged_at_a_limited_rate() {
    // Not by the number of runs: whether a scrape without time runs a collector depends on the
    // machine.
    static TURN: AtomicUsize = AtomicUsize::new(0);
    static FLAPS: Definition<()> = script("flaps", |(), _| {
        Ok(Source::blocking(Script(|out| {
            if TURN.load(Ordering::Relaxed).is_multiple_of(2) {
                return Err(Error::Other("every other time".into()));
            }
            write(out)
        })))
    });
    let lines = Arc::new(AtomicUsize::new(0));
    let _guard = subscribe(CountLines(Arc::clone(&lines)));
    let registry = registry(&[&WRITES, &FLAPS, &WAITS]);
    for _ in 0..100 {
        registry.scrape(request(Selection::All, Duration::ZERO)).await.unwrap();
    }
    assert_eq!(lines.load(Ordering::Relaxed), 0, "the deadline of a client is no warning");
    for turn in 0..20 {
        TURN.store(turn, Ordering::Relaxed);
        let only = Selection::Only(vec!["flaps".into()]);
        registry.scrape(request(only.clone(), MAX_WAIT)).await.unwrap();
        registry.scrape(request(only, Duration::ZERO)).await.unwrap();
    }
    assert_eq!(lines.load(Ordering::Relaxed), 2, "failed once, recovered once");
}

#[tokio::test]
async fn each_reason_of_a_failure_is_logged_once() {
    static TURN: AtomicUsize = AtomicUsize::new(0);
    static CHANGES: Definition<()> = script("changes", |(), _| {
        Ok(Source::blocking(Script(|out| match TURN.load(Ordering::Relaxed) {
            0..3 | 6 => Err(Error::Other("refused".into())),
            3..6 => Err(Error::Other("gone".into())),
            turn @ 100.. => Err(Error::Other(format!("{turn} left").into())),
            _ => write(out),
        })))
    });
    let lines = Arc::new(AtomicUsize::new(0));
    let _guard = subscribe(CountLines(Arc::clone(&lines)));
    let registry = registry(&[&CHANGES]);
    for (turns, logged) in [(0..3, 1), (3..6, 2), (6..7, 2), (7..8, 3), (100..130, 9)] {
        for turn in turns.clone() {
            TURN.store(turn, Ordering::Relaxed);
            registry.scrape(request(Selection::All, MAX_WAIT)).await.unwrap();
        }
        // The last case: six more, which makes eight in a minute.
        assert_eq!(lines.load(Ordering::Relaxed), logged, "{turns:?}");
    }
}

/// Counts the lines of the log above the debug level.
struct CountLines(Arc<AtomicUsize>);

impl tracing::Subscriber for CountLines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::INFO
    }

    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
