//! Reads the files of the AWS SDK in a child process, up to a maximum size. The SDK itself would read
//! files of any size, and wait forever for a hung file system.

use std::env;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use exporter_core::config_file;
use tokio::task::spawn_blocking;

use super::error::Error;

/// The kind of a profile file, the variable with its path, and its default path below the home
/// directory.
const PROFILES: [(EnvConfigFileKind, &str, &str); 2] = [
    (EnvConfigFileKind::Config, "AWS_CONFIG_FILE", ".aws/config"),
    (EnvConfigFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
];

/// Variables with the path of a token file.
const TOKENS: [&str; 2] = ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];

/// Reads the profile files. Missing files, and files without read permission, count as empty.
pub(super) async fn profiles() -> Result<EnvConfigFiles, Error> {
    let mut files = EnvConfigFiles::builder();
    for (kind, variable, default) in PROFILES {
        let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(default));
        let path = env::var_os(variable).map(PathBuf::from).or_else(home);
        let content = match path {
            Some(path) => read(path, variable).await?,
            None => Vec::new(),
        };
        let content = String::from_utf8(content)
            .map_err(|_| Error(format!("the AWS profiles in {variable} are not UTF-8")))?;
        files = files.with_contents(kind, content);
    }
    Ok(files.build())
}

/// Checks that the SDK can read the token files: they are not too large, and their file systems
/// respond.
pub(super) async fn check_tokens() -> Result<(), Error> {
    for variable in TOKENS {
        if let Some(path) = env::var_os(variable) {
            read(path.into(), variable).await?;
        }
    }
    Ok(())
}

async fn read(path: PathBuf, variable: &'static str) -> Result<Vec<u8>, Error> {
    let failed = |path: &Path, error: &dyn std::error::Error| {
        Error(format!("cannot read {}: {error}; check {variable}", path.display()))
    };
    let shown = path.clone();
    let content: io::Result<Vec<u8>> =
        spawn_blocking(move || config_file::read(&path, config_file::SMALL))
            .await
            .map_err(|error| failed(&shown, &error))?;
    match content {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
            Ok(Vec::new())
        }
        content => content.map_err(|error| failed(&shown, &error)),
    }
}
