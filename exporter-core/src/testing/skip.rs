//! Reporting tests that cannot run on this machine.

use std::io::{self, Write};
use std::thread;

/// Reports that the calling test, or a part of it, is skipped: writes `SKIPPED: test: reason` to
/// standard error, bypassing the test harness, which hides the output of passing tests.
pub fn skip(reason: &str) {
    let current = thread::current();
    let test = current.name().unwrap_or("main");
    // With one system call, so that the harness writes nothing in between. If standard error is
    // closed, this cannot be reported.
    let line = format!("\nSKIPPED: {test}: {reason}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}
