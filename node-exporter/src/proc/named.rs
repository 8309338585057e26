//! Families with names from kernel files: each name is checked and sanitized once, not in every
//! scrape.

use exporter_core::desc::{Desc, Kind};
use exporter_core::families::Families;

/// The limit of names in one file, above that of any kernel. Further names are not cached.
pub(crate) const MOST: usize = 4096;

/// A family without labels or type, under a name found on the machine.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) help: String,
}

impl Named {
    /// Writes its only sample. Invalid names are ignored.
    pub(crate) fn sample(&self, out: &mut Families, value: f64) {
        if let Some(desc) = Desc::try_new(&self.name, &self.help, Kind::Untyped, []) {
            out.family(&desc).sample([], value);
        }
    }
}

/// The names of a file in order, which rarely changes.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: Vec<(String, Option<Named>)>,
}

impl Names {
    /// The family for the name at this index, if `choose` accepts it. The check is repeated only if
    /// the name changes. Indices are visited in order.
    pub(crate) fn at(
        &mut self,
        place: usize,
        name: &str,
        choose: impl FnOnce(&str) -> Option<Named>,
    ) -> Option<&Named> {
        if self.known.get(place).is_none_or(|(known, _)| known != name) {
            if place >= MOST {
                return None;
            }
            self.known.truncate(place);
            self.known.push((name.to_owned(), choose(name)));
        }
        self.known.get(place)?.1.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_checked_once() {
        let mut names = Names::default();
        let mut judged = Vec::new();
        for (place, name) in [(0, "a"), (1, "b"), (0, "a"), (1, "b"), (0, "a"), (1, "c")] {
            let found = names.at(place, name, |name| {
                judged.push(name.to_owned());
                (name != "b").then(|| Named { name: name.to_owned(), help: String::new() })
            });
            assert_eq!(found.is_some(), name != "b");
        }
        assert_eq!(judged, ["a", "b", "c"]);
        assert!(names.at(MOST, "x", |_| panic!("too far")).is_none());
    }
}
