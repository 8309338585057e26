//! Durations as Go writes them: `5s`, `1m30s`, `250ms`.

use std::time::Duration;

/// Parses a duration that is not negative. `None` if it is invalid.
pub fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let scale = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        rest = tail;
    }
    if text.is_empty() { None } else { Duration::try_from_secs_f64(seconds).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn fuzz_durations() {
        testing::fuzz(testing::corpus(env!("CARGO_MANIFEST_DIR"), "duration"), |bytes| {
            if let Ok(text) = str::from_utf8(bytes)
                && parse(text).is_some()
            {
                assert!(text.starts_with(|c: char| c.is_ascii_digit() || c == '.'), "{text}");
            }
        });
    }

    #[test]
    fn durations_are_parsed_as_by_go() {
        for (text, read) in [
            ("5s", Some(Duration::from_secs(5))),
            ("0", Some(Duration::ZERO)),
            ("1m30s", Some(Duration::from_secs(90))),
            ("1.5h", Some(Duration::from_secs(5400))),
            ("250ms", Some(Duration::from_millis(250))),
            ("10us", Some(Duration::from_micros(10))),
            ("", None),
            ("5", None),
            ("s", None),
            ("1d", None),
            ("-1s", None),
            ("1.2.3s", None),
            ("1e300h", None),
            ("99999999999999999999h", None),
        ] {
            assert_eq!(parse(text), read, "{text:?}");
        }
    }
}
