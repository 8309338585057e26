//! What holds for every collector, over the same recorded machine.

mod hostile;

use std::path::PathBuf;

use exporter_core::flags::Flags;
use exporter_core::testing;

use super::*;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

#[test]
fn names_are_in_order_and_differ() {
    let names: Vec<_> = ALL.iter().map(|def| def.name).collect();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

/// Run with `UPDATE=1` to take what is exposed now for what should be.
#[test]
fn each_exposes_what_it_did() {
    for def in ALL {
        let (page, end) = testing::expose(def, &recorded(), &flags(def));
        end.unwrap_or_else(|error| panic!("{}: {error}", def.name));
        testing::golden(format!("{TESTS}/golden/{}.prom", def.name), &page);
    }
}

#[test]
fn each_exposes_what_it_declares() {
    for def in ALL {
        let (page, _) = testing::expose(def, &recorded(), &flags(def));
        testing::declared_is_exposed(def, &page);
    }
}

/// The recorded machine.
fn recorded() -> Host {
    let fixtures = PathBuf::from(TESTS).join("fixtures");
    Host {
        procfs: fixtures.join("proc"),
        sysfs: fixtures.join("sys"),
        rootfs: fixtures.clone(),
        udev: fixtures.join("udev/data"),
    }
}

/// The flags under which a collector exposes all that it declares.
fn flags(_: &Definition) -> Flags {
    Flags::default()
}
