//! The query of a request: `collect[]=` and `exclude[]=` of a scrape, and keys of the program.

use crate::registry::Selection;

/// The decoded query of a URL: keys and values in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Parses a query without its question mark. Invalid escapes are kept as text.
    pub fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The first value of a key.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.values(key).next()
    }

    /// The collectors that it selects.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
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
