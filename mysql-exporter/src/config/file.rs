//! The option file of MySQL's clients, as far as sections, keys and values go.

use std::collections::BTreeMap;

/// Sections by name, their keys with `-` for `_`.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) problem: &'static str,
}

impl File {
    /// Reads a file. Values are taken as they are, between quotes if there are any: nothing in a
    /// password means anything.
    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let mut file = Self::default();
        let mut section = None;
        for (line, text) in text.lines().enumerate() {
            let wrong = |problem| Wrong { line: line + 1, problem };
            let text = text.trim();
            // `!include` is for other readers of the file.
            if text.is_empty() || text.starts_with(['#', ';', '!']) {
                continue;
            }
            if let Some(name) = text.strip_prefix('[') {
                let name =
                    name.strip_suffix(']').ok_or_else(|| wrong("a section without its ]"))?;
                section = Some(file.sections.entry(name.trim().to_owned()).or_default());
                continue;
            }
            let section = section.as_mut().ok_or_else(|| wrong("a key before any [section]"))?;
            let (key, value) = text.split_once('=').unwrap_or((text, "true"));
            section.insert(key.trim().replace('_', "-"), unquoted(value.trim()).to_owned());
        }
        Ok(file)
    }

    pub(super) fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// The value of a key in a section, or else in those it inherits from: `[a.b]` has all of
    /// `[a]`.
    pub(super) fn value(&self, section: &str, key: &str) -> Option<&str> {
        lineage(section).find_map(|section| self.own(section, key))
    }

    /// The value of the first of these keys that is found, nearest section first.
    pub(super) fn nearest<'a>(&self, section: &str, keys: &[&'a str]) -> Option<(&'a str, &str)> {
        lineage(section)
            .find_map(|section| keys.iter().find_map(|key| Some((*key, self.own(section, key)?))))
    }

    fn own(&self, section: &str, key: &str) -> Option<&str> {
        self.sections.get(section)?.get(key).map(String::as_str)
    }
}

/// `a.b.c`, `a.b`, `a`.
fn lineage(section: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(section), |name| Some(name.rsplit_once('.')?.0))
}

fn unquoted(value: &str) -> &str {
    let within = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_as_they_are() {
        for (line, value) in [
            ("password=plain", "plain"),
            ("password = spaced out ", "spaced out"),
            ("password=a$b${HOME}#c;d=e?f&g@h:/i'j\"k\\", "a$b${HOME}#c;d=e?f&g@h:/i'j\"k\\"),
            ("password=\" kept \"", " kept "),
            ("password='it\"s'", "it\"s"),
            ("password=\"", "\""),
            ("password=", ""),
            ("password", "true"),
            ("pass_word=x\npassword=y", "y"),
        ] {
            let file = File::parse(&format!("[client]\n{line}\n")).unwrap();
            assert_eq!(file.value("client", "password"), Some(value), "{line}");
        }
    }

    #[test]
    fn sections_inherit() {
        let text = "# a comment\n[client]\nuser=root\nssl_ca=/ca\n!includedir /etc\n\
                    [client.a]\nuser=a\n[client.a.b]\nhost=h\n[other]\nport=1\n";
        let file = File::parse(text).unwrap();
        for (section, key, value) in [
            ("client", "user", Some("root")),
            ("client.a", "user", Some("a")),
            ("client.a", "ssl-ca", Some("/ca")),
            ("client.a.b", "user", Some("a")),
            ("client.a.b", "ssl-ca", Some("/ca")),
            ("client.none", "user", Some("root")),
            ("other", "user", None),
        ] {
            assert_eq!(file.value(section, key), value, "{section} {key}");
        }
        assert_eq!(file.nearest("client.a.b", &["socket", "host"]), Some(("host", "h")));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, line, problem) in [
            ("user=a", 1, "a key before any [section]"),
            ("\n[client\nuser=a", 2, "a section without its ]"),
        ] {
            assert_eq!(File::parse(text).unwrap_err(), Wrong { line, problem }, "{text}");
        }
    }
}
