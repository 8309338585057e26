//! The web configuration and its files: special files are rejected, and a hanging file system
//! blocks nothing.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test runs programs, reads what it likes, and fails by a panic"
)]

use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};

use exporter_core::testing::{Exporter, special_files};
use rustix::process::{Pid, Signal, kill_process};

const BINARY: &str = env!("CARGO_BIN_EXE_node-exporter");
const MAX_WAIT: Duration = Duration::from_secs(60);

fn flags(file: &Path) -> [String; 3] {
    let file = format!("--web.config.file={}", file.display());
    ["--collector.disable-defaults".into(), "--collector.loadavg".into(), file]
}

#[test]
fn special_files_are_rejected_as_web_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("web.yml");
    let flags = flags(&file);
    let flags = flags.each_ref().map(String::as_str);
    let good = "http_server_config:\n  http2: true\n";
    special_files(BINARY, &flags, &[], &file, good, "web configuration reloaded");
}

#[test]
fn argument_files_must_not_be_pipes() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("args");
    special_files_at_start(&file);
}

fn special_files_at_start(file: &Path) {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    mknodat(CWD, file, FileType::Fifo, Mode::RWXU, 0).unwrap();
    let mut child = std::process::Command::new(BINARY)
        .arg(format!("@{}", file.display()))
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if since.elapsed() > MAX_WAIT {
            child.kill().unwrap();
            panic!("it waits for the other end of the pipe");
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(2));
}

/// A stopped reader process simulates a hanging file system.
#[test]
fn a_hanging_file_system_blocks_neither_scrapes_nor_shutdown() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("web.yml");
    fs::write(&file, "http_server_config:\n  http2: true\n").unwrap();
    let flags = flags(&file);
    let mut exporter = Exporter::start(BINARY, &flags.each_ref().map(String::as_str), dir.path());

    let reader = children(exporter.pid()).pop().expect("a process reads the files");
    kill_process(reader, Signal::STOP).unwrap();
    wait(&exporter, "exporter_config_last_reload_successful 0");
    assert!(exporter.log().contains("did not answer within"), "{}", exporter.log());
    // Once the file system responds, the status recovers.
    kill_process(reader, Signal::CONT).unwrap();
    wait(&exporter, "exporter_config_last_reload_successful 1");

    for reader in children(exporter.pid()) {
        kill_process(reader, Signal::STOP).unwrap();
    }
    let stopped = children(exporter.pid());
    wait(&exporter, "exporter_config_last_reload_successful 0");
    exporter.signal("HUP");
    exporter.signal("TERM");
    let end = exporter.wait(MAX_WAIT);
    for reader in stopped {
        // It may have ended.
        let _ = kill_process(reader, Signal::CONT);
    }
    assert_eq!(end.code(), Some(0), "{}", exporter.log());
}

fn wait(exporter: &Exporter, line: &str) {
    let since = Instant::now();
    loop {
        let asked = Instant::now();
        let page = exporter.get("/metrics").body;
        assert!(asked.elapsed() < Duration::from_secs(4), "a scrape waited for a file");
        if page.lines().any(|found| found == line) {
            return;
        }
        assert!(since.elapsed() < MAX_WAIT, "never {line}: {}", exporter.log());
        thread::sleep(Duration::from_millis(100));
    }
}

/// The child processes of `parent`, youngest last.
fn children(parent: u32) -> Vec<Pid> {
    let parent = format!("PPid:\t{parent}");
    let mut found: Vec<_> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let status = fs::read_to_string(format!("/proc/{pid}/status"));
            status.is_ok_and(|status| status.lines().any(|line| line == parent))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().filter_map(Pid::from_raw).collect()
}
