//! Reporting tests that cannot run on this machine.

use std::io::{self, Write};
use std::thread;

/// Reports that the calling test, or a part of it, is skipped: writes `SKIPPED: test: reason` to
/// standard error, bypassing the test harness, which hides the output of passing tests.
pub fn skip(reason: &str) {
    let current = thread::current();
    let test = current.name().unwrap_or("main");
    // If standard error is closed, this cannot be reported.
    let _ = writeln!(io::stderr(), "\nSKIPPED: {test}: {reason}");
}
