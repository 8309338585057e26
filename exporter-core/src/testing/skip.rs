//! What a test says that cannot run here.

use std::io::{self, Write};
use std::thread;

/// Says that the calling test, or a part of it, is skipped: a line `SKIPPED: test: reason` on
/// standard error, past the test harness, which keeps what a passing test prints.
pub fn skip(reason: &str) {
    let current = thread::current();
    let test = current.name().unwrap_or("main");
    // Nobody can be told where standard error is closed.
    let _ = writeln!(io::stderr(), "\nSKIPPED: {test}: {reason}");
}
