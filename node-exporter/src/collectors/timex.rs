//! Offset and synchronization of the kernel clock: `adjtimex(2)`.

use std::io::ErrorKind;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::system::{self, Clock};

pub(super) static DEFINITION: Definition =
    Definition::new("timex", "Synchronisation of the kernel clock", |_, _| {
        Ok(Source::blocking(Timex))
    })
    .cost("one system call")
    .reads(&["adjtimex(2)"])
    .metrics(&[&COLUMNS]);

static COLUMNS: [Column<Clock, 0>; 17] = [
    Desc::gauge("node_timex_offset_seconds", "Offset from the reference clock.", [])
        .column(|clock| Some(clock.fine(clock.timex.offset))),
    Desc::gauge("node_timex_frequency_adjustment_ratio", "How fast the clock is made to run.", [])
        .column(|clock| Some(1.0 + ratio(clock.timex.freq))),
    Desc::gauge("node_timex_maxerror_seconds", "Most that the clock can be off.", [])
        .column(|clock| Some(clock.timex.maxerror as f64 / MICRO)),
    Desc::gauge("node_timex_estimated_error_seconds", "What the clock is probably off.", [])
        .column(|clock| Some(clock.timex.esterror as f64 / MICRO)),
    Desc::gauge("node_timex_status", "STA_* bits of the clock.", [])
        .column(|clock| Some(f64::from(clock.timex.status))),
    Desc::gauge("node_timex_loop_time_constant", "Time constant of the phase-locked loop.", [])
        .column(|clock| Some(clock.timex.constant as f64)),
    Desc::gauge("node_timex_tick_seconds", "Time between clock ticks.", [])
        .column(|clock| Some(clock.timex.tick as f64 / MICRO)),
    Desc::gauge("node_timex_pps_frequency_hertz", "Frequency of the pulse per second.", [])
        .column(|clock| Some(ratio(clock.timex.ppsfreq))),
    Desc::gauge("node_timex_pps_jitter_seconds", "Jitter of the pulse per second.", [])
        .column(|clock| Some(clock.fine(clock.timex.jitter))),
    Desc::gauge("node_timex_pps_shift_seconds", "Interval between pulses, as a power of 2.", [])
        .column(|clock| Some(f64::from(clock.timex.shift))),
    Desc::gauge("node_timex_pps_stability_hertz", "Stability of the pulse per second.", [])
        .column(|clock| Some(ratio(clock.timex.stabil))),
    Desc::counter("node_timex_pps_jitter_total", "Pulses with too much jitter.", [])
        .column(|clock| Some(clock.timex.jitcnt as f64)),
    Desc::counter("node_timex_pps_calibration_total", "Calibration intervals.", [])
        .column(|clock| Some(clock.timex.calcnt as f64)),
    Desc::counter("node_timex_pps_error_total", "Calibrations that failed.", [])
        .column(|clock| Some(clock.timex.errcnt as f64)),
    Desc::counter("node_timex_pps_stability_exceeded_total", "Pulses that were unstable.", [])
        .column(|clock| Some(clock.timex.stbcnt as f64)),
    Desc::gauge("node_timex_tai_offset_seconds", "Offset of UTC from international time.", [])
        .column(|clock| Some(f64::from(clock.timex.tai))),
    Desc::gauge("node_timex_sync_status", "Whether the clock is synchronised.", [])
        .column(|clock| Some(f64::from(u8::from(clock.state != TIME_ERROR)))),
];

const MICRO: f64 = 1e6;
const NANO: f64 = 1e9;
const TIME_ERROR: i32 = 5;
/// Some fields are in nanoseconds, not microseconds.
const STA_NANO: i32 = 0x2000;

/// The kernel's parts per million with 16 bits of fraction.
fn ratio(scaled: libc::c_long) -> f64 {
    scaled as f64 / (MICRO * 65536.0)
}

impl Clock {
    /// Seconds from a field whose unit depends on the status.
    fn fine(&self, value: libc::c_long) -> f64 {
        value as f64 / if self.timex.status & STA_NANO == 0 { MICRO } else { NANO }
    }
}

struct Timex;

impl Collector for Timex {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let clock = system::clock().map_err(|source| match source.kind() {
            // A sandbox may deny reading the clock.
            ErrorKind::PermissionDenied => Error::Absent("state of the kernel clock"),
            _ => Error::System { call: "adjtimex", source },
        })?;
        out.table(&COLUMNS, &[([], clock)]);
        Ok(())
    }
}
