//! A simple parser of the text formats, to compare the series of pages.

use std::collections::BTreeMap;

/// The value of each series, by its labels and `__name__`. A bound is written as a float.
pub(crate) type Samples = BTreeMap<BTreeMap<String, String>, f64>;

/// Parses a valid page. Text after the values is ignored.
pub(crate) fn samples(page: &str) -> Samples {
    let mut samples = Samples::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let mut rest = Rest(line);
        let mut labels = BTreeMap::new();
        let bare = rest.until(&['{', ' ']);
        if !bare.is_empty() {
            labels.insert("__name__".to_owned(), bare.to_owned());
        }
        if rest.skip('{') {
            while !rest.skip('}') {
                let name =
                    if rest.skip('"') { rest.quoted() } else { rest.until(&['=']).to_owned() };
                if rest.skip('=') {
                    assert!(rest.skip('"'), "{line}");
                    let mut value = rest.quoted();
                    if ["le", "quantile"].contains(&&*name) {
                        value = bound(value.parse().unwrap());
                    }
                    assert_eq!(labels.insert(name, value), None, "{line}");
                } else {
                    assert_eq!(labels.insert("__name__".into(), name), None, "{line}");
                }
                rest.skip(',');
            }
        }
        assert!(rest.skip(' '), "{line}");
        let value = rest.until(&[' ']).parse().unwrap();
        assert!(samples.insert(labels, value).is_none(), "twice: {line}");
    }
    samples
}

pub(crate) fn bound(value: f64) -> String {
    format!("{value:?}")
}

struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip(&mut self, wanted: char) -> bool {
        let rest = self.0.strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn until(&mut self, ends: &[char]) -> &'a str {
        let (part, rest) = self.0.split_at(self.0.find(ends).unwrap_or(self.0.len()));
        self.0 = rest;
        part
    }

    /// The rest of a quoted string.
    fn quoted(&mut self) -> String {
        let mut text = String::new();
        let mut letters = self.0.chars();
        loop {
            match letters.next().unwrap() {
                '"' => break,
                '\\' => text.push(match letters.next().unwrap() {
                    'n' => '\n',
                    other => other,
                }),
                other => text.push(other),
            }
        }
        self.0 = letters.as_str();
        text
    }
}
