//! No file can take the process down: each that a collector reads, damaged in every way we know.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use exporter_core::collector::{Error, Source, chain};
use exporter_core::families::Families;
use rustix::fs::{CWD, FileType, Mode};

use super::tests::{flags, recorded};
use super::{ALL, Definition};
use crate::host::{self, Host};

/// A way to damage a file, given what was in it.
type Damage = (&'static str, fn(&Path, &[u8]));

static DAMAGES: [Damage; 10] = [
    ("emptied", |path, _| fs::write(path, "").unwrap()),
    ("cut in half", |path, text| fs::write(path, &text[..text.len() / 2]).unwrap()),
    ("with a garbage line", |path, text| {
        let middle = text.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let (before, after) = text.split_at(middle);
        fs::write(path, [before, b"\x00%s: -1 \xe2\x82 : 9e999 ((\n\n", after].concat()).unwrap();
    }),
    ("garbage", |path, _| fs::write(path, ")]}'\n\n -99999999999999999999 :\n").unwrap()),
    ("not UTF-8", |path, text| {
        fs::write(path, [b"\xff\xfe ", text, b"\xc3\x28\n"].concat()).unwrap();
    }),
    ("10 MB of itself", |path, text| {
        fs::write(path, text.repeat(LARGE / text.len().max(1))).unwrap();
    }),
    ("10 MB on one line", |path, _| fs::write(path, vec![b'7'; LARGE]).unwrap()),
    ("removed", |_, _| {}),
    ("a directory", |path, _| fs::create_dir(path).unwrap()),
    ("a FIFO", |path, _| {
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR, 0).unwrap();
    }),
];

const LARGE: usize = 10 << 20;

/// In a debug build, on a busy machine, for 10 MB.
const MOST: Duration = Duration::from_secs(20);

#[test]
fn no_file_takes_the_process_down() {
    let copy = Copy::of(&recorded());
    for def in ALL {
        for file in copy.files.iter().filter(|file| is_read(def, &copy.root, file)) {
            let text = fs::read(file).unwrap();
            for (what, damage) in DAMAGES {
                fs::remove_file(file).unwrap();
                damage(file, &text);
                let begun = Instant::now();
                let case = format!("{}: {} {what}", def.name, file.display());
                let mut collect = running(def, &copy.host);
                if let Err(error) = collect() {
                    let line = chain(&error);
                    let named = line.contains(&*file.to_string_lossy());
                    assert!(named || matches!(error, Error::Absent(_)), "{case}: {line}");
                    assert!(line.len() < 1024, "{case}: {line}");
                }
                assert!(begun.elapsed() < MOST, "{case}: {:?}", begun.elapsed());
                if file.is_dir() { fs::remove_dir(file) } else { fs::remove_file(file) }.ok();
                fs::write(file, &text).unwrap();
                // It comes back without being built anew.
                collect().unwrap_or_else(|error| panic!("{case}, then whole: {}", chain(&error)));
            }
        }
    }
}

fn running(def: &Definition, host: &Host) -> impl FnMut() -> Result<(), Error> {
    let source = (def.build)(host, &flags(def));
    let mut source = source.unwrap_or_else(|error| panic!("{}: {error}", def.name));
    move || match &mut source {
        Source::Blocking(collector) => collector.collect(&mut Families::default()),
        Source::Async(_) => panic!("waits for a network"),
    }
}

/// Whether a file of the copy is among those that a collector says it reads.
fn is_read(def: &Definition, root: &Path, file: &Path) -> bool {
    let file = Path::new("/").join(file.strip_prefix(root).unwrap());
    def.reads.iter().any(|pattern| {
        let mut names = file.iter();
        // What is below a directory that it reads counts as well.
        Path::new(pattern).iter().all(|pattern| {
            let pattern = pattern.to_str().unwrap();
            names.next().is_some_and(|name| matches(pattern, name.to_str().unwrap()))
        })
    })
}

/// `*` in a pattern is anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((stem, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(stem) else { return false };
    (0..=name.len()).any(|at| name.get(at..).is_some_and(|name| matches(rest, name)))
}

/// The recorded machine once more, to be damaged.
struct Copy {
    root: PathBuf,
    host: Host,
    files: Vec<PathBuf>,
}

impl Copy {
    fn of(recorded: &Host) -> Self {
        let root = std::env::temp_dir().join(format!("damaged-{}", std::process::id()));
        let from = recorded.procfs.parent().unwrap();
        let mut files = Vec::new();
        copy(from, &root, &mut files);
        let moved = |path: &Path| root.join(path.strip_prefix(from).unwrap());
        let host = Host {
            procfs: moved(&recorded.procfs),
            sysfs: moved(&recorded.sysfs),
            rootfs: moved(&recorded.rootfs),
            udev: moved(&recorded.udev),
        };
        Self { root, host, files }
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.root).ok();
    }
}

fn copy(from: &Path, to: &Path, files: &mut Vec<PathBuf>) {
    fs::create_dir(to).unwrap();
    for name in host::list(from).unwrap() {
        let (from, to) = (from.join(&name), to.join(&name));
        let kind = fs::symlink_metadata(&from).unwrap().file_type();
        if kind.is_dir() {
            copy(&from, &to, files);
        } else if kind.is_symlink() {
            symlink(fs::read_link(&from).unwrap(), &to).unwrap();
        } else {
            fs::copy(&from, &to).unwrap();
            files.push(to);
        }
    }
}
