//! Values of variables as numbers.

use time::{Date, Month};

/// The numeric value of a variable or a status column, if it has one: words such as `ON` and
/// `Yes` are 1, `OFF` and `No` are 0, dates are seconds since 1970.
pub(crate) fn number(text: &str) -> Option<f64> {
    const WORDS: [(&str, f64); 9] = [
        ("connecting", 0.0),
        ("disabled", 0.0),
        ("disconnected", 0.0),
        ("no", 0.0),
        ("non-primary", 0.0),
        ("off", 0.0),
        ("on", 1.0),
        ("primary", 1.0),
        ("yes", 1.0),
    ];
    if text.is_empty() {
        return None;
    }
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let word = WORDS.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
    word.map(|(_, number)| *number).or_else(|| date(text))
}

/// A variable's name as part of a metric name.
pub(crate) fn name(variable: &str) -> String {
    let mut name = String::with_capacity(variable.len());
    push_name(&mut name, variable);
    name
}

/// Appends a variable's name, as part of a metric name.
pub(crate) fn push_name(out: &mut String, variable: &str) {
    let start = out.len();
    if variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        out.push_str(variable);
    } else {
        out.extend(variable.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
    }
    if let Some(name) = out.get_mut(start..) {
        name.make_ascii_lowercase();
    }
}

/// `Nov  8 13:05:09 2036 GMT` and `2036-11-08 13:05:09`, both read as UTC.
fn date(text: &str) -> Option<f64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_ascii_whitespace();
    let (first, second) = (words.next()?, words.next()?);
    let (year, month, day, time) = match words.next() {
        None => {
            let mut parts = first.split('-');
            let year = parts.next()?.parse().ok()?;
            (year, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, second)
        }
        Some(time) => {
            let month = MONTHS.iter().position(|month| *month == first)?;
            let year = words.next()?.parse().ok()?;
            (year, u8::try_from(month).ok()? + 1, second.parse().ok()?, time)
        }
    };
    let mut parts = time.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let date = Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()?;
    let time = date.with_hms(hour, minute, second).ok()?;
    Some(time.assume_utc().unix_timestamp() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_numbers() {
        for (text, value) in [
            ("0", Some(0.0)),
            ("12.5", Some(12.5)),
            ("-1", Some(-1.0)),
            ("18446744073709551615", Some(18_446_744_073_709_551_615.0)),
            ("ON", Some(1.0)),
            ("Yes", Some(1.0)),
            ("off", Some(0.0)),
            ("DISABLED", Some(0.0)),
            ("Connecting", Some(0.0)),
            ("Primary", Some(1.0)),
            ("non-Primary", Some(0.0)),
            ("Disconnected", Some(0.0)),
            ("1970-01-02 00:00:01", Some(86401.0)),
            ("2000-02-29 12:00:00", Some(951_825_600.0)),
            ("Nov 18 01:37:59 2036 GMT", Some(2_110_585_079.0)),
            ("Mar  1 00:00:00 2024 GMT", Some(1_709_251_200.0)),
            ("Foo  1 00:00:00 2024 GMT", None),
            ("2024-13-01 00:00:00", None),
            ("2024-01-01", None),
            ("1:2", None),
            ("auto", None),
            ("", None),
        ] {
            assert_eq!(number(text), value, "{text:?}");
        }
    }

    #[test]
    fn invalid_characters_in_names_are_replaced() {
        assert_eq!(name("Com_select"), "com_select");
        assert_eq!(name("Ssl-é.x"), "ssl___x");
    }
}
