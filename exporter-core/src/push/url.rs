//! URLs of groups, in the format of the Pushgateway.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::PushError;

/// Rejects invalid URLs. A password in the URL would get into errors and logs.
pub(super) fn check(url: &str) -> Result<(), PushError> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let Some(rest) = rest else {
        return Err(PushError::Url("the URL of a Pushgateway begins with http:// or https://"));
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(PushError::Url("set user and password with basic_auth, not in the URL"));
    }
    if authority.is_empty() || rest.contains(['?', '#']) {
        return Err(PushError::Url("the URL of a Pushgateway is a host, a port and a path"));
    }
    Ok(())
}

/// Appends a label to the path of a group. A value that is not a valid path segment is written in
/// base64, which the name indicates.
pub(super) fn push_label(path: &mut String, name: &str, value: &str) {
    path.push('/');
    push_escaped(path, name);
    if value.is_empty() {
        // An empty segment would be ignored; this is the empty text in base64.
        path.push_str("@base64/=");
    } else if value.contains('/') || value == "." || value == ".." {
        path.push_str("@base64/");
        URL_SAFE_NO_PAD.encode_string(value, path);
    } else {
        path.push('/');
        push_escaped(path, value);
    }
}

fn push_escaped(path: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(byte.into());
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_path_segments() {
        for (name, value, expected) in [
            ("job", "backup", "/job/backup"),
            ("instance", "db 1:9100", "/instance/db%201%3A9100"),
            ("path", "/var/tmp", "/path@base64/L3Zhci90bXA"),
            ("empty", "", "/empty@base64/="),
            ("dots", "..", "/dots@base64/Li4"),
            ("name", "büro", "/name/b%C3%BCro"),
        ] {
            let mut path = String::new();
            push_label(&mut path, name, value);
            assert_eq!(path, expected);
        }
    }

    #[test]
    fn only_urls_of_gateways_pass() {
        for url in ["http://a", "https://a.example:9091/", "https://[::1]:9091/prefix"] {
            check(url).unwrap();
        }
        for url in ["", "a:9091", "ftp://a", "http://", "http://a?x=y", "https://u:secret@a"] {
            let error = check(url).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
