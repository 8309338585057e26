//! Metrics that other programs write to files: `*.prom` in the given directories.
//!
//! An invalid file is ignored completely. An unchanged file costs one `stat`. Several files may
//! contain the same family if their help texts agree; labels are merged.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use exporter_core::collector::{self, Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::{Families, Precedence};
use exporter_core::flags::Flag;

use self::cache::{Cache, File};
use super::Definition;
use crate::host;

mod cache;
mod glob;
mod merge;
mod parser;

pub(super) static DEFINITION: Definition =
    Definition::new("textfile", "Metrics from files that other programs write", |_, flags| {
        let directories = flags.list(&DIRECTORY).into_iter().filter(|path| !path.is_empty());
        let directories = directories.map(PathBuf::from).collect();
        Ok(Source::blocking(Textfile { directories, ..Textfile::default() }))
    })
    .cost("one file per textfile, parsed only when it has changed")
    .rights("read access to the directory")
    .reads(&["*.prom in --collector.textfile.directory"])
    .flags(&[&DIRECTORY])
    .metrics(&[&MTIME, &SCRAPE_ERROR]);

static DIRECTORY: Flag = Flag::list(
    "collector.textfile.directory",
    &[],
    "Directory of *.prom files with metrics; may be a pattern with *, ? and [...].",
);

static MTIME: Desc<1> = Desc::gauge(
    "node_textfile_mtime_seconds",
    "When a file that was taken last changed, in seconds since 1970.",
    ["file"],
);
static SCRAPE_ERROR: Desc = Desc::gauge(
    "node_textfile_scrape_error",
    "Whether any of the files could not be taken, or not all of it.",
    [],
);

#[derive(Default)]
struct Textfile {
    directories: Vec<PathBuf>,
    cache: Cache,
    /// The errors of the last scrape, which are not logged again.
    logged: BTreeSet<String>,
}

impl Collector for Textfile {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut problems = BTreeSet::new();
        let paths = files(&self.directories, &mut problems);
        let files: Vec<&File> = self.cache.read(&paths, &mut problems);
        let families = merge::families(&files, &mut problems);
        out.family(&SCRAPE_ERROR).sample([], f64::from(u8::from(!problems.is_empty())));
        let mut mtime = out.family(&MTIME);
        for file in &files {
            mtime.sample([&file.name], file.mtime);
        }
        out.set_precedence(Precedence::Guest);
        for family in &families {
            family.write(&files, out);
        }
        for problem in problems.difference(&self.logged) {
            tracing::warn!(collector = "textfile", error = problem, "file not taken");
        }
        self.logged = problems;
        Ok(())
    }
}

/// The files of all directories, without duplicates.
fn files(directories: &[PathBuf], problems: &mut BTreeSet<String>) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for directory in directories.iter().flat_map(|pattern| glob::matches(pattern)) {
        match host::entries(&directory) {
            Ok(names) => {
                let names = names.iter().filter(|name| is_wanted(name));
                paths.extend(names.map(|name| normalized(&directory).join(name)));
            }
            Err(error) => drop(problems.insert(collector::chain(&error))),
        }
    }
    let mut seen = HashSet::with_capacity(paths.len());
    paths.retain(|path| seen.insert(path.clone()));
    paths
}

fn is_wanted(name: &OsStr) -> bool {
    name.as_encoded_bytes().ends_with(b".prom")
}

/// A path without redundant components, as in the label `file`.
fn normalized(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != Component::CurDir).collect()
}

#[cfg(test)]
mod tests;
