//! The syntax of MySQL option files: sections, keys and values.

use std::collections::BTreeMap;

/// The sections by name. In keys, `_` is replaced by `-`.
#[derive(Clone, Debug, Default)]
pub(super) struct OptionFile {
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

/// An invalid line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) line: usize,
    pub(super) problem: &'static str,
}

impl OptionFile {
    /// Parses a file like the library of `mysqld_exporter`. Values are literal, except for quotes
    /// around them and a backslash at the end.
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut file = Self::default();
        // Keys before the first section are ignored.
        let mut section = String::new();
        let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let error = |problem| SyntaxError { line: number + 1, problem };
            let line = line.trim();
            // `!include` is ignored.
            if line.is_empty() || line.starts_with(['#', ';', '!']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[') {
                let name =
                    name.strip_suffix(']').ok_or_else(|| error("a section name without ]"))?;
                name.trim().clone_into(&mut section);
                file.sections.entry(section.clone()).or_default();
                continue;
            }
            let (key, value) = line.split_once(['=', ':']).unwrap_or((line, "true"));
            let rest = lines.by_ref().map(|(_, line)| line);
            let value = parse_value(value.trim(), rest)
                .ok_or_else(|| error("a value without its closing quote"))?;
            if !section.is_empty() {
                let section = file.sections.entry(section.clone()).or_default();
                section.insert(key.trim().replace('_', "-"), value);
            }
        }
        Ok(file)
    }

    pub(super) fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// The value of a key in a section or the sections that it inherits from: `[a.b]` inherits from
    /// `[a]`.
    pub(super) fn value(&self, section: &str, key: &str) -> Option<&str> {
        ancestors(section).find_map(|section| self.direct_value(section, key))
    }

    /// The value of the first of these keys that exists, nearest section first.
    pub(super) fn nearest<'a>(&self, section: &str, keys: &[&'a str]) -> Option<(&'a str, &str)> {
        ancestors(section).find_map(|section| {
            keys.iter().find_map(|key| Some((*key, self.direct_value(section, key)?)))
        })
    }

    fn direct_value(&self, section: &str, key: &str) -> Option<&str> {
        self.sections.get(section)?.get(key).map(String::as_str)
    }
}

/// A section and those that it inherits from: `a.b.c`, `a.b`, `a`.
fn ancestors(section: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(section), |name| Some(name.rsplit_once('.')?.0))
}

/// A value without its quotes, joined with its continuation lines. `None` if a quote is missing.
fn parse_value<'a>(value: &str, mut lines: impl Iterator<Item = &'a str>) -> Option<String> {
    for quotes in ["\"\"\"", "`"] {
        let Some(start) = value.strip_prefix(quotes) else { continue };
        let mut text = start.to_owned();
        while !text.contains(quotes) {
            text.push('\n');
            text.push_str(lines.next()?);
        }
        return Some(text.split(quotes).next().unwrap_or_default().to_owned());
    }
    for quote in ['"', '\''] {
        let inner = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner {
            return Some(inner.to_owned());
        }
    }
    let mut text = value.to_owned();
    while let Some(start) = text.strip_suffix('\\') {
        let next = lines.next().unwrap_or_default().trim();
        text = format!("{start}{next}");
        if next.is_empty() {
            break;
        }
    }
    Some(text)
}

/// The text of a file. Only comments may be in another encoding.
pub(super) fn decode(bytes: &[u8]) -> Result<String, SyntaxError> {
    let mut text = String::with_capacity(bytes.len());
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match str::from_utf8(line) {
            Ok(line) => text.push_str(line),
            Err(_) if line.trim_ascii_start().starts_with(b"#") => text.push_str("#\n"),
            Err(_) if line.trim_ascii_start().starts_with(b";") => text.push_str("#\n"),
            Err(_) => return Err(SyntaxError { line: number + 1, problem: "not valid UTF-8" }),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_literal() {
        for (line, value) in [
            ("password=plain", "plain"),
            ("password = spaced out ", "spaced out"),
            ("password=a$b${HOME}#c;d=e?f&g@h:/i'j\"k\\l", "a$b${HOME}#c;d=e?f&g@h:/i'j\"k\\l"),
            ("password: a=b", "a=b"),
            ("password=\"a\\\"", "a\\"),
            ("password=a\\\n  b\\\nc", "abc"),
            ("password=a\\\n\nuser=u", "a"),
            ("password=\"\"\"a\"b\nc\"\"\"", "a\"b\nc"),
            ("password=`a\"b`", "a\"b"),
            ("password=\" kept \"", " kept "),
            ("password='it\"s'", "it\"s"),
            ("password=\"", "\""),
            ("password=", ""),
            ("password", "true"),
            ("pass_word=x\npassword=y", "y"),
        ] {
            let file = OptionFile::parse(&format!("[client]\n{line}\n")).unwrap();
            assert_eq!(file.value("client", "password"), Some(value), "{line}");
        }
    }

    #[test]
    fn bom_crlf_and_comments_in_other_encodings_are_accepted() {
        let bytes = b"\xef\xbb\xbfuser=nobody\r\n[client]\r\n# caf\xe9\r\n; caf\xe9\r\nuser=u\r\n";
        let file = OptionFile::parse(&decode(bytes).unwrap()).unwrap();
        assert_eq!(file.value("client", "user"), Some("u"));
        assert_eq!(file.sections().collect::<Vec<_>>(), ["client"]);
        let error = decode(b"[client]\npassword=caf\xe9\n").unwrap_err();
        assert_eq!(error, SyntaxError { line: 2, problem: "not valid UTF-8" });
    }

    #[test]
    fn sections_inherit() {
        let text = "# a comment\n[client]\nuser=root\nssl_ca=/ca\n!includedir /etc\n\
                    [client.a]\nuser=a\n[client.a.b]\nhost=h\n[other]\nport=1\n";
        let file = OptionFile::parse(text).unwrap();
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
    fn errors_name_the_line() {
        for (text, line, problem) in [
            ("[client]\npassword=`a\nb", 2, "a value without its closing quote"),
            ("\n[client\nuser=a", 2, "a section name without ]"),
        ] {
            assert_eq!(
                OptionFile::parse(text).unwrap_err(),
                SyntaxError { line, problem },
                "{text}"
            );
        }
    }
}
