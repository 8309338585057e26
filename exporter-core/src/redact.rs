//! Hides secrets in errors: a key or password hash may stand in place of a file name or another
//! value.

use std::borrow::Cow;

const PEM: &str = "-----BEGIN";
const HIDDEN: &str = "(not shown)";

/// Removes what looks like a secret from a text, such as an error: PEM, password hashes, access
/// keys, long runs of base64 or hexadecimal digits.
pub fn redacted(text: &str) -> Cow<'_, str> {
    let (before, has_pem) = match text.split_once(PEM) {
        Some((before, _)) => (before, true),
        None => (text, false),
    };
    if !has_pem && !before.split(is_separator).any(is_secret) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for piece in before.split_inclusive(is_separator) {
        let word = piece.trim_end_matches(is_separator);
        if is_secret(word) {
            out.push_str(HIDDEN);
            out.push_str(piece.get(word.len()..).unwrap_or_default());
        } else {
            out.push_str(piece);
        }
    }
    if has_pem {
        // The text after it may be the rest of the secret.
        out.push_str(HIDDEN);
    }
    Cow::Owned(out)
}

/// Whether a value looks like the content of a file instead of its name.
pub(crate) fn is_content(value: &str) -> bool {
    value.contains(PEM) || value.contains(char::is_control) || is_secret(value)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "\"'`,;()[]{}<>:\u{fffd}".contains(c)
}

fn is_secret(word: &str) -> bool {
    is_hash(word) || is_access_key(word) || word.split(['/', '.']).any(is_key) || is_base64(word)
}

/// A hash as in `/etc/shadow`, at the end of the word: `$2y$10$...`.
fn is_hash(word: &str) -> bool {
    let hash = word.split_once('$').and_then(|(_, hash)| hash.split_once('$'));
    let Some((scheme, rest)) = hash else { return false };
    let is_scheme = scheme.len() <= 8 && scheme.chars().all(|c| c.is_ascii_alphanumeric());
    is_scheme && rest.len() >= 16
}

/// An access key ID of AWS.
fn is_access_key(word: &str) -> bool {
    word.len() == 20
        && (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// Base64 with slashes, such as a secret key of AWS. A path begins with a slash or has short names.
fn is_base64(word: &str) -> bool {
    let longest = word.split('/').map(str::len).max().unwrap_or_default();
    let is_long = word.len() == 40 || word.len() > 40 && longest >= 20;
    is_long && !word.starts_with('/') && is_mixed(word)
}

/// A part without slashes or dots that is too long and too mixed for a name.
fn is_key(part: &str) -> bool {
    let is_hex = part.len() >= 40 && part.chars().all(|c| c.is_ascii_hexdigit());
    is_hex || (part.len() >= 40 && is_mixed(part))
}

/// Upper and lower case letters and digits, and only base64 characters.
fn is_mixed(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c))
        && text.contains(|c: char| c.is_ascii_uppercase())
        && text.contains(|c: char| c.is_ascii_lowercase())
        && text.contains(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgev2Wcz4kQhCwT5P2";

    #[test]
    fn secrets_are_hidden() {
        for secret in [
            BODY,
            "$2y$10$Q9wB1d8oUjVrDqcvJH0c1uQbL9vRZ0uSx3Zl1P4m2QJbC9bBq0kMe",
            "$6$rounds=5000$saltsalt$abcdefghijklmnop",
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ] {
            for text in [
                format!("cannot read /etc/x/{BODY}: File name too long"),
                format!("invalid value \"{secret}\", expected another"),
                format!("{secret}: no such file"),
            ] {
                let shown = redacted(&text);
                assert!(!shown.contains(secret) && !shown.contains(BODY), "{shown}");
                assert!(shown.contains(HIDDEN), "{shown}");
            }
        }
        let pem = format!("key_file: {PEM} PRIVATE KEY-----\u{fffd}{BODY}\u{fffd}tail");
        assert_eq!(redacted(&pem), "key_file: (not shown)");
    }

    #[test]
    fn other_text_is_kept() {
        for text in [
            "/etc/node-exporter/web.yml: line 3: tls_server_config.key_file: cannot read \
             /etc/letsencrypt/live/Host1.example.org/privkey.pem: Permission denied",
            "/nix/store/0c9qjw3k3h5y1zv5yx3x8rmhx4s6c3hb-tls/server.key: No such file",
            "unknown cipher: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "$CREDENTIALS_DIRECTORY/server.key: No such file",
            "arn:aws:iam::123456789012:role/Reader",
            "/var/lib/Node1/certificates/ServerKeyForNode17/current: No such file",
        ] {
            assert_eq!(redacted(text), text);
        }
    }
}
