//! The query of a scrape: `collect[]=` and `exclude[]=`.

use crate::registry::Selection;

/// What stands behind the question mark, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what is behind the question mark of a URL.
    pub fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        });
        Self(pairs.collect())
    }

    /// The first value of a key.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.values(key).next()
    }

    /// The collectors that it asks for.
    pub(crate) fn selection(&self) -> Result<Selection, &'static str> {
        let named = |key| self.values(key).map(str::to_owned).collect::<Vec<_>>();
        let (only, except) = (named("collect[]"), named("exclude[]"));
        match (only.is_empty(), except.is_empty()) {
            (true, true) => Ok(Selection::All),
            (false, true) => Ok(Selection::Only(only)),
            (true, false) => Ok(Selection::Except(except)),
            (false, false) => Err("Either collect[] or exclude[] can be given, not both."),
        }
    }

    /// All values of a key.
    pub fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Without percent signs, as far as what they stand for is text. What is no escape stays.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) if let Some(byte) = hex(*high, *low) => {
                out.push(byte);
                rest = after;
            }
            _ => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_and_decoded() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        for (query, wanted) in [
            ("", Selection::All),
            ("x=y&&=&collect", Selection::All),
            ("collect[]=cpu&collect[]=os", Selection::Only(names(&["cpu", "os"]))),
            ("collect%5B%5d=a%2Eb+c%", Selection::Only(names(&["a.b c%"]))),
            ("exclude[]=%ff%0g%4", Selection::Except(names(&["\u{fffd}%0g%4"]))),
            ("exclude[]", Selection::Except(names(&[""]))),
        ] {
            assert_eq!(Query::parse(query).selection(), Ok(wanted), "{query}");
        }
        assert!(Query::parse("collect[]=a&exclude[]=b").selection().is_err());
        assert_eq!(Query::parse("target=a%3A1&target=b").value("target"), Some("a:1"));
    }
}
