//! The operating system: `/etc/os-release`, see `os-release(5)`.

use std::collections::HashMap;

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Fields, File, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("os", "Name and version of the operating system", |host, _| {
        Ok(Source::blocking(Os(host.clone())))
    })
    .cost("one small file, read again when it changes")
    .reads(&["/etc/os-release", "/usr/lib/os-release"])
    .metrics(&[&INFO, &VERSION, &SUPPORT_END]);

static INFO: Desc<12> = Desc::gauge(
    "node_os_info",
    "The operating system, in the labels; always 1.",
    [
        "build_id",
        "id",
        "id_like",
        "image_id",
        "image_version",
        "name",
        "pretty_name",
        "variant",
        "variant_id",
        "version",
        "version_codename",
        "version_id",
    ],
);
static VERSION: Desc<3> = Desc::gauge(
    "node_os_version",
    "The first two numbers of the operating system's version.",
    ["id", "id_like", "name"],
);
static SUPPORT_END: Desc = Desc::gauge(
    "node_os_support_end_timestamp_seconds",
    "When support of the operating system ends, in seconds since 1970.",
    [],
);

struct Os(Host);

impl Collector for Os {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = release(&self.0)?;
        let release = parse(&file)?;
        let value = |key: &str| release.get(key).map_or("", String::as_str);
        let upper = INFO.labels.map(str::to_ascii_uppercase);
        out.family(&INFO).sample(upper.each_ref().map(|key| value(key)), 1.0);
        if let Some(number) = version(value("VERSION_ID")) {
            out.family(&VERSION).sample([value("ID"), value("ID_LIKE"), value("NAME")], number);
        }
        if let Some(date) = release.get("SUPPORT_END") {
            let end = midnight(date).ok_or_else(|| Error::Parse {
                path: file.path().to_owned(),
                expected: "SUPPORT_END=YYYY-MM-DD",
                found: date.clone(),
            })?;
            out.family(&SUPPORT_END).sample([], end as f64);
        }
        Ok(())
    }
}

/// The os-release file. Some systems only have the second path.
fn release(host: &Host) -> Result<File, Error> {
    match host.root("etc/os-release").or_absent("") {
        Err(Error::Absent(_)) => host.root("usr/lib/os-release").or_absent("os-release file"),
        other => other,
    }
}

fn parse(file: &File) -> Result<HashMap<&str, String>, Error> {
    let mut release = HashMap::new();
    for line in file.lines() {
        let text = line.line().trim_ascii();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = assignment(&line, text)?;
        release.insert(key, value);
    }
    if release.is_empty() { Err(file.parse_error("KEY=value")) } else { Ok(release) }
}

/// A line, parsed as by a shell.
fn assignment<'a>(line: &Fields<'a>, text: &'a str) -> Result<(&'a str, String), Error> {
    let (key, value) = text.split_once('=').ok_or_else(|| line.parse_error("KEY=value"))?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if key.is_empty() || !key.bytes().all(legal) {
        return Err(line.parse_error("KEY=value"));
    }
    let value = unquoted(value).ok_or_else(|| line.parse_error("a value, quoted as in a shell"))?;
    Ok((key, value))
}

/// A word without its quotes, or `None` if it is invalid.
fn unquoted(word: &str) -> Option<String> {
    let mut value = String::with_capacity(word.len());
    let mut quote = None;
    let mut chars = word.chars();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (None, '"' | '\'') => quote = Some(char),
            (None, '\\') => value.push(chars.next()?),
            (Some('"'), '\\') => match chars.next()? {
                escaped @ ('"' | '\\' | '$' | '`') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            // The end of the word. Only a comment may follow.
            (None, ' ' | '\t') => {
                let rest = chars.as_str().trim_start();
                return (rest.is_empty() || rest.starts_with('#')).then_some(value);
            }
            _ => value.push(char),
        }
    }
    quote.is_none().then_some(value)
}

/// The first two components of a version as a number: 20.04 for `20.04.2`.
fn version(id: &str) -> Option<f64> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(id);
    let fraction = id.get(whole..)?.strip_prefix('.').map_or(0, digits);
    let end = if fraction > 0 { whole + 1 + fraction } else { whole };
    id.get(..end).filter(|_| whole > 0)?.parse().ok()
}

/// The first second of a date in UTC, as seconds since 1970.
fn midnight(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let mut part = |digits| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        let part = Some(part).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?;
        part.parse::<u32>().ok().map(i64::from)
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if leap { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month.checked_sub(1)?).ok()?;
    if parts.next().is_some() || !(1..=*months.get(before)?).contains(&day) {
        return None;
    }
    // Days since 1970 of 1 January, counting leap days since year 0, which was one.
    let leaps = |years: i64| years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    let new_year = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    let days = new_year + months.iter().take(before).sum::<i64>() + day - 1;
    Some(days * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_parsed_as_by_a_shell() {
        for (word, value) in [
            ("debian", Some("debian")),
            ("", Some("")),
            ("\"\"", Some("")),
            ("\"Debian GNU/Linux 12\"", Some("Debian GNU/Linux 12")),
            ("'single $x \\'", Some("single $x \\")),
            (r#""a \"quoted\" \$word \\ \n""#, Some(r#"a "quoted" $word \ \n"#)),
            (r"a\ b", Some("a b")),
            ("a'b c'\"d\"", Some("ab cd")),
            ("a # comment", Some("a")),
            ("a b", None),
            ("\"open", None),
            ("'open", None),
            ("\\", None),
        ] {
            assert_eq!(unquoted(word).as_deref(), value, "{word}");
        }
    }

    #[test]
    fn lines_are_parsed() {
        for (line, expected) in [
            ("ID=debian", Ok(("ID", "debian"))),
            ("ID", Err("KEY=value")),
            ("=x", Err("KEY=value")),
            ("A B=x", Err("KEY=value")),
            ("ID=\"x", Err("a value, quoted as in a shell")),
        ] {
            let found = assignment(&Fields::from_line(line), line);
            let found = found.map_err(|error| error.to_string());
            let found = found.as_ref().map(|(key, value)| (*key, value.as_str()));
            let expected =
                expected.map_err(|what| format!("test: expected {what}, found {line:?}"));
            assert_eq!(found, expected.as_ref().copied());
        }
    }

    #[test]
    fn versions_are_numbers() {
        for (id, number) in [
            ("12", Some(12.0)),
            ("20.04", Some(20.04)),
            ("20.04.2", Some(20.04)),
            ("39-rc1", Some(39.0)),
            ("3.", Some(3.0)),
            ("", None),
            ("rolling", None),
            (".5", None),
        ] {
            assert_eq!(version(id), number, "{id}");
        }
    }

    #[test]
    fn dates_are_unix_seconds() {
        for (date, seconds) in [
            ("1970-01-01", Some(0)),
            ("1969-12-31", Some(-86_400)),
            ("2000-02-29", Some(951_782_400)),
            ("2024-03-01", Some(1_709_251_200)),
            ("2028-06-30", Some(1_845_936_000)),
            ("2100-03-01", Some(4_107_542_400)),
            ("2023-02-29", None),
            ("2023-13-01", None),
            ("2023-00-01", None),
            ("2023-01-00", None),
            ("2023-1-1", None),
            ("2023-01", None),
            ("2023-01-01-01", None),
            ("soon", None),
        ] {
            assert_eq!(midnight(date), seconds, "{date}");
        }
    }
}
