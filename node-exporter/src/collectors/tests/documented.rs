//! The collector of docs/adding-a-collector.md, compiled and run.

mod swap;
mod swap_with_flag;

use exporter_core::flags::{Flag, Flags};
use exporter_core::testing;

use super::super::Definition;
use super::recorded;

const PAGE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/adding-a-collector.md"));

const COLLECTOR: &str = include_str!("documented/swap.rs");
const COLLECTOR_WITH_FLAG: &str = include_str!("documented/swap_with_flag.rs");

/// The snippets of the page are these files, except for lines replaced by `// ...`.
#[test]
fn the_snippets_are_compiled() {
    let mut snippets = PAGE.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut same = |source: &str| {
        let snippet = snippets.next().unwrap();
        for part in snippet.split("// ...\n") {
            assert!(source.contains(part), "not in the compiled collector:\n{part}");
        }
    };
    same(COLLECTOR);
    same(COLLECTOR_WITH_FLAG);
    same(COLLECTOR);
    assert_eq!(snippets.next(), None, "a snippet that nothing compiles");
}

#[test]
fn the_collector_and_its_flag_work() {
    let devices = |definition: &Definition, flags: &Flags| {
        let (page, result) = testing::expose(definition, &recorded(), flags);
        result.unwrap();
        testing::declared_is_exposed(definition, &page);
        page.lines().filter(|line| line.starts_with("node_swap_priority{")).count()
    };
    assert_eq!(devices(&swap::DEFINITION, &Flags::default()), 2);
    assert_eq!(devices(&swap_with_flag::DEFINITION, &Flags::default()), 2);
    let exclude: &Flag = swap_with_flag::DEFINITION.flags[0];
    assert_eq!(devices(&swap_with_flag::DEFINITION, &Flags::new([(exclude, "^/dev/dm")])), 1);
}
