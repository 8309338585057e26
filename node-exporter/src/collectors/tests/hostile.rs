//! No file can crash the process: if a file that a collector reads is damaged in any of these ways,
//! at most that collector fails, with an error that names the file.
//!
//! The files that a collector reads are not listed here but observed, so that new collectors are
//! covered, too.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{fs, thread};

use exporter_core::collector::{Collector, Error, Source, chain};
use exporter_core::families::Families;
use exporter_core::testing;
use rustix::fs::{CWD, FileType, Mode, inotify, mknodat};
use rustix::time::{ClockId, clock_gettime};

use super::machine::Machine;
use super::*;

type Damage = fn(&Path, &[u8]);

static DAMAGES: [(&str, Damage); 10] = [
    ("emptied", |path, _| write(path, "")),
    ("cut in half", |path, text| write(path, &text[..text.len() / 2])),
    ("with a line of rubbish", |path, text| {
        insert(path, text, b"!@ % :: = - [ ( 18446744073709551616 \n");
    }),
    ("with a blank line", |path, text| insert(path, text, b"\n")),
    ("with words missing", |path, text| {
        let words = text.split(|&byte| byte == b' ').step_by(2);
        write(path, words.collect::<Vec<_>>().join(&b' '));
    }),
    ("not UTF-8", |path, text| insert(path, text, b"\xff\xc3(\xf0\x9f\n\xfe ")),
    (GROWN, |path, text| {
        write(path, text);
        fs::File::options().write(true).open(path).unwrap().set_len(10 << 20).unwrap();
    }),
    ("removed", |path, _| fs::remove_file(path).unwrap()),
    ("a directory", |path, _| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    }),
    ("a FIFO", |path, _| {
        fs::remove_file(path).unwrap();
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }),
];

/// The CPU time limit of a collector, for a program that is not optimised.
const SECONDS: i64 = if cfg!(debug_assertions) { 4 } else { 1 };

const GROWN: &str = "grown to 10 MB";

/// Replaces the file instead of overwriting it, which would wait for the disk.
fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::remove_file(path).unwrap();
    fs::write(path, text).unwrap();
}

/// Inserts text at the beginning and in the middle.
fn insert(path: &Path, text: &[u8], inserted: &[u8]) {
    let middle =
        text[..text.len() / 2].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let (head, tail) = text.split_at(middle);
    write(path, [inserted, head, inserted, tail].concat());
}

fn restore(path: &Path, text: &[u8]) {
    let _ = fs::remove_file(path);
    let _ = fs::remove_dir(path);
    fs::write(path, text).unwrap();
}

#[test]
fn damaged_files_fail_only_their_collector() {
    let machine = Machine::new();
    let (progress, steps) = mpsc::channel();
    let worker = thread::spawn(move || {
        for def in recorded_there() {
            damage_each(def, &machine, &progress);
        }
        damage_all(&machine, &progress);
    });
    let mut step = String::new();
    loop {
        match steps.recv_timeout(Duration::from_secs(120)) {
            Ok(next) => step = next,
            Err(RecvTimeoutError::Timeout) => panic!("{step}: it does not come back"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if let Err(panic) = worker.join() {
        std::panic::resume_unwind(panic);
    }
}

fn damage_each(def: &'static Definition, machine: &Machine, progress: &mpsc::Sender<String>) {
    let watch = Watch::new(machine);
    let mut collector = build(def, machine);
    let at_start = watch.opened();
    run(def.name, &mut *collector, None);
    let files = watch.opened();
    drop(watch);
    for path in one_of_a_kind(at_start.union(&files)) {
        let text = fs::read(&path).unwrap();
        for (name, damage) in &DAMAGES {
            let step = format!("{}: {} {name}", def.name, path.display());
            progress.send(step.clone()).unwrap();
            damage(&path, &text);
            if at_start.contains(&path) {
                collector = build(def, machine);
            }
            run(&step, &mut *collector, Some(&path));
            restore(&path, &text);
        }
        if at_start.contains(&path) {
            collector = build(def, machine);
        }
        let (_, result) = testing::collect(&mut *collector);
        result.unwrap_or_else(|error| {
            panic!("{}: {} is whole again: {error}", def.name, path.display())
        });
    }
}

/// Every file damaged at once.
fn damage_all(machine: &Machine, progress: &mpsc::Sender<String>) {
    let files: Vec<_> = machine
        .files()
        .into_iter()
        .map(|path| {
            let text = fs::read(&path).unwrap();
            (path, text)
        })
        .collect();
    for (name, damage) in DAMAGES.iter().filter(|(name, _)| *name != GROWN) {
        for (path, text) in &files {
            damage(path, text);
        }
        for def in recorded_there() {
            let step = format!("{}: every file {name}", def.name);
            progress.send(step.clone()).unwrap();
            run(&step, &mut *build(def, machine), None);
        }
        for (path, text) in &files {
            restore(path, text);
        }
    }
}

fn build(def: &Definition, machine: &Machine) -> Box<dyn Collector> {
    match (def.build)(&machine.host(), &flags(def)) {
        Ok(Source::Blocking(collector)) => collector,
        Ok(_) => panic!("{} waits for a network", def.name),
        Err(error) => panic!("{} does not build: {}", def.name, chain(&error)),
    }
}

/// Collects within the time limit, without a panic. If it fails, the error names a damaged file.
fn run(step: &str, collector: &mut dyn Collector, damaged: Option<&Path>) {
    let start = clock_gettime(ClockId::ThreadCPUTime);
    // Do not write a page: a damaged file may contain duplicates, which are dropped from a page.
    let mut out = Families::default();
    let result = catch_unwind(AssertUnwindSafe(|| collector.collect(&mut out)));
    let took = clock_gettime(ClockId::ThreadCPUTime) - start;
    let result = result.unwrap_or_else(|_| panic!("{step}: it panics"));
    assert!(took.tv_sec < SECONDS, "{step}: it takes {took:?}");
    if let (Some(path), Err(error)) = (damaged, result)
        && !matches!(error, Error::Absent(_))
    {
        let error = chain(&error);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(error.contains(name), "{step}: its error names another file: {error}");
    }
}

/// Only one of the files whose names differ in numbers.
fn one_of_a_kind<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Vec<PathBuf> {
    let mut kinds = BTreeMap::new();
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        kinds.entry(name.replace(|c: char| c.is_ascii_digit(), "")).or_insert(path.clone());
    }
    kinds.into_values().collect()
}

/// Records which files of the machine are opened.
struct Watch {
    queue: OwnedFd,
    directories: HashMap<i32, PathBuf>,
}

impl Watch {
    fn new(machine: &Machine) -> Self {
        let queue =
            inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK).unwrap();
        let directories = machine.directories.iter().map(|directory| {
            let number = inotify::add_watch(&queue, directory, inotify::WatchFlags::OPEN).unwrap();
            (number, directory.clone())
        });
        let directories = directories.collect();
        Self { queue, directories }
    }

    /// The files since the last call.
    fn opened(&self) -> BTreeSet<PathBuf> {
        let mut files = BTreeSet::new();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.queue, &mut buffer);
        while let Ok(event) = events.next() {
            let directory = self.directories.get(&event.wd());
            if let (Some(directory), Some(name)) = (directory, event.file_name()) {
                let path = directory.join(name.to_str().unwrap());
                if fs::symlink_metadata(&path).is_ok_and(|found| found.is_file()) {
                    files.insert(path);
                }
            }
        }
        files
    }
}
