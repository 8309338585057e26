//! The files of a configuration: where their names lead, their bytes, and whether they have
//! changed since.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{self, SHA256};
use rustix::fs::OFlags;

/// More than any certificate chain or configuration needs.
pub(crate) const SMALL: u64 = 1024 * 1024;
/// Revocation lists of large authorities are megabytes.
pub(crate) const LARGE: u64 = 32 * 1024 * 1024;

/// How a name may begin to mean the directory of systemd's credentials for this service.
const CREDENTIALS: [&str; 3] = ["%d/", "$CREDENTIALS_DIRECTORY/", "${CREDENTIALS_DIRECTORY}/"];

/// Reads files and remembers which, in what state, and a digest of all they held.
#[derive(Debug)]
pub(crate) struct Files {
    /// Relative names start here.
    directory: PathBuf,
    credentials: Option<PathBuf>,
    seen: Vec<(PathBuf, Stamp)>,
    digest: Vec<u8>,
}

/// What `stat` says of a file that may change: another file by the same name counts as a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    Absent,
    Present { device: u64, inode: u64, size: u64, modified: (i64, i64), changed: (i64, i64) },
}

impl Files {
    /// For the configuration file `config`. `credentials` is what `$CREDENTIALS_DIRECTORY` says.
    pub(crate) fn beside(config: &Path, credentials: Option<PathBuf>) -> Self {
        let directory = config.parent().map(Path::to_path_buf).unwrap_or_default();
        Self { directory, credentials, seen: Vec::new(), digest: Vec::new() }
    }

    /// Where a name in the configuration leads. The error says what is wrong with it.
    pub(crate) fn resolve(&self, name: &str) -> Result<PathBuf, String> {
        for prefix in CREDENTIALS {
            let Some(rest) = name.strip_prefix(prefix) else { continue };
            return match &self.credentials {
                Some(directory) => Ok(directory.join(rest)),
                None => Err(format!(
                    "{name} needs $CREDENTIALS_DIRECTORY, which is not set: start it by a \
                     systemd unit with LoadCredential=, or give a path"
                )),
            };
        }
        Ok(self.directory.join(name))
    }

    /// The bytes of a file of at most `limit` bytes. Waits for no other end of a FIFO.
    pub(crate) fn read(&mut self, path: &Path, limit: u64) -> Result<Vec<u8>, String> {
        // The state before reading: what changes while we read is then seen as a change.
        self.seen.push((path.to_path_buf(), Stamp::of(path)));
        let bytes = read(path, limit)
            .map_err(|problem| format!("cannot read {}: {problem}", path.display()))?;
        self.digest.extend_from_slice(digest::digest(&SHA256, &bytes).as_ref());
        Ok(bytes)
    }

    /// What was read, for comparison with another time.
    pub(crate) fn into_seen(self) -> Seen {
        Seen { files: self.seen, digest: self.digest }
    }
}

/// Which files were read, in what state, and what they held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    files: Vec<(PathBuf, Stamp)>,
    digest: Vec<u8>,
}

impl Seen {
    pub(crate) fn holds_the_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    pub(crate) fn stamps(&self) -> Vec<Stamp> {
        self.files.iter().map(|(_, stamp)| *stamp).collect()
    }

    /// How the same files stand now.
    pub(crate) fn stamps_now(&self) -> Vec<Stamp> {
        self.files.iter().map(|(path, _)| Stamp::of(path)).collect()
    }
}

impl Stamp {
    fn of(path: &Path) -> Self {
        let Ok(file) = fs::metadata(path) else { return Self::Absent };
        Self::Present {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, String> {
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(nonblocking)
        .open(path)
        .map_err(|error| error.to_string())?;
    let kind = file.metadata().map_err(|error| error.to_string())?.file_type();
    if kind.is_dir() {
        return Err("it is a directory".into());
    }
    if kind.is_fifo() || kind.is_socket() {
        return Err("it is a pipe or socket, and has to be read again on each reload".into());
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > limit {
        return Err(format!("it is larger than {} MiB", limit / SMALL));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_to_the_configuration() {
        let files = Files::beside(Path::new("/etc/x/web.yml"), Some("/run/credentials/x".into()));
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
        let files = Files::beside(Path::new("web.yml"), None);
        assert_eq!(files.resolve("server.crt"), Ok(PathBuf::from("server.crt")));
        assert!(files.resolve("%d/key").unwrap_err().contains("CREDENTIALS_DIRECTORY"));
    }

    #[test]
    fn what_is_no_plain_file_is_an_error_at_once() {
        let directory = std::env::temp_dir().join(format!("web-files-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
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
            (directory.as_path(), "directory"),
            (Path::new("/dev/zero"), "larger than 1 MiB"),
            (&directory.join("none"), "No such file"),
        ] {
            let error = Files::beside(path, None).read(path, SMALL).unwrap_err();
            assert!(error.contains(problem), "{}: {error}", path.display());
        }
        assert_eq!(Files::beside(&fifo, None).read(Path::new("/dev/null"), SMALL), Ok(vec![]));
        fs::remove_dir_all(directory).unwrap();
    }
}
