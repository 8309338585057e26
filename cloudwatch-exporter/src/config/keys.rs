//! Deserializes mappings, and records their unknown keys with the lines.

use std::cell::RefCell;

use exporter_core::config_file::yaml;

/// How unknown keys and values are handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// They are errors, except keys that begin with `x-`, which are for anchors.
    #[default]
    Refuse,
    /// They are ignored with a warning. The Java exporter ignores them silently.
    Warn,
}

/// A warning about an ignored key or value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) line: Option<u64>,
    pub(crate) problem: String,
}

thread_local! {
    /// The unknown keys so far. This is a thread local, because serde passes no context to
    /// `deserialize`. A file is parsed on one thread.
    static UNKNOWN: RefCell<Vec<Warning>> = const { RefCell::new(Vec::new()) };
}

/// Returns the unknown keys since the last call.
pub(super) fn take_unknown() -> Vec<Warning> {
    UNKNOWN.with_borrow_mut(std::mem::take)
}

/// Records a key that is not in `known`.
pub(super) fn unknown(key: &str, line: u64, known: &[&str]) {
    if key.starts_with("x-") {
        return;
    }
    let problem = yaml::unknown_key(key, known);
    let line = Some(line).filter(|line| *line > 0);
    UNKNOWN.with_borrow_mut(|unknown| unknown.push(Warning { line, problem }));
}

/// Defines a struct, and deserializes it from a mapping.
macro_rules! mapping {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident { $($field_visibility:vis $key:ident: $type:ty,)* }) => {
        $(#[$attribute])*
        $visibility struct $name { $($field_visibility $key: $type,)* }

        impl $name {
            /// The known keys.
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
                        let mut value = $name::default();
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                $(stringify!($key) => value.$key = map.next_value()?,)*
                                other => {
                                    let ignored: serde_saphyr::Spanned<serde::de::IgnoredAny> =
                                        map.next_value()?;
                                    $crate::config::keys::unknown(
                                        other,
                                        ignored.referenced.line(),
                                        $name::KEYS,
                                    );
                                }
                            }
                        }
                        Ok(value)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
    };
}
pub(super) use mapping;
