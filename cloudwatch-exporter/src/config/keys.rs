//! Mappings whose unknown keys are refused or warned of, each with its line and a likely correction.

use std::cell::RefCell;

/// What becomes of keys and values that are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// They are errors. Keys that begin with `x-` are free for anchors.
    #[default]
    Refuse,
    /// They are left out with a warning, as the Java exporter leaves them out without.
    Warn,
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) line: Option<u64>,
    pub(crate) problem: String,
}

thread_local! {
    /// Parsing is one call on one thread, and serde hands no context to where keys are read.
    static UNKNOWN: RefCell<Vec<Warning>> = const { RefCell::new(Vec::new()) };
}

/// The unknown keys that were met since the last call.
pub(super) fn take_unknown() -> Vec<Warning> {
    UNKNOWN.with_borrow_mut(std::mem::take)
}

/// Takes note of a key that `known` does not have.
pub(super) fn unknown(key: &str, line: u64, known: &[&str]) {
    if key.starts_with("x-") {
        return;
    }
    let hint = match likely(key, known) {
        Some(likely) => format!("did you mean {likely:?}?"),
        None => format!("known here: {}", known.join(", ")),
    };
    let problem = format!("unknown key {key:?}; {hint}");
    let line = Some(line).filter(|line| *line > 0);
    UNKNOWN.with_borrow_mut(|unknown| unknown.push(Warning { line, problem }));
}

/// The one of some names that a misspelt one is likely to mean.
pub(super) fn likely<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let distance = |known: &&str| distance(&name, &known.to_lowercase());
    let nearest = known.iter().copied().min_by_key(|known| distance(known))?;
    let is_part = name.len() >= 3 && nearest.to_lowercase().starts_with(&name);
    let is_near = distance(&nearest) <= 1 + name.len() / 5;
    if is_near || is_part {
        return Some(nearest);
    }
    known.iter().copied().find(|known| name.len() >= 3 && known.to_lowercase().starts_with(&name))
}

/// Insertions, deletions and replacements from one text to the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, letter) in a.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        for (other, above) in b.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = *above;
            left = replaced.min(left + 1).min(diagonal + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// A struct that is read from a mapping, key by key.
macro_rules! mapping {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident { $($field_visibility:vis $key:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        $visibility struct $name { $($field_visibility $key: $type,)* }

        impl $name {
            /// The keys that it may have.
            pub(super) const KEYS: &[&str] = &[$(stringify!($key)),*];
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a mapping")
                    }

                    fn visit_unit<E>(self) -> Result<$name, E> {
                        Ok($name::default())
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<$name, A::Error> {
                        let mut read = $name::default();
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                $(stringify!($key) => read.$key = map.next_value()?,)*
                                other => {
                                    let value: serde_saphyr::Spanned<serde::de::IgnoredAny> =
                                        map.next_value()?;
                                    $crate::config::keys::unknown(
                                        other,
                                        value.referenced.line(),
                                        $name::KEYS,
                                    );
                                }
                            }
                        }
                        Ok(read)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
    };
}
pub(super) use mapping;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_has_a_likely_correction() {
        let keys = ["region", "aws_dimensions", "aws_dimension_select", "period_seconds"];
        for (name, expected) in [
            ("reigon", Some("region")),
            ("aws_dimension", Some("aws_dimensions")),
            ("Period_Seconds", Some("period_seconds")),
            ("period", Some("period_seconds")),
            ("nothing_like_it", None),
            ("", None),
        ] {
            assert_eq!(likely(name, &keys), expected, "{name}");
        }
        assert_eq!(likely("Max", &["Maximum", "Minimum"]), Some("Maximum"));
    }
}
