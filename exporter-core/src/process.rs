//! `process_*`: what this process uses, from `/proc/self`.

use std::sync::LazyLock;
use std::time::SystemTime;

pub(crate) fn started() -> SystemTime {
    static STARTED: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);
    *STARTED
}
