//! Runs blocking work outside the async runtime: reading files, deriving keys.

use std::path::Path;

use exporter_core::config_file;
use tokio::task::spawn_blocking;

use super::error::Error;

/// Reads a file of the configuration, within the time limit of `config_file`. Errors name the `key`.
pub(super) async fn read_file(key: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    let owned = path.to_owned();
    let file = run(move || config_file::read(&owned, config_file::SMALL)).await?;
    file.map_err(|source| Error::File { key, path: path.display().to_string(), source })
}

/// Runs `work` on a thread for blocking work.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    spawn_blocking(work).await.map_err(|error| Error::Io(error.into()))
}
