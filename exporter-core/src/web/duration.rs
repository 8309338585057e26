//! Durations as Go writes them: `1h30m`, `1.5s`, `100ms`, and a bare number of nanoseconds.

/// In nanoseconds; negative ones are durations too. The error says what is wrong.
pub(super) fn parse(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if let Ok(nanoseconds) = text.parse() {
        return Ok(nanoseconds);
    }
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return Err(malformed(text));
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (amount, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after, |c| !c.is_ascii_digit() && c != '.');
        total += scaled(amount, nanoseconds(unit, text)?).ok_or_else(|| malformed(text))?;
        if total > i128::from(i64::MAX) {
            return Err(format!("{text:?} is longer than 292 years"));
        }
        rest = after;
    }
    i64::try_from(total).map(|total| sign * total).map_err(|_| malformed(text))
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn nanoseconds(unit: &str, text: &str) -> Result<i128, String> {
    Ok(match unit {
        "ns" => 1,
        // The second is the micro sign, the third the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "" => return Err(malformed(text)),
        _ => return Err(format!("unknown unit {unit:?} in {text:?}: use ns, us, ms, s, m or h")),
    })
}

/// `None` where the amount is no decimal number, or far too large.
fn scaled(amount: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    if whole.len() + fraction.len() == 0 || whole.len() > 19 || fraction.contains('.') {
        return None;
    }
    let mut total = if whole.is_empty() { 0 } else { whole.parse::<i128>().ok()? * unit };
    let mut place = unit;
    for digit in fraction.chars() {
        place /= 10;
        total += i128::from(digit.to_digit(10)?) * place;
    }
    Some(total)
}

fn malformed(text: &str) -> String {
    format!("{text:?} is not a duration: write it like 1s, 100ms or 1m30s")
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn durations_are_gos() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("1000", 1000),
            ("-5", -5),
            ("1s", 1_000_000_000),
            ("100ms", 100_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("1h2m3s", 3_723_000_000_000),
            ("-1m", -60_000_000_000),
            ("+1us", 1_000),
            ("1\u{b5}s", 1_000),
            ("2562047h", 9_223_369_200_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(nanoseconds), "{text}");
        }
        for (text, problem) in [
            ("", "not a duration"),
            ("1d", "unknown unit \"d\""),
            ("s", "not a duration"),
            ("1.5", "not a duration"),
            ("1.2.3s", "not a duration"),
            ("-", "not a duration"),
            ("1s 2s", "unknown unit"),
            ("9999999h", "292 years"),
            ("99999999999999999999h", "not a duration"),
            ("\u{1F980}", "unknown unit"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
