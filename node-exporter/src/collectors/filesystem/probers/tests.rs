use std::path::PathBuf;
use std::{fs, thread};

use exporter_core::testing::until;
use rustix::process::{Pid, Signal, kill_process};

use super::super::prober::Space;
use super::*;

/// Started by the other tests as a prober. The reply to a path that ends in a number takes that many
/// milliseconds.
#[test]
#[ignore = "not a test but a prober"]
fn prober_of_tests() {
    prober::serve(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        thread::sleep(Duration::from_millis(name.parse().unwrap_or(0)));
        Ok(Space { size: 1.0, free: 1.0, available: 1.0, files: 1.0, files_free: 1.0 })
    });
}

#[expect(clippy::disallowed_methods, reason = "runs this test")]
fn program() -> Command {
    let mut command = Command::new("/proc/self/exe");
    let name = "collectors::filesystem::probers::tests::prober_of_tests";
    command.args([name, "--exact", "--ignored"]);
    command
}

const FOR_EVER: &str = "/10000000";
const BUDGET: Duration = Duration::from_secs(5);

/// Queries these paths; returns whether each had a reply, and the duration.
fn query(probers: &mut Probers, paths: &[&str], budget: Duration) -> (Vec<bool>, Duration) {
    let paths: Vec<_> = paths.iter().map(PathBuf::from).collect();
    let queries: Vec<_> = paths
        .iter()
        .enumerate()
        .map(|(index, path)| Query { path, group: index.to_string().into_bytes() })
        .collect();
    let start = Instant::now();
    let (replies, result) = probers.query(&queries, budget);
    result.unwrap();
    (replies.iter().map(|reply| matches!(reply, Some(Ok(_)))).collect(), start.elapsed())
}

#[test]
fn one_prober_suffices_while_it_replies() {
    let mut probers = Probers::new(program);
    let is_same_prober = || {
        let mut processes = Vec::new();
        for _ in 0..3 {
            assert_eq!(query(&mut probers, &["/a"; 100], BUDGET).0, [true; 100]);
            processes.extend(probers.idle.iter().map(|prober| prober.child.id()));
        }
        assert_eq!(processes.len(), 3);
        processes.dedup();
        processes.len() == 1
    };
    // A busy machine may delay a reply so long that another prober is started.
    until(is_same_prober, || "the queries use several probers".to_owned());
}

#[test]
fn a_hanging_mount_does_not_delay_others() {
    let mut probers = Probers::new(program);
    let paths = [FOR_EVER, "/a", FOR_EVER, "/b"];
    let (replies, took) = query(&mut probers, &paths, BUDGET);
    assert_eq!(replies, [false, true, false, true]);
    assert!(took >= BUDGET && took < BUDGET * 10, "{took:?}");
    assert_eq!(probers.stuck.len(), 2);

    let stuck = |probers: &Probers| {
        let mut processes: Vec<_> = probers.stuck.values().map(|p| p.child.id()).collect();
        processes.sort_unstable();
        processes
    };
    let before = stuck(&probers);
    let (replies, took) = query(&mut probers, &paths, BUDGET);
    assert_eq!(replies, [false, true, false, true]);
    assert!(took < BUDGET, "they are not waited for twice: {took:?}");
    assert_eq!(stuck(&probers), before, "nor requested twice");
    assert_eq!(probers.idle.len(), 1);
}

#[test]
fn many_hanging_mounts_do_not_extend_the_time_limit() {
    let mut probers = Probers::new(program);
    let mut paths = [FOR_EVER; 20];
    paths[19] = "/a";
    let (replies, took) = query(&mut probers, &paths, BUDGET);
    assert_eq!(replies.iter().filter(|reply| **reply).count(), 1);
    assert!(took < BUDGET * 10, "{took:?}");
}

#[test]
fn late_mounts_are_queried_again() {
    let mut probers = Probers::new(program);
    let slow = ["/10000", "/a"];
    assert_eq!(query(&mut probers, &slow, BUDGET).0, [false, true]);
    until(|| query(&mut probers, &slow, BUDGET * 4).0 == [true, true], || "asked again".into());
    assert!(probers.stuck.is_empty());
}

#[test]
fn mounts_of_one_device_are_queried_in_sequence() {
    let mut probers = Probers::new(program);
    let queries = [FOR_EVER, FOR_EVER, FOR_EVER]
        .map(|path| Query { path: Path::new(path), group: b"0:50".to_vec() });
    let (replies, result) = probers.query(&queries, Duration::from_millis(300));
    result.unwrap();
    assert_eq!(replies, [None; 3]);
    assert_eq!(probers.stuck.len(), 1);
    let (replies, _) = probers.query(&queries, BUDGET);
    assert_eq!(replies, [None; 3]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "looks for a zombie")]
fn a_prober_that_was_killed_is_replaced() {
    let mut probers = Probers::new(program);
    assert_eq!(query(&mut probers, &["/a"], BUDGET).0, [true]);
    let killed = Pid::from_child(&probers.idle[0].child);
    kill_process(killed, Signal::KILL).unwrap();
    // A zombie without other threads has closed its end of the socket.
    let process = format!("/proc/{}", killed.as_raw_nonzero());
    let is_zombie = || fs::read_to_string(format!("{process}/stat")).unwrap().contains(") Z ");
    let threads = || fs::read_dir(format!("{process}/task")).unwrap().count();
    until(|| is_zombie() && threads() == 1, || process.clone());
    assert_eq!(query(&mut probers, &["/a"], BUDGET).0, [true]);
    assert_ne!(Pid::from_child(&probers.idle[0].child), killed);
    query(&mut probers, &[], BUDGET);
    assert!(probers.exiting.is_empty(), "no zombie is left");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "programs that are no probers")]
fn a_program_that_is_not_a_prober_is_an_error() {
    let query = || [Query { path: Path::new("/a"), group: Vec::new() }];
    let mut probers = Probers::new(|| Command::new("/nonexistent"));
    let (replies, result) = probers.query(&query(), BUDGET);
    assert_eq!(replies, [None]);
    let error = result.unwrap_err().to_string();
    assert_eq!(error, "starting a prober for the mounts that may hang failed");

    let mut probers = Probers::new(|| Command::new("/bin/true"));
    let (replies, result) = probers.query(&query(), BUDGET);
    assert!(matches!(replies[..], [Some(Err(_))]), "{replies:?}");
    result.unwrap();
}
