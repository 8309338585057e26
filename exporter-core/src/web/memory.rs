//! Returns memory to the system after a peak.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::server::Server;
use crate::sys;

const INTERVAL: Duration = Duration::from_secs(10);

/// Lower peaks leave too little free memory to be worth a call.
const UNSENT_PEAK: usize = 8 << 20;
const CONNECTIONS_PEAK: usize = 64;

/// Never returns. The allocator keeps freed memory between other allocations; after many
/// connections or large responses that can be a large part of the memory limit of the service.
pub(super) async fn release_after_peaks(server: Arc<Server>) {
    let (mut unsent_peak, mut connections_peak) = (0, 0);
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let (unsent, connections) =
            (server.unsent.bytes(), server.site.metrics.connections.load(Ordering::Relaxed));
        unsent_peak = unsent_peak.max(server.unsent.take_peak());
        connections_peak = connections_peak.max(server.table.take_peak());
        let was_high = unsent_peak >= UNSENT_PEAK || connections_peak >= CONNECTIONS_PEAK;
        let is_over = unsent <= unsent_peak / 2 && connections <= connections_peak / 2;
        if was_high && is_over {
            (unsent_peak, connections_peak) = (0, 0);
            // It may take some milliseconds.
            let _ = spawn_blocking(sys::release_free_memory).await;
        }
    }
}
