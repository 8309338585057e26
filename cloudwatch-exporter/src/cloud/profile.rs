//! The profile files of the AWS SDK, read through a child process and up to a maximum size: the SDK
//! itself would read a file of any size, and wait for a hung file system for ever.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_runtime::env_config::file::{Builder, EnvConfigFileKind, EnvConfigFiles};
use exporter_core::config_file;
use tokio::task::spawn_blocking;

use super::Failure;

/// The kind of a file, the variable with its path, and where it is otherwise.
const FILES: [(EnvConfigFileKind, &str, &str); 2] = [
    (EnvConfigFileKind::Config, "AWS_CONFIG_FILE", "~/.aws/config"),
    (EnvConfigFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
];

/// Reads both files. Files that do not exist, or that may not be read, count as empty, as for other
/// programs that use the SDK.
pub(super) async fn files() -> Result<EnvConfigFiles, Failure> {
    match spawn_blocking(read).await {
        Ok(files) => files.map_err(Failure::setup),
        Err(error) => Err(Failure::setup(format!("AWS profiles could not be read: {error}"))),
    }
}

/// No profiles.
pub(super) fn none() -> EnvConfigFiles {
    let empty =
        |files: Builder, (kind, ..): (EnvConfigFileKind, _, _)| files.with_contents(kind, "");
    FILES.into_iter().fold(EnvConfigFiles::builder(), empty).build()
}

fn read() -> Result<EnvConfigFiles, String> {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_no_keys = !is_set("AWS_ACCESS_KEY_ID");
    let profile = env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    let profile = profile.unwrap_or_else(|| "default".to_owned());
    let mut files = EnvConfigFiles::builder();
    for (kind, variable, default) in FILES {
        let path = path(env::var_os(variable), default, env::var_os("HOME"));
        let content = content(&path, variable)?;
        if has_no_keys {
            reject_sso(&content, &profile)?;
        }
        files = files.with_contents(kind, content);
    }
    Ok(files.build())
}

/// Profiles with SSO need a client of the SSO services, and a person who logs in every few hours.
fn reject_sso(content: &str, profile: &str) -> Result<(), String> {
    let mut is_here = false;
    for line in content.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let name = name.trim();
            is_here = name.strip_prefix("profile ").unwrap_or(name).trim() == profile;
        } else if is_here && (line.starts_with("sso_session") || line.starts_with("sso_start_url"))
        {
            return Err(format!(
                "the AWS profile {profile} uses SSO, which is not supported; give the machine a role, or set \
                 AWS_PROFILE to a profile with `credential_process = aws configure export-credentials \
                 --profile {profile}`"
            ));
        }
    }
    Ok(())
}

fn content(path: &Path, variable: &str) -> Result<String, String> {
    let place = path.display();
    match config_file::read(path, config_file::SMALL) {
        Ok(text) => String::from_utf8(text).map_err(|_| format!("{place} is not UTF-8")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            tracing::warn!(file = %place, "AWS profiles cannot be read: permission denied");
            Ok(String::new())
        }
        Err(error) => {
            Err(format!("AWS profiles cannot be read from {place}: {error}; check {variable}"))
        }
    }
}

/// A leading `~` is the home directory.
fn path(given: Option<OsString>, default: &str, home: Option<OsString>) -> PathBuf {
    let path = PathBuf::from(given.unwrap_or_else(|| default.into()));
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_with_sso_are_rejected_if_they_are_selected() {
        let text = "[default]\nregion = eu-west-1\n[profile dev]\nsso_session = main\n\
                    [profile old]\nsso_start_url=https://x\n[sso-session main]\nsso_start_url = y\n";
        for (profile, is_rejected) in
            [("default", false), ("dev", true), ("old", true), ("other", false), ("main", false)]
        {
            assert_eq!(reject_sso(text, profile).is_err(), is_rejected, "{profile}");
        }
    }

    #[test]
    fn the_path_is_that_of_the_variable_or_in_the_home_directory() {
        for (given, home, expected) in [
            (None, Some("/home/me"), "/home/me/.aws/config"),
            (None, None, "~/.aws/config"),
            (Some("~/x"), Some("/home/me"), "/home/me/x"),
            (Some("/etc/aws"), Some("/home/me"), "/etc/aws"),
            (Some("aws"), None, "aws"),
        ] {
            let found = path(given.map(OsString::from), "~/.aws/config", home.map(OsString::from));
            assert_eq!(found, PathBuf::from(expected), "{given:?} {home:?}");
        }
    }
}
