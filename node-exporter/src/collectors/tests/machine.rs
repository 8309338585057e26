//! A copy of the recorded machine, for tests that change its files.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Host, TESTS};
use crate::scratch::Scratch;

pub(super) struct Machine {
    root: Scratch,
    pub(super) directories: Vec<PathBuf>,
}

impl Machine {
    pub(super) fn new() -> Self {
        let root = Scratch::new();
        let mut directories = Vec::new();
        copy(&PathBuf::from(TESTS).join("fixtures"), root.path(), &mut directories);
        Self { root, directories }
    }

    /// The machine with no file open.
    pub(super) fn host(&self) -> Host {
        Host::for_tests(self.root.path())
    }

    /// The regular files that exist now, in order.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for directory in self.directories.iter().filter(|directory| directory.is_dir()) {
            let names = crate::host::list(directory).unwrap().into_iter();
            let paths = names.map(|name| directory.join(name));
            files.extend(paths.filter(|path| fs::symlink_metadata(path).unwrap().is_file()));
        }
        files
    }
}

fn copy(from: &Path, to: &Path, directories: &mut Vec<PathBuf>) {
    directories.push(to.to_owned());
    for name in crate::host::list(from).unwrap() {
        let (from, to) = (from.join(&name), to.join(&name));
        let kind = fs::symlink_metadata(&from).unwrap().file_type();
        if kind.is_symlink() {
            symlink(fs::read_link(&from).unwrap(), &to).unwrap();
        } else if kind.is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&from, &to, directories);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}
