//! Systems other than Linux: POSIX does not provide these values.

pub(super) fn memory() -> Option<(f64, f64)> {
    None
}

pub(super) fn traffic() -> Option<(f64, f64)> {
    None
}

pub(super) fn open_fds() -> Option<u64> {
    None
}
