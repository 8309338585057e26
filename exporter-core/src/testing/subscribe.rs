//! The log of a unit test.

use std::sync::LazyLock;

use tracing::subscriber::{DefaultGuard, NoSubscriber, Subscriber, set_default};
use tracing::{Dispatch, callsite};

/// With only one subscriber in the process, tracing asks the thread that comes to a log line first whether it is wanted, and
/// remembers the answer for all threads: that of a test without a subscriber.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

/// Makes `subscriber` that of this thread.
pub(crate) fn subscribe(subscriber: impl Subscriber + Send + Sync + 'static) -> DefaultGuard {
    LazyLock::force(&SECOND);
    let guard = set_default(subscriber);
    // For a log line that another thread was just coming to.
    callsite::rebuild_interest_cache();
    guard
}
