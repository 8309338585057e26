//! A fast hash of label values, for finding duplicate series.
//!
//! Each chunk of eight bytes is folded in with one wide multiplication. The keys are random for
//! each process, so that labels cannot be chosen to collide with those of another series.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

static KEYS: LazyLock<[u64; 2]> = LazyLock::new(|| {
    let random = RandomState::new();
    [random.hash_one(1), random.hash_one(2) | 1]
});

/// The hash of a list of words.
pub(crate) fn of(words: &[&str]) -> u64 {
    let mut hasher = Keyed.build_hasher();
    for word in words {
        word.hash(&mut hasher);
    }
    hasher.finish()
}

/// Builds hashers with the keys of this process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keyed;

impl BuildHasher for Keyed {
    type Hasher = Fold;

    fn build_hasher(&self) -> Fold {
        let [state, key] = *KEYS;
        Fold { state, key }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fold {
    state: u64,
    key: u64,
}

impl Fold {
    fn fold(&mut self, chunk: u64) {
        let wide = u128::from(self.state ^ chunk) * u128::from(self.key);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let (low, high) = (wide as u64, (wide >> 64) as u64);
        self.state = (low ^ high).wrapping_add(self.key);
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks();
        for chunk in chunks {
            self.fold(u64::from_le_bytes(*chunk));
        }
        // The length distinguishes a short chunk from one with trailing zeros.
        let rest = rest.iter().fold(bytes.len() as u64, |tail, &byte| tail << 8 | u64::from(byte));
        self.fold(rest);
    }

    /// Ends a word. Its length is already included.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn words_that_differ_hash_differently() {
        let lists: [&[&str]; 9] = [
            &[],
            &[""],
            &["", ""],
            &["a", "b"],
            &["b", "a"],
            &["ab", ""],
            &["\0"],
            &["\0\0"],
            &["12345678"],
        ];
        let hashes: HashSet<_> = lists.iter().map(|words| of(words)).collect();
        assert_eq!(hashes.len(), lists.len());
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));

        let many: HashSet<_> = (0..100_000).map(|n: u32| of(&["eth", &n.to_string()])).collect();
        assert_eq!(many.len(), 100_000);
    }
}
