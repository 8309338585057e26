//! Reads YAML. Errors have a line number, suggest known keys, and show no values of the file.

mod indentation;

use serde::de::DeserializeOwned;
use serde_saphyr::Error;
pub use serde_saphyr::Spanned;
pub use serde_saphyr::options::DuplicateKeyPolicy;

use super::error::Fault;
pub use super::error::line_of;

/// Parses a file. One that is empty or has only comments is the default.
pub fn parse<T: DeserializeOwned + Default>(text: &[u8]) -> Result<T, Fault> {
    parse_with(text, DuplicateKeyPolicy::Error)
}

/// As [`parse`], with a policy for duplicate keys.
pub fn parse_with<T: DeserializeOwned + Default>(
    text: &[u8],
    duplicate_keys: DuplicateKeyPolicy,
) -> Result<T, Fault> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let before = text.iter().take(error.valid_up_to());
        let line = before.filter(|byte| **byte == b'\n').count() as u64 + 1;
        Fault::without_key(Some(line), "invalid YAML: it is not UTF-8")
    })?;
    if text.lines().all(|line| is_blank(line.trim_start_matches('\u{feff}').trim())) {
        return Ok(T::default());
    }
    // A snippet of the file could show a secret.
    let options = serde_saphyr::options! { with_snippet: false, duplicate_keys: duplicate_keys };
    let parsed = serde_saphyr::from_str_with_options::<Option<T>>(text, options);
    let parsed = parsed.map_err(|error| {
        let mut fault = fault(&error);
        if fault.line.is_some_and(|line| indentation::is_wrong_near(text, line)) {
            fault.problem.push_str("; check the indentation");
        }
        fault
    })?;
    Ok(parsed.unwrap_or_default())
}

/// The error for an unknown key.
pub fn unknown_key(key: &str, known: &[&str]) -> String {
    match similar(key, known) {
        Some(similar) => format!("unknown key {key:?}; did you mean {similar:?}?"),
        None => format!("unknown key {key:?}; known keys: {}", known.join(", ")),
    }
}

/// The known name that a misspelt one probably means.
pub fn similar<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&name, &known.to_lowercase());
    let nearest = known.iter().copied().min_by_key(|known| distance(known))?;
    let is_start = |known: &str| name.len() >= 3 && known.to_lowercase().starts_with(&name);
    if distance(nearest) <= 1 + name.len() / 5 || is_start(nearest) {
        return Some(nearest);
    }
    known.iter().copied().find(|known| is_start(known))
}

fn is_blank(line: &str) -> bool {
    line.is_empty() || line.starts_with('#') || line == "---"
}

fn fault(error: &Error) -> Fault {
    let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
    let problem = match error.without_snippet() {
        Error::SerdeUnknownField { field, expected, .. } => {
            format!("invalid YAML: {}", unknown_key(field, expected))
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key {key:?} is given twice")
        }
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            let kind = unexpected.split(['"', '`']).next().unwrap_or_default().trim();
            format!("invalid YAML: expected {expected}, found {kind}")
        }
        Error::InvalidScalar { ty, .. } => {
            format!("invalid YAML: expected a value of type {ty}")
        }
        Error::Unexpected { expected, .. } => format!("invalid YAML: expected {expected}"),
        Error::QuotingRequired { .. } => "invalid YAML: a value needs quotes".into(),
        Error::NonFiniteFloat { .. } => "invalid YAML: a number is not finite".into(),
        Error::MultipleDocuments { .. } => {
            "invalid YAML: a second document begins here; remove it".into()
        }
        error => {
            let text = error.to_string();
            let text = text.lines().next().unwrap_or_default();
            format!("invalid YAML: {}", text.trim_start_matches("error: "))
        }
    };
    Fault::without_key(line, problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_has_a_suggestion() {
        let keys = ["region", "aws_dimensions", "aws_dimension_select", "period_seconds"];
        for (name, expected) in [
            ("reigon", Some("region")),
            ("aws_dimenisons", Some("aws_dimensions")),
            ("aws_dimension", Some("aws_dimensions")),
            ("Period_Seconds", Some("period_seconds")),
            ("period", Some("period_seconds")),
            ("nothing_like_it", None),
            ("", None),
        ] {
            assert_eq!(similar(name, &keys), expected, "{name}");
        }
        assert_eq!(similar("Max", &["Maximum", "Minimum"]), Some("Maximum"));
        assert_eq!(similar("nmae", &["help", "name"]), Some("name"));
    }
}
