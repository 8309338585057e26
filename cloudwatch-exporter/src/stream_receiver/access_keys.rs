//! The access keys of the receiver.

use std::fmt;
use std::path::Path;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};
use exporter_core::config_file::{self, ConfigError};

/// The hashes of the accepted keys. The file has a key on each line, so that a key can be replaced
/// without rejecting deliveries.
#[derive(Clone)]
pub(super) struct AccessKeys(Vec<Digest>);

/// The minimum length of a key in bytes.
const MIN_LENGTH: usize = 16;

/// The maximum length of a key in Firehose.
const MAX_LENGTH: usize = 4096;

impl AccessKeys {
    /// Reads the file, which blocks. Errors name the file, and never contain a key.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = config_file::read(path, config_file::SMALL)
            .map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(&text)
            .map_err(|(line, problem)| ConfigError::new(path, problem).with_line(line))
    }

    fn parse(text: &[u8]) -> Result<Self, (Option<u64>, String)> {
        let mut keys = Vec::new();
        for (line, key) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let key = key.trim_ascii();
            match key.len() {
                0 => {}
                MIN_LENGTH..=MAX_LENGTH => keys.push(digest(&SHA256, key)),
                _ => {
                    let problem =
                        format!("an access key has from {MIN_LENGTH} to {MAX_LENGTH} characters");
                    return Err((Some(line), problem));
                }
            }
        }
        if keys.is_empty() {
            return Err((
                None,
                "has no access key; write one into it, on a line of its own".into(),
            ));
        }
        Ok(Self(keys))
    }

    /// Whether the given key is accepted. Compares all hashes, so that the time does not depend on the
    /// content and the length of the key.
    pub(super) fn accept(&self, given: &[u8]) -> bool {
        let given = digest(&SHA256, given);
        let is_equal =
            |known: &Digest| verify_slices_are_equal(known.as_ref(), given.as_ref()).is_ok();
        self.0.iter().map(is_equal).fold(false, |found, is_equal| found | is_equal)
    }
}

impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKeys").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_key() {
        let keys =
            AccessKeys::parse(b"the first of the keys\r\n\n  the second of the keys\n").unwrap();
        for (key, expected) in [
            ("the first of the keys", true),
            ("the second of the keys", true),
            ("the first of the key", false),
            ("the first of the keys\r\n\n  the second of the keys", false),
            ("", false),
        ] {
            assert_eq!(keys.accept(key.as_bytes()), expected, "{key}");
        }
        assert_eq!(format!("{keys:?}"), "AccessKeys { .. }");
    }

    #[test]
    fn errors_of_invalid_keys_do_not_contain_them() {
        for (text, line) in [
            ("", None),
            ("\n \n", None),
            ("a key of sixteen\nsecret", Some(2)),
            ("secret", Some(1)),
        ] {
            let (found, problem) = AccessKeys::parse(text.as_bytes()).unwrap_err();
            assert_eq!(found, line, "{text}");
            assert!(!problem.contains("secret"), "{problem}");
        }
        assert!(AccessKeys::parse(&[b'x'; MAX_LENGTH + 1]).is_err());
    }
}
