//! What collectors expose over a recorded machine, held against files.

use std::collections::BTreeSet;
use std::{env, fs, path::Path};

use crate::collector::{Collector, Definition, Error, Source};
use crate::exposition;
use crate::exposition::families::Families;
use crate::exposition::format::{Escaping, Format};
use crate::flags::Flags;

/// What a blocking collector exposes in text 0.0.4, and how it ended.
pub fn expose<Env>(def: &Definition<Env>, env: &Env, flags: &Flags) -> (String, Result<(), Error>) {
    let mut source = match (def.build)(env, flags) {
        Ok(source) => source,
        Err(error) => panic!("{} does not build: {error}", def.name),
    };
    match &mut source {
        Source::Blocking(collector) => collect(collector.as_mut()),
        Source::Async(_) => panic!("{} waits for a network", def.name),
    }
}

/// As [`expose`], of a collector that is there already.
pub fn collect(collector: &mut dyn Collector) -> (String, Result<(), Error>) {
    let mut out = Families::new(Format::Text004, Escaping::Underscores);
    let end = collector.collect(&mut out);
    (String::from_utf8_lossy(&page(&[out])).into_owned(), end)
}

/// What collectors wrote, as one page. They wrote in the same format.
pub fn page(parts: &[Families]) -> Vec<u8> {
    let format = parts.first().map_or(Format::Text004, |part| part.format);
    let escaping = parts.first().map_or(Escaping::Underscores, |part| part.escaping);
    exposition::join(parts, format, escaping).0
}

/// Compares `text` with the file at `path`. With `UPDATE=1` the file is written instead.
#[expect(clippy::disallowed_methods, reason = "reads a golden file, not the machine")]
pub fn golden(path: impl AsRef<Path>, text: &str) {
    let path = path.as_ref();
    if env::var_os("UPDATE").is_some() {
        let parent = path.parent().unwrap_or(path);
        if let Err(error) = fs::create_dir_all(parent).and_then(|()| fs::write(path, text)) {
            panic!("{}: {error}", path.display());
        }
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    let mut lines = text.lines().zip(expected.lines());
    let differing = lines.find(|(line, expected)| line != expected);
    let place = path.display();
    assert!(text == expected, "{place} differs, at {differing:?}; UPDATE=1 takes it as it is");
}

/// Families of a page: the names on its `# TYPE` lines.
pub fn families(page: &str) -> BTreeSet<&str> {
    page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect()
}

/// Holds a collector to its list of metrics: what it exposed on `page` is declared, and what is
/// declared was exposed. `<...>` in a declared name stands for anything.
pub fn declared_is_exposed<Env>(def: &Definition<Env>, page: &str) {
    let exposed = families(page);
    let mut missing = Vec::new();
    let mut declared = BTreeSet::new();
    for metric in def.metrics {
        metric.describe(&mut |entry| {
            let found: Vec<_> =
                exposed.iter().filter(|name| matches(entry.name, name)).copied().collect();
            if found.is_empty() {
                missing.push(entry.name.to_owned());
            }
            declared.extend(found);
        });
    }
    assert!(missing.is_empty(), "{}: declared, not in the fixtures: {missing:?}", def.name);
    let extra: Vec<_> = exposed.difference(&declared).collect();
    assert!(extra.is_empty(), "{}: exposed, not declared: {extra:?}", def.name);
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('<') {
        None => pattern == name,
        Some((stem, rest)) => {
            let tail = rest.rsplit_once('>').map_or("", |(_, tail)| tail);
            name.strip_prefix(stem).is_some_and(|rest| rest.ends_with(tail))
        }
    }
}
