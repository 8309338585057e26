//! The files that a configuration names: their paths, their contents, and whether they have changed
//! since.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{self, SHA256};

use crate::config_file::{self, Stamp};

/// Reads files, and records their stamps and a digest of their contents.
#[derive(Debug)]
pub(crate) struct Files {
    /// The directory to which names are relative.
    directory: PathBuf,
    credentials: Option<PathBuf>,
    stamps: Vec<(PathBuf, Stamp)>,
    digest: Vec<u8>,
}

impl Files {
    /// Resolves names relative to the configuration file `config`. `credentials` is the value of
    /// `$CREDENTIALS_DIRECTORY`.
    pub(crate) fn for_config(config: &Path, credentials: Option<PathBuf>) -> Self {
        let directory = config.parent().map(Path::to_path_buf).unwrap_or_default();
        Self { directory, credentials, stamps: Vec::new(), digest: Vec::new() }
    }

    /// The path for a name in the configuration.
    pub(crate) fn resolve(&self, name: &str) -> Result<PathBuf, String> {
        config_file::resolve_in(&self.directory, self.credentials.as_deref(), name)
    }

    /// The bytes of a file of at most `limit` bytes. The error does not name the file.
    pub(crate) fn read(&mut self, path: &Path, limit: u64) -> Result<Vec<u8>, String> {
        // Take the stamp before reading, so that a change while reading is detected.
        let (stamp, content) = config_file::content(path, limit);
        self.stamps.push((path.to_path_buf(), stamp));
        let bytes = content.map_err(|problem| format!("cannot be read: {problem}"))?;
        self.digest.extend_from_slice(digest::digest(&SHA256, &bytes).as_ref());
        Ok(bytes)
    }

    /// The configuration file itself, which is read first.
    pub(crate) fn configuration(&self) -> Option<PathBuf> {
        self.stamps.first().map(|(path, _)| path.clone())
    }

    /// Whether users other than the owner and the group could read a file when it was read.
    pub(crate) fn is_readable_by_others(&self, path: &Path) -> bool {
        let stamp = self.stamps.iter().find(|(read, _)| read == path).map(|(_, stamp)| stamp);
        matches!(stamp, Some(Stamp::Present { mode, .. }) if mode & 0o004 != 0)
    }

    /// The files that were read, for a later comparison.
    pub(crate) fn into_file_set(self) -> FileSet {
        FileSet { files: self.stamps, digest: self.digest }
    }
}

/// The files that were read, with their stamps and a digest of their contents.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileSet {
    files: Vec<(PathBuf, Stamp)>,
    digest: Vec<u8>,
}

impl FileSet {
    pub(crate) fn has_same_content(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    pub(crate) fn stamps(&self) -> Vec<Stamp> {
        self.files.iter().map(|(_, stamp)| *stamp).collect()
    }

    /// The current stamps of the same files.
    pub(crate) fn current_stamps(&self) -> Vec<Stamp> {
        let mut stamps = Vec::with_capacity(self.files.len());
        for (path, _) in &self.files {
            // Usually, all files are on one file system. If it does not respond, do not wait for it
            // again.
            let responds = stamps.last() != Some(&Stamp::TimedOut);
            stamps.push(if responds { config_file::stamp(path) } else { Stamp::TimedOut });
        }
        stamps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::SMALL;

    #[test]
    fn names_are_relative_to_the_configuration() {
        let files =
            Files::for_config(Path::new("/etc/x/web.yml"), Some("/run/credentials/x".into()));
        for (name, path) in [
            ("server.crt", "/etc/x/server.crt"),
            ("../y/server.crt", "/etc/x/../y/server.crt"),
            ("/srv/server.crt", "/srv/server.crt"),
            ("%d/key", "/run/credentials/x/key"),
            ("$CREDENTIALS_DIRECTORY/key", "/run/credentials/x/key"),
            ("${CREDENTIALS_DIRECTORY}/key", "/run/credentials/x/key"),
            ("$HOME/key", "/etc/x/$HOME/key"),
        ] {
            assert_eq!(files.resolve(name), Ok(PathBuf::from(path)));
        }
        let files = Files::for_config(Path::new("web.yml"), None);
        assert_eq!(files.resolve("server.crt"), Ok(PathBuf::from("server.crt")));
        assert!(files.resolve("%d/key").unwrap_err().contains("CREDENTIALS_DIRECTORY"));
    }

    #[test]
    fn special_files_are_errors_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let fifo = directory.join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        for (path, problem) in [
            (fifo.as_path(), "pipe"),
            (directory, "directory"),
            (Path::new("/dev/zero"), "larger than 1 MiB"),
            (&directory.join("none"), "No such file"),
        ] {
            let error = Files::for_config(path, None).read(path, SMALL).unwrap_err();
            assert!(error.contains(problem), "{}: {error}", path.display());
        }
        assert_eq!(Files::for_config(&fifo, None).read(Path::new("/dev/null"), SMALL), Ok(vec![]));
    }
}
