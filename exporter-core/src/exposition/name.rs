//! Names that are not `[a-zA-Z_:][a-zA-Z0-9_:]*`, and how they are escaped for readers that do not
//! support them.

use std::borrow::Cow;
use std::fmt::Write;

use super::desc;
use super::format::Escaping;

/// The use of a name: label names must not contain colons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Label,
    Metric,
}

impl Role {
    /// Whether `name` needs neither quotes nor escaping.
    pub(crate) const fn is_legacy(self, name: &str) -> bool {
        match self {
            Self::Label => desc::is_label_name(name),
            Self::Metric => desc::is_metric_name(name),
        }
    }

    /// Whether any format can write `name`.
    pub(crate) fn is_legal(self, name: &str) -> bool {
        self.is_legacy(name) || (!name.is_empty() && !name.contains('\0'))
    }

    fn allows(self, letter: char, first: bool) -> bool {
        letter.is_ascii_alphabetic()
            || letter == '_'
            || (letter == ':' && self == Self::Metric)
            || (letter.is_ascii_digit() && !first)
    }
}

/// A name as it is written on a page. A legacy name is unchanged in every scheme, as in the Go
/// exporters.
pub(crate) fn escaped(name: &str, role: Role, escaping: Escaping) -> Cow<'_, str> {
    if role.is_legacy(name) { Cow::Borrowed(name) } else { escape(name, role, escaping) }
}

fn escape(name: &str, role: Role, escaping: Escaping) -> Cow<'_, str> {
    let dots = match escaping {
        Escaping::AllowUtf8 => return Cow::Borrowed(name),
        Escaping::Dots => true,
        Escaping::Underscores | Escaping::Values if role.is_legacy(name) => {
            return Cow::Borrowed(name);
        }
        Escaping::Underscores | Escaping::Values => false,
    };
    let values = escaping == Escaping::Values;
    let mut out = String::with_capacity(name.len() * 2);
    if values {
        out.push_str("U__");
    }
    for (at, letter) in name.char_indices() {
        if letter == '_' {
            out.push_str(if dots || values { "__" } else { "_" });
        } else if role.allows(letter, at == 0) {
            out.push(letter);
        } else if values {
            // Writing to a string never fails.
            let _ = write!(out, "_{:x}_", u32::from(letter));
        } else if dots {
            out.push_str(if letter == '.' { "_dot_" } else { "__" });
        } else {
            out.push('_');
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_escapes_names() {
        for (name, underscores, dots, values) in [
            ("a:b_c", "a:b_c", "a:b__c", "a:b_c"),
            ("disk.io.time", "disk_io_time", "disk_dot_io_dot_time", "U__disk_2e_io_2e_time"),
            ("a.b_total", "a_b_total", "a_dot_b__total", "U__a_2e_b__total"),
            ("é 1", "__1", "____1", "U___e9__20_1"),
            ("温度", "__", "____", "U___6e29__5ea6_"),
            ("🦀x", "_x", "__x", "U___1f980_x"),
            ("1st", "_st", "__st", "U___31_st"),
        ] {
            for (escaping, expected) in [
                (Escaping::AllowUtf8, name),
                (Escaping::Underscores, underscores),
                (Escaping::Dots, dots),
                (Escaping::Values, values),
            ] {
                assert_eq!(escape(name, Role::Metric, escaping), expected);
            }
        }
    }

    #[test]
    fn legacy_names_are_unchanged_and_labels_have_no_colons() {
        assert_eq!(escaped("a_b", Role::Metric, Escaping::Dots), "a_b");
        assert_eq!(escaped("a:b", Role::Label, Escaping::Underscores), "a_b");
        assert_eq!(escaped("a:b", Role::Label, Escaping::Values), "U__a_3a_b");
    }

    proptest::proptest! {
        #[test]
        fn escaped_names_are_legacy(name in "[^\0]+") {
            for role in [Role::Label, Role::Metric] {
                for escaping in [Escaping::Underscores, Escaping::Dots, Escaping::Values] {
                    let escaped = escaped(&name, role, escaping);
                    assert!(role.is_legacy(&escaped), "{escaped}");
                }
            }
        }
    }
}
