//! System calls without a safe wrapper in our dependencies: the only module with unsafe code.

pub(crate) mod ethtool;
pub(crate) mod perf;

mod btrfs;

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;

pub(crate) use self::btrfs::{BtrfsDevice, btrfs};

/// The state of the kernel clock and its synchronization, from `adjtimex(2)`.
pub(crate) struct Clock {
    /// `TIME_OK` to `TIME_ERROR`.
    pub(crate) state: i32,
    pub(crate) timex: libc::timex,
}

#[expect(unsafe_code, reason = "adjtimex has no safe wrapper among our dependencies")]
pub(crate) fn clock() -> io::Result<Clock> {
    let mut timex = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: with `modes` 0 the struct is only written to, and it outlives the call.
    let state = unsafe { libc::adjtimex(timex.as_mut_ptr()) };
    if state < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a zeroed struct that only contains integers: any bytes are a valid timex.
    Ok(Clock { state, timex: unsafe { timex.assume_init() } })
}

/// A local time zone.
#[derive(Debug, PartialEq)]
pub(crate) struct Zone {
    /// Its abbreviation, such as `CET`.
    pub(crate) name: String,
    pub(crate) seconds_east: i64,
}

/// The local time zone at a Unix time. `TZ` and `/etc/localtime` are only read by the first call.
#[expect(unsafe_code, reason = "the C library knows the rules of all zones")]
pub(crate) fn zone(timestamp: i64) -> Option<Zone> {
    let timestamp = libc::time_t::try_from(timestamp).ok()?;
    let mut local = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to values that outlive the call.
    if unsafe { libc::localtime_r(&raw const timestamp, local.as_mut_ptr()) }.is_null() {
        return None;
    }
    // SAFETY: the call has filled it.
    let local = unsafe { local.assume_init() };
    if local.tm_zone.is_null() {
        return None;
    }
    // SAFETY: a C string of the C library, which keeps its zone names; it is copied at once.
    let name = unsafe { CStr::from_ptr(local.tm_zone) }.to_string_lossy().into_owned();
    Some(Zone { name, seconds_east: local.tm_gmtoff })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_has_a_known_state() {
        // A sandbox may deny it.
        if let Ok(clock) = clock() {
            assert!((0..=5).contains(&clock.state));
            assert_ne!(clock.timex.tick, 0);
        }
    }

    #[test]
    fn the_time_zone_is_plausible() {
        let zone = zone(1_700_000_000).unwrap();
        assert!(!zone.name.is_empty());
        assert!(zone.seconds_east.abs() < 86_400, "{zone:?}");
    }
}
