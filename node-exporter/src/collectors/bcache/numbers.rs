//! Human-readable numbers of bcache.

/// Parses `12` or `1.5k`. The fraction is not decimal: the kernel's `bch_hprint` writes the
/// remainder of the division by 1024, divided by 100. `1.5k` is 1 KiB and 500 of 1024.
pub(super) fn human_readable(text: &str) -> Option<f64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let magnitude = match text.char_indices().next_back()? {
        (_, last) if last.is_ascii_digit() => text.parse::<u64>().ok()? as f64,
        (end, unit) => {
            let power = "kMGTPEZY".find(unit)?;
            let (whole, rest) = match text.get(..end)?.split_once('.') {
                Some((whole, rest)) => (whole, rest.parse::<u32>().ok()?),
                None => (text.get(..end)?, 0),
            };
            let mantissa = f64::from(whole.parse::<u32>().ok()?) + f64::from(rest) / 10.24;
            let unit = (0..=power).fold(1.0, |unit, _| unit * 1024.0);
            (mantissa * unit).trunc()
        }
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Like [`human_readable`], with or without `/sec`.
pub(super) fn rate(text: &str) -> Option<f64> {
    human_readable(text.strip_suffix("/sec").unwrap_or(text))
}

/// `99%`.
pub(super) fn percentage(text: &str) -> Option<f64> {
    text.strip_suffix('%')?.trim().parse::<u32>().ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn human_readable_numbers_are_parsed() {
        for (text, expected) in [
            ("0", Some(0.0)),
            ("546", Some(546.0)),
            ("-12", Some(-12.0)),
            ("1.1M", Some(1_150_976.0)),
            ("427.5k", Some(437_748.0)),
            ("-321.5k", Some(-329_204.0)),
            ("4k", Some(4096.0)),
            ("1.x", None),
            ("1.5", None),
            ("k", None),
            ("1.5q", None),
            ("é", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(human_readable(text), expected, "{text}");
        }
    }

    #[test]
    fn rates_and_percentages_are_parsed() {
        assert_eq!(rate("1.1M/sec"), Some(1_150_976.0));
        assert_eq!(rate("20k"), Some(20480.0));
        assert_eq!(percentage("99%"), Some(99.0));
        assert_eq!(percentage("99"), None);
    }
}
