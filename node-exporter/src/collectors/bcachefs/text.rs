//! Human-readable texts of bcachefs.

use exporter_core::collector::Error;

use crate::host::{Fields, File};

/// `720` or `2.05G`; each unit is 1024 times the previous one.
pub(super) fn human_readable(text: &str) -> Option<f64> {
    if let Ok(number) = text.parse::<u64>() {
        return Some(number as f64);
    }
    let (end, unit) = text.char_indices().next_back()?;
    let power = "kMGTPEZY".find(unit)?;
    let number: f64 = text.get(..end)?.parse().ok()?;
    let unit = (0..=power).fold(1.0, |unit, _| unit * 1024.0);
    (number >= 0.0 && number.is_finite()).then(|| (number * unit).trunc())
}

fn number(line: &mut Fields<'_>) -> Result<f64, Error> {
    let expected = "a number such as 12 or 2.05G";
    human_readable(line.word(expected)?).ok_or_else(|| line.parse_error(expected))
}

/// A counter since the creation of the file system.
pub(super) fn counter(file: &File) -> Result<f64, Error> {
    let expected = "a line `since filesystem creation:` with a number";
    let line = file.text().lines().find_map(|line| line.strip_prefix("since filesystem creation:"));
    line.and_then(|number| human_readable(number.trim())).ok_or_else(|| file.parse_error(expected))
}

/// Kinds of errors with their counts. The time of the last error follows on each line.
pub(super) fn errors(file: &File) -> Result<Vec<(String, f64)>, Error> {
    let mut errors = Vec::new();
    for mut line in file.lines() {
        if let Some(name) = line.optional() {
            errors.push((name.to_owned(), number(&mut line)?));
        }
    }
    Ok(errors)
}

/// Reasons for writes with their number and average size, below a header line.
pub(super) fn written(file: &File) -> Result<Vec<(String, [f64; 2])>, Error> {
    let mut reasons = Vec::new();
    for mut line in file.lines().skip(1) {
        if let Some(name) = line.optional() {
            let numbers = [number(&mut line)?, number(&mut line)?];
            reasons.push((name.trim_end_matches(':').to_owned(), numbers));
        }
    }
    Ok(reasons)
}

/// Algorithms with the compressed and the uncompressed size, below a header line.
pub(super) fn compression(file: &File) -> Result<Vec<(String, [f64; 2])>, Error> {
    written(file)
}

/// Bytes by operation and kind of data: a line for each operation, followed by a line for each
/// kind.
pub(super) fn done(file: &File) -> Result<Vec<([String; 2], f64)>, Error> {
    let mut operation = "";
    let mut done = Vec::new();
    for line in file.lines() {
        let Some((name, bytes)) = line.line().split_once(':') else { continue };
        let (name, bytes) = (name.trim(), bytes.trim());
        if bytes.is_empty() {
            operation = name;
            continue;
        }
        let bytes = human_readable(bytes)
            .ok_or_else(|| line.parse_error("a kind of data and its bytes"))?;
        done.push(([operation, name].map(str::to_owned), bytes));
    }
    Ok(done)
}

/// Errors by kind since the creation of the file system. Errors since the last reset follow in a
/// separate section.
pub(super) fn io_errors(file: &File) -> Result<Vec<(String, f64)>, Error> {
    let mut errors = Vec::new();
    let lines = file.lines().skip_while(|line| !line.line().contains("since filesystem creation"));
    for line in lines.skip(1) {
        let Some((name, count)) = line.line().split_once(':') else { break };
        let count: u64 =
            count.trim().parse().map_err(|_| line.parse_error("a kind and a count"))?;
        errors.push((name.trim().to_owned(), count as f64));
    }
    Ok(errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn human_readable_numbers_are_parsed() {
        for (text, expected) in [
            ("720", Some(720.0)),
            ("18446744073709551615", Some(18_446_744_073_709_551_615.0)),
            ("2.05G", Some(2_201_170_739.0)),
            ("512k", Some(524_288.0)),
            ("10.8T", Some(11_874_725_579_980.0)),
            ("1.5", None),
            ("-1k", None),
            ("nank", None),
            ("infk", None),
            ("k", None),
            ("1q", None),
            ("", None),
        ] {
            assert_eq!(human_readable(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_are_parsed() {
        let file = File::from_text("since mount: 1\nsince filesystem creation:     21.5k\n");
        assert_eq!(counter(&file).ok(), Some(22016.0));
        assert!(counter(&File::from_text("since mount: 1\n")).is_err());

        let found = errors(&File::from_text("bset_bad_csum 2 1767112063\n\nother 3 1\n")).unwrap();
        assert_eq!(found, [("bset_bad_csum".to_owned(), 2.0), ("other".to_owned(), 3.0)]);
        assert!(errors(&File::from_text("alone\n")).is_err());

        let found = written(&File::from_text("  nr size\ninitial: 3 100k\n")).unwrap();
        assert_eq!(found, [("initial".to_owned(), [3.0, 102_400.0])]);
        assert!(written(&File::from_text("  nr size\ninitial: 3\n")).is_err());

        let found = done(&File::from_text("read:\nsb  : 5\nwrite:\nsb: 7\n")).unwrap();
        let keys: Vec<_> = found.iter().map(|(key, bytes)| (key.join(" "), *bytes)).collect();
        assert_eq!(keys, [("read sb".to_owned(), 5.0), ("write sb".to_owned(), 7.0)]);
        assert!(done(&File::from_text("read:\nsb: x\n")).is_err());

        let text = "IO errors since filesystem creation\n  read:    4\n  checksum:0\n\
            IO errors since 8 y ago\n  read: 1\n";
        let found = io_errors(&File::from_text(text)).unwrap();
        assert_eq!(found, [("read".to_owned(), 4.0), ("checksum".to_owned(), 0.0)]);
        assert!(
            io_errors(&File::from_text("IO errors since filesystem creation\nread: x\n")).is_err()
        );
    }
}
