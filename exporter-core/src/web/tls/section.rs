//! The section `tls_server_config`: errors about its keys, and the files that it names.

use crate::config_file::Fault;
use crate::redact;
use crate::web::config::file::{Field, Tls};
use crate::web::config::files::Files;

/// Whether the section has any key. An incomplete section is an error: it must not mean plain HTTP.
pub(super) fn is_present(tls: &Tls) -> bool {
    let Tls {
        cert,
        key,
        client_ca,
        cert_file,
        key_file,
        client_auth_type,
        client_ca_file,
        client_crl_file,
        client_allowed_sans,
        cipher_suites,
        curve_preferences,
        min_version,
        max_version,
        prefer_server_cipher_suites,
    } = tls;
    key.is_written()
        || client_allowed_sans.is_written()
        || cipher_suites.is_written()
        || curve_preferences.is_written()
        || prefer_server_cipher_suites.is_written()
        || [cert, client_ca, cert_file, key_file, client_auth_type, client_ca_file, client_crl_file]
            .into_iter()
            .chain([min_version, max_version])
            .any(Field::is_written)
}

/// An error about a key of this section, or about the section if `key` is empty.
pub(super) fn fault(key: &str, line: Option<u64>, problem: impl Into<String>) -> Fault {
    let dot = if key.is_empty() { "" } else { "." };
    Fault::new(format!("tls_server_config{dot}{key}"), line, problem)
}

/// Reads the file that a key names.
pub(super) fn from_file<T>(
    key: &str,
    field: &Field<String>,
    limit: u64,
    files: &mut Files,
    read: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Result<T, Fault> {
    let name = field.text().unwrap_or_default();
    let fault = |problem| fault(key, field.line(), problem);
    if redact::is_content(name) {
        let inline = key.trim_end_matches("_file");
        return Err(fault(format!(
            "looks like the content of a file, not its name: use {inline} for content"
        )));
    }
    let path = files.resolve(name).map_err(fault)?;
    files
        .read(&path, limit)
        .and_then(|text| read(&text))
        .map_err(|problem| fault(format!("{} {problem}", path.display())))
}
