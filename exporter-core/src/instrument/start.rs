//! The start time of this process.

use std::sync::LazyLock;
use std::time::SystemTime;

/// When this process started: the time of the first call, which `main` should make first. The
/// kernel's own answer needs `/proc/stat`, which `ProcSubset=pid` hides.
pub(crate) fn start_time() -> SystemTime {
    static START: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);
    *START
}
