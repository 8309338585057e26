use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{env, ffi, fs, io, process, thread};

use exporter_core::collector::chain;
use exporter_core::testing;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::*;
use crate::scratch::Scratch;

fn machine(scratch: &Scratch) -> Host {
    let root = scratch.path();
    Host { rootfs: root.join("root"), ..Host::for_tests(root) }
}

fn expose(host: &Host, flags: &Flags) -> (String, Result<(), String>) {
    let (page, result) = testing::expose(&DEFINITION, host, flags);
    (page, result.map_err(|error| chain(&error)))
}

/// The label `device_error` of a mount, if it is exposed.
fn device_error(page: &str, mountpoint: &str) -> Option<String> {
    let mount = format!("mountpoint=\"{mountpoint}\"");
    let line = page
        .lines()
        .find(|line| line.starts_with("node_filesystem_device_error{") && line.contains(&mount))?;
    let (_, rest) = line.split_once("device_error=\"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

#[test]
fn values_are_those_of_statfs() {
    let scratch = Scratch::new();
    scratch.write("proc/1/mountinfo", "1 0 8:1 / /there rw - ext4 /dev/sda1 rw\n");
    scratch.directory("root/there");
    let (page, result) = expose(&machine(&scratch), &Flags::default());
    result.unwrap();
    let found = rustix::fs::statvfs(scratch.path()).unwrap();
    let size = found.f_blocks as f64 * found.f_frsize as f64;
    let line = page.lines().find(|line| line.starts_with("node_filesystem_size_bytes{")).unwrap();
    let value: f64 = line.rsplit_once(' ').unwrap().1.parse().unwrap();
    assert_eq!(value.to_bits(), size.to_bits(), "{line}");
}

#[test]
fn mount_points_need_not_be_utf8() {
    let scratch = Scratch::new();
    scratch.write("proc/1/mountinfo", b"1 0 8:1 / /a\xff\\134b rw - ext4 /dev/\xfe rw\n");
    scratch.directory(host::path_of(b"root/a\xff\\b"));
    let (page, result) = expose(&machine(&scratch), &Flags::default());
    result.unwrap();
    assert_eq!(device_error(&page, r"/a�\\134b").as_deref(), Some(""), "{page}");
}

#[test]
fn an_invalid_line_does_not_affect_others() {
    let scratch = Scratch::new();
    scratch.write("proc/self/mountinfo", "1 0 8:1 / / rw - ext4 a rw\nrubbish\n");
    scratch.directory("root");
    let (page, result) = expose(&machine(&scratch), &Flags::default());
    assert_eq!(device_error(&page, "/").as_deref(), Some(""));
    let path = scratch.path().join("proc/self/mountinfo");
    let expected = format!("{}: expected a mount, found \"rubbish\"", path.display());
    assert_eq!(result.unwrap_err(), expected);
}

#[test]
fn filters_and_labels_are_applied() {
    let scratch = Scratch::new();
    scratch.write(
        "proc/1/mountinfo",
        "1 0 8:1 / / rw - ext4 a rw\n\
         2 1 8:2 / /srv rw - xfs b rw\n\
         3 1 8:3 / /proc/x rw - xfs c rw\n\
         4 1 8:4 / /snap rw - squashfs d rw\n",
    );
    scratch.directory("root");
    let host = machine(&scratch);
    for (given, expected) in [
        (vec![], vec!["/", "/srv"]),
        (vec![(&MOUNTS_EXCLUDE, "^/$")], vec!["/srv", "/proc/x"]),
        (vec![(&MOUNTS_EXCLUDE, "")], vec!["/", "/srv", "/proc/x"]),
        (vec![(&MOUNTS_IGNORED, "srv")], vec!["/", "/proc/x"]),
        (vec![(&MOUNTS_INCLUDE, "^/(srv|proc)")], vec!["/srv", "/proc/x"]),
        (vec![(&TYPES_INCLUDE, "squashfs")], vec!["/snap"]),
        (vec![(&TYPES_EXCLUDE, "xfs")], vec!["/", "/snap"]),
        (vec![(&TYPES_IGNORED, "xfs"), (&WORKERS, "9"), (&TIMEOUT, "0")], vec!["/", "/snap"]),
    ] {
        let (page, _) = expose(&host, &Flags::new(given.clone()));
        let all = ["/", "/srv", "/proc/x", "/snap"];
        let found: Vec<_> =
            all.into_iter().filter(|mount| device_error(&page, mount).is_some()).collect();
        assert_eq!(found, expected, "{given:?}");
    }
}

#[test]
fn invalid_flags_are_errors() {
    let host = machine(&Scratch::new());
    let problem = |given: &[(&'static Flag, &str)]| {
        let flags = Flags::new(given.iter().copied());
        Filesystem::new(&host, &flags, Probers::default()).err().unwrap().to_string()
    };
    for (given, expected) in [
        (
            vec![(&MOUNTS_INCLUDE, "a"), (&MOUNTS_EXCLUDE, "b")],
            "--collector.filesystem.mount-points-include: cannot be combined with --collector.filesystem.mount-points-exclude: use one of them",
        ),
        (
            vec![(&TYPES_INCLUDE, "a"), (&TYPES_IGNORED, "b")],
            "--collector.filesystem.fs-types-include: cannot be combined with --collector.filesystem.ignored-fs-types: use one of them",
        ),
        (
            vec![(&TYPES_IGNORED, "a"), (&TYPES_EXCLUDE, "b")],
            "--collector.filesystem.ignored-fs-types: cannot be combined with --collector.filesystem.fs-types-exclude, its new name",
        ),
        (
            vec![(&TIMEOUT, "5")],
            "--collector.filesystem.mount-timeout: expected a duration such as 5s, found \"5\"",
        ),
        (
            vec![(&WORKERS, "many")],
            "--collector.filesystem.stat-workers: expected a number, found \"many\"",
        ),
    ] {
        assert_eq!(problem(&given), expected);
    }
}

/// Scrapes with a mounted file system that hangs, as with a dead server. Requires a mount namespace
/// and root.
#[test]
#[expect(clippy::disallowed_methods, reason = "runs a test by unshare")]
fn a_hanging_file_system() {
    if !rustix::process::geteuid().is_root() || !Path::new("/dev/fuse").exists() {
        return testing::skip("it takes root and /dev/fuse");
    }
    let name = "collectors::filesystem::tests::child_with_a_hanging_file_system";
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(env::current_exe().unwrap())
        .args([name, "--exact", "--ignored", "--nocapture"])
        .output();
    match output {
        Ok(output) => assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ),
        Err(error) => testing::skip(&format!("no unshare: {error}")),
    }
}

#[test]
#[ignore = "only in a mount namespace of its own, by the test above"]
fn child_with_a_hanging_file_system() {
    let scratch = Scratch::new();
    scratch.directory("proc");
    scratch.symlink("/proc/self", "proc/self");
    let host = Host { rootfs: "/".into(), ..machine(&scratch) };
    let points = ["hung", "late", "fine"].map(|name| scratch.path().join(name));
    let [hung, late, fine] = &points;
    for (point, delay) in [(hung, None), (late, Some(Duration::from_millis(300)))] {
        fs::create_dir(point).unwrap();
        serve_fuse(point, delay);
    }
    fs::create_dir(fine).unwrap();
    mount("none", fine, "tmpfs", MountFlags::empty(), None).unwrap();

    let flags = Flags::new([
        (&MOUNTS_INCLUDE, format!("^{}", scratch.path().display())),
        (&TIMEOUT, "10s".to_owned()),
    ]);
    #[expect(clippy::disallowed_methods, reason = "runs a test as the prober")]
    let program = || {
        let mut command = Command::new("/proc/self/exe");
        let name = "collectors::filesystem::tests::child_as_prober";
        command.args([name, "--exact", "--ignored"]);
        command
    };
    let mut collector = Filesystem::new(&host, &flags, Probers::new(program)).unwrap();
    let mut scrape = || {
        let start = Instant::now();
        let (page, result) = testing::collect(&mut collector);
        result.unwrap();
        (page, start.elapsed())
    };
    let label = |page: &str, point: &Path| device_error(page, point.to_str().unwrap());

    let (page, took) = scrape();
    assert_eq!(label(&page, hung).unwrap(), "mountpoint timeout");
    assert_eq!(label(&page, late).unwrap(), "");
    assert_eq!(label(&page, fine).unwrap(), "");
    assert!(
        took < Duration::from_secs(60),
        "no longer than its limit, the first time too: {took:?}"
    );

    let (page, took) = scrape();
    assert_eq!(label(&page, hung).unwrap(), "mountpoint timeout");
    assert_eq!(label(&page, late).unwrap(), "");
    assert!(took < Duration::from_secs(9), "it is not waited for again: {took:?}");

    for point in [hung, late, fine] {
        unmount(point, UnmountFlags::DETACH).unwrap();
    }
    // End the servers, which unblocks the mounts.
    drop(scratch);
    process::exit(0);
}

#[test]
#[ignore = "not a test but a prober"]
fn child_as_prober() {
    prober::main();
}

/// Mounts a file system at `point` that replies to STATFS after a delay, or never.
fn serve_fuse(point: &Path, delay: Option<Duration>) {
    let device = File::options().read(true).write(true).open("/dev/fuse").unwrap();
    let options =
        format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
    let options = ffi::CString::new(options).unwrap();
    mount("hung", point, "fuse.hung", MountFlags::empty(), Some(options.as_c_str())).unwrap();
    thread::spawn(move || {
        let mut request = vec![0; 1 << 20];
        while let Ok(length) = io::Read::read(&mut &device, &mut request) {
            let word =
                |at: usize| u32::from_ne_bytes(request[..length][at..at + 4].try_into().unwrap());
            let id = request[8..16].to_vec();
            let reply = |error: i32, body: &[u8]| {
                let length = u32::try_from(16 + body.len()).unwrap();
                let message =
                    [&length.to_ne_bytes(), &error.to_ne_bytes(), id.as_slice(), body].concat();
                let _ = io::Write::write(&mut &device, &message);
            };
            match word(4) {
                // FORGET, INTERRUPT and BATCH_FORGET have no reply.
                2 | 36 | 42 => {}
                GETATTR => {
                    let mut answer = [0; 104];
                    answer[0..8].copy_from_slice(&3600_u64.to_ne_bytes()); // valid so long
                    answer[16..24].copy_from_slice(&1_u64.to_ne_bytes()); // inode
                    answer[76..80].copy_from_slice(&0o40755_u32.to_ne_bytes()); // mode
                    answer[80..84].copy_from_slice(&2_u32.to_ne_bytes()); // links
                    reply(0, &answer);
                }
                STATFS => {
                    if let Some(delay) = delay {
                        thread::sleep(delay);
                        reply(0, &[0; 80]);
                    }
                }
                INIT => {
                    let mut answer = [0; 64];
                    answer[0..4].copy_from_slice(&7_u32.to_ne_bytes()); // version 7.31
                    answer[4..8].copy_from_slice(&31_u32.to_ne_bytes());
                    answer[20..24].copy_from_slice(&4096_u32.to_ne_bytes()); // longest write
                    reply(0, &answer);
                }
                _ => reply(-38, &[]), // ENOSYS
            }
        }
    });
}

// Operations of the protocol: include/uapi/linux/fuse.h
const GETATTR: u32 = 3;
const STATFS: u32 = 17;
const INIT: u32 = 26;
