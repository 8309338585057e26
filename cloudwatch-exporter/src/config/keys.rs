//! Mappings whose unknown keys are refused or warned of, each with its line and a likely correction.

use std::cell::RefCell;

use exporter_core::config_file::yaml::similar;

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
    let hint = match similar(key, known) {
        Some(similar) => format!("did you mean {similar:?}?"),
        None => format!("known here: {}", known.join(", ")),
    };
    let problem = format!("unknown key {key:?}; {hint}");
    let line = Some(line).filter(|line| *line > 0);
    UNKNOWN.with_borrow_mut(|unknown| unknown.push(Warning { line, problem }));
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
            assert_eq!(similar(name, &keys), expected, "{name}");
        }
        assert_eq!(similar("Max", &["Maximum", "Minimum"]), Some("Maximum"));
    }
}
