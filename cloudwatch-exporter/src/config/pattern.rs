//! Regular expressions of the file.

use regex::bytes::{Regex, RegexBuilder};

/// The default pattern for the ID of a resource in its ARN.
pub(crate) const ID_PATTERN: &str = "(?:([^:/]+)|[^:/]+/([^:]+))$";

/// Compiles a pattern, with ASCII character classes as in Java.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).unicode(false).build().map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("{text:?} is not a pattern: {reason}")
    })
}
