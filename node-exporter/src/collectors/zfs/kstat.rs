//! Files in the kstat format of Solaris: a line of numbers, a header line, and the entries.

use exporter_core::collector::Error;

use crate::host::{Fields, File};

/// A number with its name.
#[derive(Debug, PartialEq)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) value: f64,
}

/// The numeric entries of a file: name, type and value per line.
pub(super) fn entries(file: &File) -> impl Iterator<Item = Result<Entry<'_>, Error>> {
    file.lines().skip(2).filter_map(|line| entry(line).transpose())
}

/// An entry, if its type is a 64-bit integer.
fn entry(mut line: Fields<'_>) -> Result<Option<Entry<'_>>, Error> {
    let Some(name) = line.optional() else { return Ok(None) };
    if !matches!(line.optional(), Some("3" | "4")) {
        return Ok(None);
    }
    let value: i128 = line.number("a whole number")?;
    Ok(Some(Entry { name, value: value as f64 }))
}

/// The entries of a pool: a line of names and a line of values.
pub(super) fn pool(file: &File) -> Result<Vec<Entry<'_>>, Error> {
    let mut lines = file.lines().skip(1);
    let (Some(names), Some(mut values)) = (lines.next(), lines.next()) else {
        return Err(file.parse_error("a line of names and a line of values"));
    };
    names
        .words()
        .map(|name| {
            let value: u64 = values.number("a count for each name")?;
            Ok(Entry { name, value: value as f64 })
        })
        .collect()
}

/// The name of a dataset, and its entries.
pub(super) fn dataset(file: &File) -> Result<(&str, Vec<Entry<'_>>), Error> {
    let name = file.text().lines().skip(2).find_map(|line| {
        let (kind, name) = line.strip_prefix("dataset_name")?.trim_start().split_once(' ')?;
        (kind == "7").then_some(name.trim())
    });
    let name = name.ok_or_else(|| file.parse_error("a line with the name of a dataset"))?;
    Ok((name, entries(file).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "6 1 0x01 91 4368 5266997922 97951858082072\nname type data\n";

    #[test]
    fn entries_are_parsed() {
        for (line, expected) in [
            ("hits                            4    8772612", Some(Some(("hits", 8_772_612.0)))),
            (
                "memory_available_bytes          3    -5",
                Some(Some(("memory_available_bytes", -5.0))),
            ),
            ("name                            7    word", Some(None)),
            ("hits", Some(None)),
            ("", Some(None)),
            ("hits 4", None),
            ("hits 4 x", None),
        ] {
            let found = entry(Fields::from_line(line)).ok();
            let found = found.map(|entry| entry.map(|entry| (entry.name, entry.value)));
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn pools_are_parsed() {
        let file = File::from_text("12 3 0x00\nnread nwritten\n18 5 \n");
        let entries = pool(&file).unwrap();
        assert_eq!(
            entries,
            [Entry { name: "nread", value: 18.0 }, Entry { name: "nwritten", value: 5.0 }]
        );
        for text in ["", "12 3\n", "12\nnread\n", "12\nnread nwritten\n5\n", "12\nnread\nx\n"] {
            assert!(pool(&File::from_text(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn datasets_are_parsed() {
        for (lines, expected) in [
            ("dataset_name                    7    tank/a  b\nreads 4 7\n", Some("tank/a  b")),
            ("dataset_name 7 tank\nreads 4 x\n", None),
            ("dataset_name 4 7\nreads 4 7\n", None),
            ("reads 4 7\n", None),
            ("", None),
        ] {
            let file = File::from_text(&format!("{HEAD}{lines}"));
            assert_eq!(dataset(&file).ok().map(|(name, _)| name), expected, "{lines}");
        }
    }
}
