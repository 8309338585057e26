//! Files that stay open do not hide a change: each collector exposes the same as on a host that
//! opens all files anew.

use std::collections::BTreeMap;
use std::time::Duration;
use std::{fs, thread};

use exporter_core::collector::{Source, chain};
use exporter_core::families::Families;
use exporter_core::file::FileSystem;
use exporter_core::testing;

use super::machine::Machine;
use super::*;

/// Directories stay open if they have not changed for this long.
const SETTLED: Duration = Duration::from_millis(2100);

#[test]
fn changes_of_files_are_exposed() {
    let machine = Machine::new();
    let root = fs::File::open(&machine.directories[0]).unwrap();
    if FileSystem::of(root) != Some(FileSystem::Local) {
        return testing::skip("it takes a temporary directory on a local file system");
    }
    let changes: [(&str, Change); 4] =
        [("replaced", replace), ("removed", remove), ("added", add), ("moved", move_directories)];
    let host = machine.host();
    let mut before = pages(&host);
    for (name, change) in changes {
        thread::sleep(SETTLED);
        assert!(pages(&host) == before, "before files are {name}");
        change(&machine);
        let (found, expected) = (pages(&host), pages(&machine.host()));
        for (collector, expected) in &expected {
            assert_eq!(found[collector], *expected, "{collector}, after files are {name}");
        }
        assert!(expected != before, "nothing changes when files are {name}");
        before = expected;
    }
}

/// The page of each collector, with its error.
fn pages(host: &Host) -> BTreeMap<&'static str, String> {
    // The file systems are those of this machine.
    let is_stable = |name| !LIVE.contains(&name) && name != "filesystem";
    let collectors = recorded_there().filter(|def| is_stable(def.name));
    collectors.map(|def| (def.name, page(def, host))).collect()
}

fn page(def: &Definition, host: &Host) -> String {
    let Ok(Source::Blocking(mut collector)) = (def.build)(host, &flags(def)) else {
        return "it does not build".to_owned();
    };
    let mut out = Families::default();
    let result = collector.collect(&mut out);
    // A changed name may be that of another device.
    let (page, dropped) = testing::page_with_dropped(&[out]);
    let error = result.err().map(|error| chain(&error));
    format!("{}{dropped:?} {error:?}", String::from_utf8_lossy(&page))
}

type Change = fn(&Machine);

fn replace(machine: &Machine) {
    for path in machine.files() {
        let text = fs::read(&path).unwrap();
        let text: Vec<_> = text.iter().map(|b| if *b == b'1' { b'2' } else { *b }).collect();
        let new = path.with_file_name("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    }
}

fn remove(machine: &Machine) {
    for path in machine.files().iter().step_by(3) {
        fs::remove_file(path).unwrap();
    }
}

/// Each file that was removed.
fn add(machine: &Machine) {
    let original = Machine::new();
    for (path, copy) in machine.directories.iter().zip(&original.directories) {
        for name in crate::host::list(copy).unwrap() {
            let (from, to) = (copy.join(&name), path.join(&name));
            if !to.exists() && from.is_file() {
                fs::copy(from, to).unwrap();
            }
        }
    }
}

/// Exchanges the contents of neighbouring directories that have the same parent.
fn move_directories(machine: &Machine) {
    for pair in machine.directories.windows(2) {
        let [one, other] = pair else { continue };
        if one.parent() == other.parent() && one.is_dir() && other.is_dir() {
            let between = one.with_file_name("between");
            fs::rename(one, &between).unwrap();
            fs::rename(other, one).unwrap();
            fs::rename(between, other).unwrap();
        }
    }
}
