//! Limits the number of pages of a list. AWS ends a list by omitting the token. An endpoint that never
//! omits it must not cause an endless loop.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Failure;
use crate::allowance::Allowance;

/// The maximum number of pages of one list: half a million metrics, or 100,000 resources.
const MAX_PAGES: u32 = 1000;

/// The maximum number of consecutive pages without new items. AWS may send an empty page before the
/// last.
const MAX_EMPTY_PAGES: u32 = 3;

/// The pages of one list.
#[derive(Debug)]
pub(super) struct Pages {
    action: &'static str,
    scope: String,
    count: u32,
    /// The number of consecutive pages without new items.
    empty: u32,
    /// Hashes of the items so far.
    seen: HashSet<u64>,
    token: Option<String>,
}

impl Pages {
    pub(super) fn new(action: &'static str, scope: &str) -> Self {
        let seen = HashSet::new();
        Self { action, scope: scope.to_owned(), count: 0, empty: 0, seen, token: None }
    }

    /// Counts the next page against the limits of the fetch.
    pub(super) fn take(&self, allowance: &Allowance) -> Result<(), Failure> {
        if allowance.take_page() {
            return Ok(());
        }
        Err(Failure::of_fetch_limit(self.action, &self.scope))
    }

    /// The number of pages so far.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// The token for the next page.
    pub(super) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Records a page. Returns whether another one has to be requested.
    pub(super) fn record<T: Hash>(
        &mut self,
        items: impl Iterator<Item = T>,
        token: Option<String>,
    ) -> Result<bool, Failure> {
        self.count += 1;
        let mut has_new_items = false;
        for item in items {
            let mut hasher = DefaultHasher::new();
            item.hash(&mut hasher);
            has_new_items |= self.seen.insert(hasher.finish());
        }
        self.empty = if has_new_items { 0 } else { self.empty + 1 };
        let token = token.filter(|token| !token.is_empty());
        if token.is_none() || token == self.token {
            return Ok(false);
        }
        self.token = token;
        if self.empty >= MAX_EMPTY_PAGES {
            let Self { action, scope, count, .. } = self;
            tracing::warn!(
                pages = count,
                "{action} of {scope}: page after page brings nothing new; the list is taken as complete"
            );
            return Ok(false);
        }
        if self.count >= MAX_PAGES {
            let problem = format!("more than {MAX_PAGES} pages; select fewer metrics or resources");
            return Err(Failure::of_limit(self.action, &self.scope, problem));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_without_a_token_or_with_the_same_one() {
        for (first, second, expected) in [
            (None, None, vec![false]),
            (Some(String::new()), None, vec![false]),
            (Some("a".to_owned()), None, vec![true, false]),
            (Some("a".to_owned()), Some("a".to_owned()), vec![true, false]),
            (Some("a".to_owned()), Some("b".to_owned()), vec![true, true]),
        ] {
            let mut pages = Pages::new("list", "X");
            let mut found = vec![pages.record([1].iter(), first).unwrap()];
            if found[0] {
                found.push(pages.record([2].iter(), second).unwrap());
            }
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_list_ends_after_consecutive_pages_without_new_items() {
        let mut pages = Pages::new("list", "X");
        let mut number = 0;
        let mut next = |items: &[u32]| {
            number += 1;
            pages.record(items.iter(), Some(number.to_string())).unwrap()
        };
        assert!(next(&[1, 2]) && next(&[1]) && next(&[]) && next(&[2, 3]));
        assert!(next(&[3]) && next(&[3]) && !next(&[3]));
    }

    #[test]
    fn the_number_of_pages_is_limited() {
        let mut pages = Pages::new("list", "X");
        for number in 1..MAX_PAGES {
            assert!(pages.record([number].iter(), Some(number.to_string())).unwrap());
        }
        assert!(pages.record([MAX_PAGES].iter(), Some("last".to_owned())).is_err());
    }
}
