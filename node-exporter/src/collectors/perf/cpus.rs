//! Lists of CPUs in a flag: `0-3,8` or `0-30:2`.

/// More CPUs than any kernel supports.
const MAX_CPUS: u32 = 1 << 16;

/// The numbers in a list of numbers and ranges, optionally with a step.
pub(super) fn parse(text: &str) -> Option<Vec<u32>> {
    let mut cpus = Vec::new();
    for part in text.split(',') {
        let (range, step) = part.split_once(':').unwrap_or((part, "1"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        let step = step.parse().ok().filter(|step| *step > 0)?;
        if last >= MAX_CPUS || cpus.len() >= MAX_CPUS as usize {
            return None;
        }
        cpus.extend((first..=last).step_by(step));
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_parsed() {
        for (text, expected) in [
            ("0", Some(vec![0])),
            ("0-2,7", Some(vec![0, 1, 2, 7])),
            ("1-10:5", Some(vec![1, 6])),
            ("3-1", Some(vec![])),
            ("", None),
            ("a", None),
            ("0-", None),
            ("0-4:0", None),
            ("0-4294967295", None),
            ("-1", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
