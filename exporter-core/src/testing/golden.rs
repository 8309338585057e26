//! Compares the output of collectors with golden files.

use std::collections::BTreeSet;
use std::{env, fs, path::Path};

use crate::collector::{AsyncCollector, Collector, Definition, Error, Source};
use crate::exposition::families::Families;
use crate::exposition::format::{Escaping, Format};
use crate::exposition::{self, Conflict};
use crate::flags::Flags;

/// The output of a blocking collector in text 0.0.4, and its result.
///
/// # Panics
///
/// Panics, like all functions that create a page, if series were dropped from it: see [`page`].
pub fn expose<Env>(def: &Definition<Env>, env: &Env, flags: &Flags) -> (String, Result<(), Error>) {
    let mut source = match (def.build)(env, flags) {
        Ok(source) => source,
        Err(error) => panic!("{} does not build: {error}", def.name),
    };
    match &mut source {
        Source::Blocking(collector) => collect(collector.as_mut()),
        Source::Async(_) => panic!("{} is asynchronous: use `expose_async`", def.name),
    }
}

/// Like [`expose`], for an asynchronous collector.
pub async fn expose_async<Env>(
    def: &Definition<Env>,
    env: &Env,
    flags: &Flags,
) -> (String, Result<(), Error>) {
    match (def.build)(env, flags) {
        Ok(Source::Async(mut collector)) => collect_async(collector.as_mut()).await,
        Ok(Source::Blocking(mut collector)) => collect(collector.as_mut()),
        Err(error) => panic!("{} does not build: {error}", def.name),
    }
}

/// Like [`collect`], for an asynchronous collector.
pub async fn collect_async(collector: &mut dyn AsyncCollector) -> (String, Result<(), Error>) {
    let mut out = Families::new(Format::Text004, Escaping::Underscores);
    let end = collector.collect(&mut out).await;
    (String::from_utf8_lossy(&page(&[out])).into_owned(), end)
}

/// Like [`expose`], for a collector that is already built.
pub fn collect(collector: &mut dyn Collector) -> (String, Result<(), Error>) {
    let mut out = Families::new(Format::Text004, Escaping::Underscores);
    let end = collector.collect(&mut out);
    (String::from_utf8_lossy(&page(&[out])).into_owned(), end)
}

/// The output of collectors as one page. All must have the same format.
///
/// # Panics
///
/// Panics if series were dropped from the page, because a name or value is invalid, another family
/// has the same name, or the series already exists.
pub fn page(parts: &[Families]) -> Vec<u8> {
    let (page, dropped) = page_with_dropped(parts);
    assert!(dropped.is_empty(), "series were left out of the page: {}", dropped.join("; "));
    page
}

/// Like [`page`], with a line for each family from which series were dropped.
pub fn page_with_dropped(parts: &[Families]) -> (Vec<u8>, Vec<String>) {
    let format = parts.first().map_or(Format::Text004, |part| part.format);
    let escaping = parts.first().map_or(Escaping::Underscores, |part| part.escaping);
    let (page, conflicts) = exposition::join(parts, format, escaping);
    let mut dropped: Vec<_> = conflicts
        .into_iter()
        .map(|conflict| match conflict {
            Conflict::Family { name, dropped } => {
                format!("{dropped} of {name}: it has another type or other labels than the first")
            }
            Conflict::Series { name, dropped } => {
                format!("{dropped} of {name}: the series exist already")
            }
        })
        .collect();
    let refused: usize = parts.iter().map(|part| part.refused).sum();
    if refused > 0 {
        dropped.push(format!("{refused} samples whose names, labels or values are invalid"));
    }
    (page, dropped)
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

/// Checks that `page` has exactly the families that the collector declares. `<...>` in a declared
/// name matches anything.
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
