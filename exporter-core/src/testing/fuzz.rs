//! Random input for parsers: the entries of a corpus, then mutations of them.
//!
//! The environment variable `PROPTEST_CASES` sets the number of mutations per test, by default
//! 256: `PROPTEST_CASES=100000 cargo test --release fuzz` tries more.

use std::fs;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;

/// Larger entries of a corpus are not mutated.
const MUTATED: usize = 4096;

/// The files of a folder below `tests/corpus` of the crate in `manifest_dir`.
#[expect(clippy::disallowed_methods, reason = "the corpus is read, not a kernel's folder")]
pub fn corpus(manifest_dir: &str, name: &str) -> Vec<Vec<u8>> {
    let folder = format!("{manifest_dir}/tests/corpus/{name}");
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut paths: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{folder} is empty");
    paths.iter().map(|path| fs::read(path).expect("the corpus can be read")).collect()
}

/// Calls `check` with each entry of the corpus, and with mutations of them. It has to panic on a
/// failure.
pub fn fuzz(corpus: Vec<Vec<u8>>, check: impl Fn(&[u8])) {
    for bytes in &corpus {
        check(bytes);
    }
    let small: Vec<_> = corpus.into_iter().filter(|bytes| bytes.len() <= MUTATED).collect();
    let input = (select(small), mutations());
    let outcome = TestRunner::default().run(&input, |(bytes, mutations)| {
        check(&mutated(bytes, &mutations));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// A change to some bytes.
#[derive(Clone, Debug)]
enum Mutation {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Truncate(Index),
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let mutation = prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (any::<Index>(), vec(any::<u8>(), 1..12))
            .prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (any::<Index>(), 1..64_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (any::<Index>(), 1..64_usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
        any::<Index>().prop_map(Mutation::Truncate),
    ];
    vec(mutation, 0..6)
}

fn mutated(mut bytes: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let length = bytes.len();
        let place = |at: &Index| at.index(length + 1);
        let range = |at: &Index, size: usize| place(at)..(place(at) + size).min(length);
        match mutation {
            Mutation::Set(at, byte) => {
                let at = place(at);
                bytes.splice(at..(at + 1).min(length), [*byte]);
            }
            Mutation::Insert(at, new) => {
                bytes.splice(place(at)..place(at), new.iter().copied());
            }
            Mutation::Remove(at, size) => {
                bytes.drain(range(at, *size));
            }
            Mutation::Repeat(at, size) => {
                let part = bytes.get(range(at, *size)).unwrap_or_default().to_vec();
                bytes.splice(place(at)..place(at), part);
            }
            Mutation::Truncate(at) => bytes.truncate(place(at)),
        }
    }
    bytes
}
