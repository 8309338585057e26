//! Directories by glob pattern.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::host;

/// The paths that match a pattern, sorted. If there are none, the pattern itself, because it may be
/// a literal path.
///
/// In each component of the path, `*` matches any text, `?` any character, `[a-z]` a character in
/// the range, and `[^a-z]` a character outside it; `\` escapes a character.
pub(super) fn matches(pattern: &Path) -> Vec<PathBuf> {
    let mut paths = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = match part {
            Component::Normal(part) if part.as_bytes().iter().any(|b| b"*?[\\".contains(b)) => part,
            other => {
                for path in &mut paths {
                    path.push(other);
                }
                continue;
            }
        };
        paths = paths.iter().flat_map(|path| matching_entries(path, part)).collect();
    }
    if paths.is_empty() { vec![pattern.to_owned()] } else { paths }
}

fn matching_entries(path: &Path, part: &OsStr) -> Vec<PathBuf> {
    let directory = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let names = host::entries(directory).unwrap_or_default().into_iter();
    let names = names.filter(|name| is_match(part.as_bytes(), name.as_bytes()));
    names.map(|name| path.join(name)).collect()
}

/// Whether the pattern matches the whole name. A malformed pattern matches nothing.
fn is_match(pattern: &[u8], name: &[u8]) -> bool {
    let (mut pattern, mut name) = (pattern, name);
    // The pattern after the last star, and the position in the name where matching it was last
    // tried.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let Some(rest) = pattern.strip_prefix(b"*") {
            pattern = rest;
            retry = Some((rest, name));
        } else if pattern.is_empty() && name.is_empty() {
            return true;
        } else if let Some((after_pattern, after_name)) = match_one(pattern, name) {
            (pattern, name) = (after_pattern, after_name);
        } else {
            let Some((after_star, [_, shorter @ ..])) = retry else { return false };
            (pattern, name) = (after_star, shorter);
            retry = Some((after_star, shorter));
        }
    }
}

/// Matches the first element of the pattern with the first character. Returns the rest of both.
fn match_one<'p, 'n>(pattern: &'p [u8], name: &'n [u8]) -> Option<(&'p [u8], &'n [u8])> {
    let (char, after) = first_char(name)?;
    match pattern {
        [b'?', rest @ ..] => Some((rest, after)),
        [b'[', rest @ ..] => {
            let (negated, mut rest) = match rest {
                [b'^', rest @ ..] => (true, rest),
                rest => (false, rest),
            };
            let mut found = false;
            loop {
                let (low, after_low) = range_bound(rest)?;
                let (high, after_high) = match after_low {
                    [b'-', after @ ..] => range_bound(after)?,
                    after => (low, after),
                };
                found |= (low..=high).contains(&char);
                rest = after_high;
                if let [b']', rest @ ..] = rest {
                    return (found != negated).then_some((rest, after));
                }
            }
        }
        _ => {
            let literal = if let [b'\\', rest @ ..] = pattern { rest } else { pattern };
            let (expected, rest) = first_char(literal)?;
            (expected == char).then_some((rest, after))
        }
    }
}

/// The first or last character of a range.
fn range_bound(pattern: &[u8]) -> Option<(char, &[u8])> {
    match pattern {
        [b'\\', rest @ ..] => first_char(rest),
        [b']' | b'-', ..] => None,
        _ => first_char(pattern),
    }
}

/// The first character, or the first byte if it is not UTF-8.
fn first_char(bytes: &[u8]) -> Option<(char, &[u8])> {
    let start = bytes.get(..4).unwrap_or(bytes);
    let chunk = start.utf8_chunks().next()?;
    match chunk.valid().chars().next() {
        Some(char) => Some((char, bytes.get(char.len_utf8()..)?)),
        None => Some((char::REPLACEMENT_CHARACTER, bytes.get(1..)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match() {
        for (pattern, good, bad) in [
            ("abc", &["abc"][..], &["ab", "abcd", ""][..]),
            ("*", &["", "a", ".hidden"], &[]),
            ("*_extra", &["a_extra", "_extra", "_extra_extra"], &["a_extra2", "extra"]),
            ("a*b*c", &["abc", "aXbYc", "abbcc", "abcbc"], &["acb", "ab"]),
            ("a?c", &["abc", "aäc"], &["ac", "abbc"]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
            ("[^a-c]x", &["dx", "-x"], &["ax"]),
            ("[abz]", &["a", "z"], &["c"]),
            ("[\\]]", &["]"], &["\\"]),
            ("\\*", &["*"], &["a", "\\*"]),
            ("[", &[], &["["]),
            ("[a", &[], &["a"]),
            ("[]a]", &[], &["a", "]"]),
            ("a\\", &[], &["a", "a\\"]),
        ] {
            for name in good {
                assert!(is_match(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
            }
            for name in bad {
                assert!(!is_match(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
            }
        }
        assert!(is_match(b"a?", b"a\xff"));
    }

    #[test]
    fn many_stars_do_not_cause_backtracking() {
        let pattern = "a*".repeat(30) + "b";
        assert!(!is_match(pattern.as_bytes(), &[b'a'; 5000]));
    }
}
