//! Which devices, mounts or fields a collector exposes: a pair of patterns.

use exporter_core::collector::Error;
use exporter_core::flags::{Flag, Flags};
use regex::bytes::{Regex, RegexBuilder};

/// What `include` matches and `exclude` does not. Patterns are unanchored and in Go's syntax
/// (ASCII classes); an empty one says nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    include: Option<Regex>,
    exclude: Option<Regex>,
}

impl Filter {
    pub(crate) fn new(flags: &Flags, include: &Flag, exclude: &Flag) -> Result<Self, Error> {
        Ok(Self { include: pattern(flags, include)?, exclude: pattern(flags, exclude)? })
    }

    /// As [`Filter::new`], for collectors where only one of the two may be given. The default of
    /// `exclude` gives way to an `include`.
    pub(crate) fn one_of(flags: &Flags, include: &Flag, exclude: &Flag) -> Result<Self, Error> {
        if flags.text(include).is_empty() {
            return Self::new(flags, include, exclude);
        }
        if flags.is_given(exclude) && !flags.text(exclude).is_empty() {
            let problem = format!("cannot be combined with --{}: give one of them", exclude.name);
            return Err(include.error(problem));
        }
        Ok(Self { include: pattern(flags, include)?, exclude: None })
    }

    /// Whether nothing is left out.
    pub(crate) fn is_empty(&self) -> bool {
        self.include.is_none() && self.exclude.is_none()
    }

    /// Whether a thing of this name is left out.
    pub(crate) fn ignores(&self, name: impl AsRef<[u8]>) -> bool {
        let name = name.as_ref();
        self.include.as_ref().is_some_and(|pattern| !pattern.is_match(name))
            || self.exclude.as_ref().is_some_and(|pattern| pattern.is_match(name))
    }
}

/// The one that counts of a flag's two names: `new`, unless only its `old` name was given.
pub(crate) fn renamed(
    flags: &Flags,
    old: &'static Flag,
    new: &'static Flag,
) -> Result<&'static Flag, Error> {
    match (flags.text(old).is_empty(), flags.is_given(new)) {
        (true, _) => Ok(new),
        (false, false) => Ok(old),
        (false, true) => {
            Err(old.error(format!("cannot be combined with --{}, its new name", new.name)))
        }
    }
}

/// The pattern of a flag that has to match a whole name.
pub(crate) fn whole(flags: &Flags, flag: &Flag) -> Result<Regex, Error> {
    let text = flags.text(flag);
    let pattern = RegexBuilder::new(&format!("^(?:{text})$")).unicode(false).build();
    pattern.map_err(|error| invalid(flag, text, &error))
}

/// The pattern of a flag, or none if it is empty.
pub(crate) fn pattern(flags: &Flags, flag: &Flag) -> Result<Option<Regex>, Error> {
    let text = flags.text(flag);
    if text.is_empty() {
        return Ok(None);
    }
    // ASCII classes and byte offsets, as in Go; names need not be UTF-8.
    let pattern = RegexBuilder::new(text).unicode(false).build();
    pattern.map(Some).map_err(|error| invalid(flag, text, &error))
}

/// One line about a pattern that does not compile. The crate's own message draws the place in
/// lines of its own; the last of them says what is wrong.
fn invalid(flag: &Flag, text: &str, error: &regex::Error) -> Error {
    let error = error.to_string();
    let problem = error.lines().last().unwrap_or_default();
    let problem = problem.trim().trim_start_matches("error: ");
    flag.error(format!("{text:?} is not a valid regular expression: {problem}"))
}
