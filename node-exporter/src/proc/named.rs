//! Families named after fields of kernel files. The cache saves filtering and formatting the names
//! in every scrape.

use exporter_core::desc::{Desc, Kind};
use exporter_core::families::Families;

/// The maximum number of names in one file, more than any kernel has. Further names are ignored.
pub(crate) const MAX_NAMES: usize = 4096;

/// An untyped family without labels.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) help: String,
}

impl Named {
    /// Writes the sample, unless the name is invalid.
    pub(crate) fn sample(&self, out: &mut Families, value: f64) {
        if let Some(desc) = Desc::try_new(&self.name, &self.help, Kind::Untyped, []) {
            out.family(&desc).sample([], value);
        }
    }
}

/// The names in a file by position. Their order rarely changes.
#[derive(Debug, Default)]
pub(crate) struct Names {
    cached: Vec<(String, Option<Named>)>,
}

impl Names {
    /// The family for the name at this index, or `None` if `select` rejects the name. Calls
    /// `select` only if the name has changed. Indices have to be visited in order.
    pub(crate) fn get(
        &mut self,
        index: usize,
        name: &str,
        select: impl FnOnce(&str) -> Option<Named>,
    ) -> Option<&Named> {
        if self.cached.get(index).is_none_or(|(cached, _)| cached != name) {
            if index >= MAX_NAMES {
                return None;
            }
            self.cached.truncate(index);
            self.cached.push((name.to_owned(), select(name)));
        }
        self.cached.get(index)?.1.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_checked_once() {
        let mut names = Names::default();
        let mut judged = Vec::new();
        for (index, name) in [(0, "a"), (1, "b"), (0, "a"), (1, "b"), (0, "a"), (1, "c")] {
            let found = names.get(index, name, |name| {
                judged.push(name.to_owned());
                (name != "b").then(|| Named { name: name.to_owned(), help: String::new() })
            });
            assert_eq!(found.is_some(), name != "b");
        }
        assert_eq!(judged, ["a", "b", "c"]);
        assert!(names.get(MAX_NAMES, "x", |_| panic!("too far")).is_none());
    }
}
