//! The paths of files that a configuration file names.

use std::path::{Path, PathBuf};

/// Prefixes that stand for the directory of the systemd credentials of the service.
const CREDENTIALS: [&str; 3] = ["%d/", "$CREDENTIALS_DIRECTORY/", "${CREDENTIALS_DIRECTORY}/"];

/// The path of a file that the configuration file `config` names. A relative name is relative to
/// the directory of `config`; `%d/` and `$CREDENTIALS_DIRECTORY/` stand for the systemd credentials
/// of the service. The error names the variable if it is needed and not set.
pub fn resolve(config: &Path, name: &str) -> Result<PathBuf, String> {
    let directory = config.parent().unwrap_or(Path::new(""));
    resolve_in(directory, credentials().as_deref(), name)
}

/// The directory of the systemd credentials of the service.
pub(crate) fn credentials() -> Option<PathBuf> {
    let directory = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    directory.filter(|path| !path.as_os_str().is_empty())
}

pub(crate) fn resolve_in(
    directory: &Path,
    credentials: Option<&Path>,
    name: &str,
) -> Result<PathBuf, String> {
    for prefix in CREDENTIALS {
        let Some(rest) = name.strip_prefix(prefix) else { continue };
        return match credentials {
            Some(directory) => Ok(directory.join(rest)),
            None => Err(format!(
                "{name} needs $CREDENTIALS_DIRECTORY, which is not set: start it by a systemd unit \
                 with LoadCredential=, or give a path"
            )),
        };
    }
    Ok(directory.join(name))
}
