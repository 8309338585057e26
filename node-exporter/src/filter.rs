//! Selection of devices, mounts or fields by pairs of patterns.

use exporter_core::collector::Error;
use exporter_core::flags::{Flag, Flags};
use regex::bytes::{Regex, RegexBuilder};

pub(crate) static INTERFACES_INCLUDE: Flag = Flag::text(
    "collector.interfaces-include",
    "",
    "Network interfaces to expose in all collectors, and no others (pattern).",
);
pub(crate) static INTERFACES_EXCLUDE: Flag = Flag::text(
    "collector.interfaces-exclude",
    "",
    "Network interfaces to leave out of all collectors (pattern).",
);
pub(crate) static MOUNT_POINTS_INCLUDE: Flag = Flag::text(
    "collector.mount-points-include",
    "",
    "Mount points to expose in all collectors, and no others (pattern).",
);
pub(crate) static MOUNT_POINTS_EXCLUDE: Flag = Flag::text(
    "collector.mount-points-exclude",
    "",
    "Mount points to leave out of all collectors (pattern).",
);

/// Selects the names that all `include` patterns and no `exclude` pattern match. Patterns are
/// unanchored and use the syntax of Go (ASCII classes). An empty pattern has no effect.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    include: Vec<Regex>,
    exclude: Vec<Regex>,
}

impl Filter {
    pub(crate) fn new(flags: &Flags, include: &Flag, exclude: &Flag) -> Result<Self, Error> {
        let include = pattern(flags, include)?.into_iter().collect();
        Ok(Self { include, ..Self::excluding(flags, exclude)? })
    }

    /// Like [`Filter::new`], for collectors without a flag for `include`.
    pub(crate) fn excluding(flags: &Flags, exclude: &Flag) -> Result<Self, Error> {
        let exclude = pattern(flags, exclude)?.into_iter().collect();
        Ok(Self { include: Vec::new(), exclude })
    }

    /// Like [`Filter::new`], but only one of the flags may be given. `include` replaces the default
    /// of `exclude`.
    pub(crate) fn one_of(flags: &Flags, include: &Flag, exclude: &Flag) -> Result<Self, Error> {
        if flags.text(include).is_empty() {
            return Self::new(flags, include, exclude);
        }
        if flags.is_given(exclude) && !flags.text(exclude).is_empty() {
            let problem = format!("cannot be combined with --{}: use one of them", exclude.name);
            return Err(include.error(problem));
        }
        Ok(Self { include: pattern(flags, include)?.into_iter().collect(), exclude: Vec::new() })
    }

    /// Adds the flags that select network interfaces for all collectors.
    pub(crate) fn of_interfaces(self, flags: &Flags) -> Result<Self, Error> {
        self.and(flags, &INTERFACES_INCLUDE, &INTERFACES_EXCLUDE)
    }

    /// Adds the flags that select mount points for all collectors.
    pub(crate) fn of_mount_points(self, flags: &Flags) -> Result<Self, Error> {
        self.and(flags, &MOUNT_POINTS_INCLUDE, &MOUNT_POINTS_EXCLUDE)
    }

    fn and(mut self, flags: &Flags, include: &Flag, exclude: &Flag) -> Result<Self, Error> {
        let shared = Self::new(flags, include, exclude)?;
        self.include.extend(shared.include);
        self.exclude.extend(shared.exclude);
        Ok(self)
    }

    /// Whether it excludes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Whether a name is excluded.
    pub(crate) fn ignores(&self, name: impl AsRef<[u8]>) -> bool {
        let name = name.as_ref();
        self.include.iter().any(|pattern| !pattern.is_match(name))
            || self.exclude.iter().any(|pattern| pattern.is_match(name))
    }
}

/// The flag to read of two names of one flag: `old` if only that is given, otherwise `new`.
#[cfg(target_os = "linux")]
pub(crate) fn renamed_flag(
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

/// The anchored pattern of a flag, which has to match whole names.
#[cfg(target_os = "linux")]
pub(crate) fn anchored_pattern(flags: &Flags, flag: &Flag) -> Result<Regex, Error> {
    let text = flags.text(flag);
    let pattern = RegexBuilder::new(&format!("^(?:{text})$")).unicode(false).build();
    pattern.map_err(|error| invalid(flag, text, &error))
}

/// The pattern of a flag, or `None` if it is empty.
pub(crate) fn pattern(flags: &Flags, flag: &Flag) -> Result<Option<Regex>, Error> {
    let text = flags.text(flag);
    if text.is_empty() {
        return Ok(None);
    }
    // ASCII classes as in Go, and names that are not UTF-8.
    let pattern = RegexBuilder::new(text).unicode(false).build();
    pattern.map(Some).map_err(|error| invalid(flag, text, &error))
}

/// The error about an invalid pattern, on one line. The message of the crate has several lines; the
/// last one has the reason.
fn invalid(flag: &Flag, text: &str, error: &regex::Error) -> Error {
    let error = error.to_string();
    let problem = error.lines().last().unwrap_or_default();
    let problem = problem.trim().trim_start_matches("error: ");
    flag.error(format!("{text:?} is not a valid regular expression: {problem}"))
}
