use std::path::Path;

use exporter_core::testing;

use super::*;

fn host() -> Host {
    Host::for_tests(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures")))
}

#[test]
fn groups_are_selected() {
    for (given, expected, omitted) in [
        (
            vec![],
            vec![
                "/init.scope",
                "/system.slice",
                "/system.slice/cron.service",
                r"/system.slice/dev-disk\x2dby.scope",
                "/user.slice",
            ],
            0,
        ),
        (vec![(&MAX_DEPTH, "1")], vec!["/init.scope", "/system.slice", "/user.slice"], 0),
        (vec![(&MAX_DEPTH, "0")], vec![], 0),
        (vec![(&INCLUDE, "service$")], vec!["/system.slice/cron.service"], 0),
        (vec![(&EXCLUDE, r"\.(slice|scope)$")], vec!["/system.slice/cron.service"], 0),
        (vec![(&MAX_GROUPS, "2")], vec!["/init.scope", "/system.slice"], 3),
    ] {
        let collector = Cgroup2::new(&host(), &Flags::new(given.clone())).unwrap();
        let (found, more) = collector.groups("fs/cgroup").unwrap();
        assert_eq!((found, more), (expected.iter().map(ToString::to_string).collect(), omitted));
    }
}

#[test]
fn flags_must_be_numbers() {
    for flag in [&MAX_DEPTH, &MAX_GROUPS] {
        let error = Cgroup2::new(&host(), &Flags::new([(flag, "many")])).err().unwrap();
        assert!(error.to_string().contains(flag.name), "{error}");
    }
}

#[test]
fn a_machine_without_cgroup_v2_is_absent() {
    let empty = tempfile::tempdir().unwrap();
    let host = Host { sysfs: empty.path().to_owned(), ..host() };
    let mut collector = Cgroup2::new(&host, &Flags::default()).unwrap();
    let (_, result) = testing::collect(&mut collector);
    assert!(matches!(result, Err(Error::Absent(_))), "{result:?}");
}
