//! Cache of parsed files.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use exporter_core::collector;
use rustix::fs::Stat;

use super::parser::{self, Page};
use crate::host;

/// The content of each file.
#[derive(Default)]
pub(super) struct Cache(HashMap<PathBuf, Entry>);

struct Entry {
    version: Version,
    /// Whether every later change will be visible in the version.
    is_settled: bool,
    content: Result<File, String>,
}

/// A valid file.
pub(super) struct File {
    /// Its path, as a label.
    pub(super) name: String,
    pub(super) mtime: f64,
    pub(super) page: Page,
}

impl Cache {
    /// Reads the files that have changed, and removes files that are not listed from the cache.
    /// Returns the valid files in order.
    pub(super) fn read(
        &mut self,
        paths: &[PathBuf],
        problems: &mut BTreeSet<String>,
    ) -> Vec<&File> {
        let mut previous = std::mem::take(&mut self.0);
        for path in paths {
            let entry = Entry::load(path, previous.remove(path));
            if let Err(problem) = &entry.content {
                problems.insert(problem.clone());
            }
            self.0.insert(path.clone(), entry);
        }
        paths.iter().filter_map(|path| self.0.get(path)?.content.as_ref().ok()).collect()
    }
}

impl Entry {
    fn load(path: &Path, previous: Option<Self>) -> Self {
        // The version is determined before the file is read, so a concurrent change is detected by
        // the next scrape.
        let stat = match host::stat_regular_file(path) {
            Ok(stat) => stat,
            Err(error) => {
                let content = Err(collector::chain(&error));
                return Self { version: Version::default(), is_settled: false, content };
            }
        };
        let version = Version::from_stat(&stat);
        if let Some(previous) = previous
            && previous.is_settled
            && previous.version == version
        {
            return previous;
        }
        let is_settled = version.is_old();
        let content = read(path).map(|page| {
            let name = path.to_string_lossy().into_owned();
            File { name, mtime: version.mtime(), page }
        });
        Self { version, is_settled, content }
    }
}

fn read(path: &Path) -> Result<Page, String> {
    let bytes = host::read_bytes(path).map_err(|error| collector::chain(&error))?;
    parser::parse(&bytes).map_err(|problem| format!("{}: {problem}", path.display()))
}

/// Identifies a version of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Version {
    device: u64,
    inode: u64,
    size: i64,
    /// Seconds and nanoseconds of the modification time and of the change time.
    times: [i64; 4],
}

impl Version {
    #[expect(clippy::cast_possible_wrap, reason = "nanoseconds are less than a second")]
    pub(super) fn from_stat(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: stat.st_size,
            times: [
                stat.st_mtime,
                stat.st_mtime_nsec as i64,
                stat.st_ctime,
                stat.st_ctime_nsec as i64,
            ],
        }
    }

    fn mtime(&self) -> f64 {
        let [seconds, nanoseconds, ..] = self.times;
        // Converted from nanoseconds, which rounds as in the Go exporter.
        seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds) as f64 / 1e9
    }

    /// Whether the last change was so long ago that another change has another timestamp.
    /// Timestamps of file systems are coarse.
    pub(super) fn is_old(&self) -> bool {
        const MAX_TIMESTAMP_GRANULARITY: i64 = 3;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let [mtime, _, ctime, _] = self.times;
        mtime.max(ctime) < now - MAX_TIMESTAMP_GRANULARITY
    }
}
