//! The test for configuration files of all exporters: anything but a regular file of a reasonable
//! size is rejected, at start and at a reload, without blocking.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::program::{Exporter, MAX_WAIT};

/// What replaces the file.
const KINDS: [&str; 5] = ["absent", "device", "directory", "fifo", "huge"];

/// Starts `binary` with such files in place of `file`, which `flags` name, and reloads it with
/// them. `variables` are environment variables; `good` is the content of a valid file; `expected`
/// is part of the log line of a successful reload.
pub fn special_files(
    binary: &str,
    flags: &[&str],
    variables: &[(&str, &str)],
    file: &Path,
    good: &str,
    expected: &str,
) {
    let dir = file.parent().expect("the file is in a directory");
    for kind in KINDS {
        put(kind, file);
        refused_at_start(kind, binary, flags, file);
    }
    put("regular", file);
    fs::write(file, good).expect("the test's directory takes files");
    let mut exporter = Exporter::start_with(binary, flags, variables, dir);
    for kind in KINDS {
        let errors = exporter.log().matches("ERROR").count();
        put(kind, file);
        exporter.signal("HUP");
        wait(&exporter, kind, |log| log.matches("ERROR").count() > errors);
        assert_eq!(exporter.get("/-/healthy").status, 200, "{kind}");
        let reloads = exporter.log().matches(expected).count();
        put("regular", file);
        // The content differs each time, because unchanged content is not logged.
        fs::write(file, format!("{good}\n# after {kind}\n")).expect("it takes files");
        exporter.signal("HUP");
        wait(&exporter, kind, |log| log.matches(expected).count() > reloads);
    }
    exporter.signal("TERM");
    assert_eq!(exporter.wait(MAX_WAIT).code(), Some(0), "{}", exporter.log());
}

fn put(kind: &str, file: &Path) {
    if file.is_dir() {
        fs::remove_dir(file).expect("it is empty");
    } else if file.symlink_metadata().is_ok() {
        fs::remove_file(file).expect("it can be removed");
    }
    let made = match kind {
        "device" => std::os::unix::fs::symlink("/dev/zero", file),
        "directory" => fs::create_dir(file),
        "fifo" => rustix::fs::mknodat(
            rustix::fs::CWD,
            file,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .map_err(Into::into),
        // A sparse file: it uses no disk space.
        "huge" => fs::File::create(file).and_then(|file| file.set_len(10 << 30)),
        _ => Ok(()),
    };
    made.unwrap_or_else(|error| panic!("{kind}: {error}"));
}

#[expect(clippy::disallowed_methods, reason = "a test runs the program that it tests")]
fn refused_at_start(kind: &str, binary: &str, flags: &[&str], file: &Path) {
    let mut child = Command::new(binary)
        .args(flags)
        .arg("--web.listen-address=127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{binary} does not start: {error}"));
    let since = Instant::now();
    while child.try_wait().expect("the status of a child is available").is_none() {
        if since.elapsed() > MAX_WAIT {
            child.kill().expect("it can be killed");
            panic!("{binary} does not end with this file: {kind}");
        }
        thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("its end can be waited for");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{kind}: {said}");
    assert_eq!(said.lines().count(), 1, "{kind}: {said}");
    assert!(said.contains(&*file.to_string_lossy()), "{kind}: {said}");
}

fn wait(exporter: &Exporter, kind: &str, condition: impl Fn(&str) -> bool) {
    let since = Instant::now();
    while !condition(&exporter.log()) {
        assert!(since.elapsed() < MAX_WAIT, "{kind}: nothing came of SIGHUP: {}", exporter.log());
        thread::sleep(Duration::from_millis(10));
    }
}
