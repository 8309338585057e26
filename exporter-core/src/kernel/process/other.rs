//! Systems other than Linux: POSIX has none of these.

pub(super) fn memory() -> Option<(f64, f64)> {
    None
}

pub(super) fn traffic() -> Option<(f64, f64)> {
    None
}

pub(super) fn open_fds() -> Option<u64> {
    None
}
