//! docs/architecture.md compared with the code, and imports without cycles.

#![expect(clippy::disallowed_methods, reason = "reads the source of the crate")]
#![expect(clippy::unwrap_used, reason = "tests fail by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The folders and files of the page, from top to bottom, as paths below `src`.
fn order() -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/architecture.md");
    let page = fs::read_to_string(page).unwrap();
    let section = page.split("## Folders of exporter-core").nth(1).unwrap();
    let list = section.split("```").nth(1).unwrap();
    let mut order = Vec::new();
    let mut folder = String::new();
    for line in list.lines().filter(|line| !line.is_empty()) {
        let name = line.split_whitespace().next().unwrap();
        if let Some(path) = line.strip_prefix("src/").and_then(|_| name.strip_prefix("src/")) {
            path.clone_into(&mut folder);
            order.push(path.to_owned());
        } else {
            order.push(format!("{folder}{name}"));
        }
    }
    order
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !["tests.rs", "fuzz.rs", "pki.rs", "lib.rs"].contains(&name)
        {
            found.push(path);
        }
    }
}

/// The entry that a path below `src` belongs to: the longest one that it begins with.
fn place(order: &[String], path: &str) -> Option<usize> {
    let is_in = |entry: &String| {
        path.starts_with(entry.as_str()) || entry.strip_suffix('/') == path.strip_suffix(".rs")
    };
    let entries = order.iter().enumerate().filter(|(_, entry)| is_in(entry));
    entries.max_by_key(|(_, entry)| entry.len()).map(|(index, _)| index)
}

/// The paths below `src` of the modules that a file imports with `use crate::`.
fn imports(text: &str) -> Vec<String> {
    const REEXPORTED: [(&str, &str); 7] = [
        ("desc", "exposition/desc.rs"),
        ("families", "exposition/families.rs"),
        ("file", "kernel/file.rs"),
        ("format", "exposition/format.rs"),
        ("limits", "exposition/limits.rs"),
        ("process", "kernel/process.rs"),
        ("value", "exposition/value.rs"),
    ];
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let paths = text.lines().filter_map(|line| line.trim().split_once("use crate::"));
    paths
        .map(|(_, path)| {
            let path = path.split(['{', ';', ' ']).next().unwrap().trim_end_matches(':');
            let modules: Vec<_> = path
                .split("::")
                .take_while(|part| part.chars().all(|c| c.is_lowercase() || c == '_'))
                .collect();
            let first = modules.first().copied().unwrap_or_default();
            match REEXPORTED.iter().find(|(name, _)| *name == first) {
                Some((_, file)) => (*file).to_owned(),
                None => format!("{}.rs", modules.join("/")),
            }
        })
        .collect()
}

#[test]
fn folders_import_only_from_those_below_them() {
    let order = order();
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&src, &mut found);
    let mut checked = 0;
    for path in found {
        let name = path.strip_prefix(&src).unwrap().to_str().unwrap();
        let Some(from) = place(&order, name) else { panic!("{name} is in no folder of the list") };
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            let Some(to) = place(&order, &import) else { continue };
            let is_shared = order[to] == "web/" && order[from].starts_with("web/");
            assert!(from <= to || is_shared, "{name} imports {import}, which is above it");
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} imports were found");
}

#[test]
fn the_files_that_the_page_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let table = page.split("## Where is what").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut checked = 0;
    for line in table.lines().filter(|line| line.starts_with("| Where")) {
        // A path is relative to the crate of the line, or to its folder.
        let mut places = vec![root.clone()];
        for path in line.split('`').skip(1).step_by(2).filter(|path| path.contains(".rs")) {
            let found = places.iter().map(|place| place.join(path)).find(|path| path.is_file());
            let Some(found) = found else { panic!("{path} does not exist: {line}") };
            let crate_name = path.split('/').next().unwrap();
            places.extend([root.join(crate_name), root.join(crate_name).join("src")]);
            places.extend(found.parent().map(Path::to_owned));
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} files were found");
}

/// The modules that a file imports by `crate::` or `super::`, as paths below `src`.
fn imported_modules(name: &str, text: &str, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let parent = |module: &str| module.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let imports = text.lines().filter_map(|line| line.trim().split_once("use "));
    let mut found = BTreeSet::new();
    for (_, import) in imports.filter(|(visibility, _)| !visibility.contains('/')) {
        let (mut module, mut rest) = match import.split_once("::") {
            Some(("crate", rest)) => (String::new(), rest),
            Some(("super", rest)) => (parent(name), rest),
            _ => continue,
        };
        while let Some(next) = rest.strip_prefix("super::") {
            (module, rest) = (parent(&module), next);
        }
        for part in rest.split(['{', ';', ' ']).next().unwrap().split("::") {
            let inner = format!("{module}/{part}");
            let inner = inner.trim_start_matches('/');
            if !modules.contains(inner) {
                break;
            }
            inner.clone_into(&mut module);
        }
        found.insert(module);
    }
    found
}

/// Modules may import from those that contain them or that they contain, but other imports have no
/// cycles.
#[test]
fn imports_have_no_cycles() {
    let contains = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    for crate_name in ["exporter-core", "node-exporter", "mysql-exporter", "cloudwatch-exporter"] {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(crate_name).join("src");
        let mut found = Vec::new();
        files(&src, &mut found);
        let module = |path: &Path| {
            path.strip_prefix(&src).unwrap().with_extension("").to_str().unwrap().to_owned()
        };
        let modules: BTreeSet<_> = found.iter().map(|path| module(path)).collect();
        let mut imports = BTreeMap::new();
        for path in &found {
            let name = module(path);
            let mut imported =
                imported_modules(&name, &fs::read_to_string(path).unwrap(), &modules);
            imported.retain(|other| !contains(other, &name) && !contains(&name, other));
            imports.insert(name, imported);
        }
        assert!(imports.values().flatten().count() > 100, "{crate_name}: {imports:?}");
        // Removes modules without imports until only those of cycles and their users are left.
        loop {
            let count = imports.len();
            let left: BTreeSet<_> = imports.keys().cloned().collect();
            imports.retain(|_, imported| imported.iter().any(|other| left.contains(other)));
            if imports.len() == count {
                break;
            }
        }
        assert!(imports.is_empty(), "{crate_name} has cycles in {imports:#?}");
    }
}
