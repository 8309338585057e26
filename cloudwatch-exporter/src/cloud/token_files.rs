//! Checks the files that the SDK reads without a size limit, and on a thread of the runtime: tokens of
//! web identities and containers, and root certificates.

use std::env;
use std::io::ErrorKind;
use std::path::PathBuf;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use exporter_core::config_file;
use tokio::task::spawn_blocking;

use super::Failure;
use super::profile::has_access_key;

/// Environment variables with the path of a token file.
const TOKEN_FILE_VARIABLES: [&str; 2] =
    ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];

/// The environment variable with the path of the root certificates, as for OpenSSL.
const ROOTS_VARIABLE: &str = "SSL_CERT_FILE";

/// Checks the file with root certificates, if the environment names one.
pub(super) async fn check_roots() -> Result<(), Failure> {
    let Some(path) = env::var_os(ROOTS_VARIABLE).filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    check(path.into(), config_file::LARGE).await.map_err(|problem| {
        Failure::setup(format!(
            "root certificates cannot be read from {problem}; check {ROOTS_VARIABLE}"
        ))
    })
}

/// Checks the token files each time before the SDK reads them. `profile_files` are those that the
/// profile names.
pub(super) fn check_before_use(
    inner: SharedCredentialsProvider,
    profile_files: Vec<PathBuf>,
) -> SharedCredentialsProvider {
    let variables = TOKEN_FILE_VARIABLES.iter().filter_map(env::var_os).map(PathBuf::from);
    let files: Vec<_> = variables.chain(profile_files).collect();
    if files.is_empty() || has_access_key() {
        return inner;
    }
    SharedCredentialsProvider::new(CheckedCredentials { inner, files })
}

#[derive(Debug)]
struct CheckedCredentials {
    inner: SharedCredentialsProvider,
    files: Vec<PathBuf>,
}

impl ProvideCredentials for CheckedCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            for file in &self.files {
                let checked = check(file.clone(), config_file::SMALL).await;
                checked.map_err(|problem| {
                    CredentialsError::invalid_configuration(format!(
                        "the token file cannot be read from {problem}"
                    ))
                })?;
            }
            self.inner.provide_credentials().await
        })
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.inner.fallback_on_interrupt()
    }
}

/// Checks that the SDK can read a file: it is not too large, not a pipe, and its file system responds.
/// The SDK itself reports missing files.
async fn check(path: PathBuf, limit: u64) -> Result<(), String> {
    let shown = path.display().to_string();
    match spawn_blocking(move || config_file::read(&path, limit)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error))
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) =>
        {
            Ok(())
        }
        Ok(Err(error)) => Err(format!("{shown}: {error}")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}
