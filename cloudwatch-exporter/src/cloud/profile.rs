//! Reads the profile files of the AWS SDK in a child process, up to a maximum size. The SDK itself would
//! read files of any size, and wait forever for a hung file system.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aws_runtime::env_config::file::{Builder, EnvConfigFileKind, EnvConfigFiles};
use exporter_core::config_file;
use tokio::task::spawn_blocking;

use super::Failure;

/// The kind of a file, the variable with its path, and its default path.
const FILES: [(EnvConfigFileKind, &str, &str); 2] = [
    (EnvConfigFileKind::Config, "AWS_CONFIG_FILE", "~/.aws/config"),
    (EnvConfigFileKind::Credentials, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
];

/// The profile files, and the token files that the selected profile refers to.
#[derive(Debug)]
pub(super) struct Profiles {
    pub(super) files: EnvConfigFiles,
    pub(super) token_files: Vec<PathBuf>,
}

impl Profiles {
    pub(super) fn empty() -> Self {
        let empty =
            |files: Builder, (kind, ..): (EnvConfigFileKind, _, _)| files.with_contents(kind, "");
        let files = FILES.into_iter().fold(EnvConfigFiles::builder(), empty).build();
        Self { files, token_files: Vec::new() }
    }

    /// Reads both files. Missing files, and files without read permission, count as empty, as in other
    /// programs that use the SDK.
    pub(super) async fn read() -> Result<Self, Failure> {
        match spawn_blocking(read).await {
            Ok(profiles) => profiles.map_err(Failure::setup),
            Err(error) => Err(Failure::setup(format!("AWS profiles could not be read: {error}"))),
        }
    }
}

fn read() -> Result<Profiles, String> {
    let profile = env::var("AWS_PROFILE").ok().filter(|name| !name.is_empty());
    let profile = profile.unwrap_or_else(|| "default".to_owned());
    let mut files = EnvConfigFiles::builder();
    let mut settings = Vec::new();
    for (kind, variable, default) in FILES {
        let path = resolve_path(env::var_os(variable), default, env::var_os("HOME"));
        let content = read_content(&path, variable)?;
        settings.extend(parse(&content));
        files = files.with_contents(kind, content);
    }
    let mut token_files = Vec::new();
    if !has_access_key() {
        reject_sso(&settings, &profile)?;
        token_files = referenced_token_files(&settings, &profile);
    }
    Ok(Profiles { files: files.build(), token_files })
}

/// Whether an access key is in the environment. It takes precedence over all other credentials.
pub(super) fn has_access_key() -> bool {
    env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|value| !value.is_empty())
}

/// A line of a profile file.
#[derive(Debug)]
struct Setting {
    profile: String,
    key: String,
    value: String,
}

fn parse(content: &str) -> Vec<Setting> {
    let mut profile = String::new();
    let mut settings = Vec::new();
    for line in content.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let name = name.trim();
            name.strip_prefix("profile ").unwrap_or(name).trim().clone_into(&mut profile);
        } else if let Some((key, value)) = line.split_once('=') {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            settings.push(Setting { profile: profile.clone(), key, value });
        }
    }
    settings
}

/// Rejects profiles with SSO: they need a client of the SSO services, and a person who logs in every few
/// hours.
fn reject_sso(settings: &[Setting], profile: &str) -> Result<(), String> {
    let is_sso = |setting: &Setting| {
        setting.profile == profile && ["sso_session", "sso_start_url"].contains(&&*setting.key)
    };
    if settings.iter().any(is_sso) {
        return Err(format!(
            "the AWS profile {profile} uses SSO, which is not supported; give the machine a role, or set \
             AWS_PROFILE to a profile with `credential_process = aws configure export-credentials \
             --profile {profile}`"
        ));
    }
    Ok(())
}

/// The token files of a profile and of its source profiles.
fn referenced_token_files(settings: &[Setting], profile: &str) -> Vec<PathBuf> {
    let mut profiles = vec![profile];
    let mut files = Vec::new();
    let mut next = 0;
    while let Some(profile) = profiles.get(next).copied() {
        for setting in settings.iter().filter(|setting| setting.profile == profile) {
            match setting.key.as_str() {
                "web_identity_token_file" => files.push(PathBuf::from(&setting.value)),
                "source_profile" if !profiles.contains(&setting.value.as_str()) => {
                    profiles.push(&setting.value);
                }
                _ => {}
            }
        }
        next += 1;
    }
    files
}

fn read_content(path: &Path, variable: &str) -> Result<String, String> {
    let shown = path.display();
    match config_file::read(path, config_file::SMALL) {
        Ok(text) => String::from_utf8(text).map_err(|_| format!("{shown} is not UTF-8")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            tracing::warn!(file = %shown, "AWS profiles cannot be read: permission denied");
            Ok(String::new())
        }
        Err(error) => {
            Err(format!("AWS profiles cannot be read from {shown}: {error}; check {variable}"))
        }
    }
}

/// The given or the default path, with the home directory for a leading `~`.
fn resolve_path(given: Option<OsString>, default: &str, home: Option<OsString>) -> PathBuf {
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
            assert_eq!(reject_sso(&parse(text), profile).is_err(), is_rejected, "{profile}");
        }
    }

    #[test]
    fn token_files_are_those_of_the_profile_and_its_sources() {
        let text = "[default]\nregion = eu-west-1\n\
                    [profile pod]\nrole_arn = a\nweb_identity_token_file = /token\n\
                    [profile app]\nrole_arn=b\nsource_profile=pod\n\
                    [profile loop]\nsource_profile = loop\nweb_identity_token_file=/loop\n";
        for (profile, expected) in [
            ("default", &[] as &[&str]),
            ("pod", &["/token"]),
            ("app", &["/token"]),
            ("loop", &["/loop"]),
            ("other", &[]),
        ] {
            let expected: Vec<_> = expected.iter().map(PathBuf::from).collect();
            assert_eq!(referenced_token_files(&parse(text), profile), expected, "{profile}");
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
            let found =
                resolve_path(given.map(OsString::from), "~/.aws/config", home.map(OsString::from));
            assert_eq!(found, PathBuf::from(expected), "{given:?} {home:?}");
        }
    }
}
