//! The start time of this process.

use std::sync::LazyLock;
use std::time::SystemTime;

/// The start time of this process: the time of the first call, which `main` should make first. The
/// exact time is in `/proc/stat`, which `ProcSubset=pid` hides.
pub(crate) fn start_time() -> SystemTime {
    static START: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);
    *START
}
