//! The command line: the shared flags, the flags of the program, and a pair of switches for each
//! collector, all generated from data.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::flags::{DISABLE_DEFAULTS, SHARED};
use crate::collector::Definition;
use crate::config_file::{self, SMALL};
use crate::duration;
use crate::flags::{Flag, Flags, Value};

/// The parts of a program's command line.
#[derive(Clone, Copy)]
pub(crate) struct CommandSpec<Env: 'static> {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) version: &'static str,
    /// The commit it was built from; empty if unknown.
    pub(crate) revision: &'static str,
    /// The first part of the switches: `collector` in `--collector.cpu`.
    pub(crate) switch: &'static str,
    pub(crate) flags: &'static [&'static Flag],
    pub(crate) collectors: &'static [&'static Definition<Env>],
}

/// The action requested by the command line.
pub(crate) enum Action<Env: 'static> {
    /// Run, with these collectors in the order of the list.
    Run(Flags, Vec<&'static Definition<Env>>),
    /// Print this text and exit: help or version.
    Print(String),
}

/// Parses a command line. The error is one line for standard error; the status is 2.
pub(crate) fn parse<Env>(
    spec: &CommandSpec<Env>,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Action<Env>, String> {
    let args = expand(args)?;
    let matches = match command(spec).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            return Ok(Action::Print(error.to_string()));
        }
        Err(error) => {
            let similar = similar(&command(spec), &error);
            return Err(one_line(&format!("{error}{similar}")));
        }
    };
    let flags = parsed_flags(spec, &matches);
    let with_defaults = !flags.is_on(&DISABLE_DEFAULTS);
    let enabled = spec.collectors.iter().copied().filter(|def| {
        let (on, off) = switch_names(spec, def);
        match (matches.get_flag(&on), matches.get_flag(&off)) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => with_defaults && def.on_by_default,
        }
    });
    let enabled: Vec<_> = enabled.collect();
    let mut flags = flags.with_collectors(enabled.iter().map(|def| def.name));
    for def in spec.collectors {
        let name = interval_flag(spec, def);
        if let Some(text) = matches.get_one::<String>(&name) {
            let interval = duration::parse(text).ok_or_else(|| {
                format!("--{name}: expected a duration such as 60s, found {text:?}")
            })?;
            flags = flags.with_interval(def.name, interval);
        }
    }
    Ok(Action::Run(flags, enabled))
}

const COLLECTORS: &str =
    "Collectors (--no-FLAG switches off, --FLAG.interval=60s limits how often one runs)";

pub(crate) fn command<Env>(spec: &CommandSpec<Env>) -> Command {
    let mut command = Command::new(spec.name)
        .about(spec.about)
        .version(version(spec))
        .override_usage(format!("{} [flags]", spec.name))
        .disable_help_subcommand(true);
    // A program may override a shared flag to change its default.
    let is_own = |flag: &Flag| spec.flags.iter().any(|own| own.name == flag.name);
    let shared = SHARED.iter().filter(|flag| !is_own(flag));
    for flag in shared.chain(spec.flags) {
        command = with_flag(command, flag, "Flags");
    }
    let mut seen = HashSet::new();
    for def in spec.collectors {
        let (on, off) = switch_names(spec, def);
        let state = if def.on_by_default { "on" } else { "off" };
        let about = format!("{} [default: {state}]", def.about);
        command = with_switch(command, on, off, about, false, COLLECTORS);
        // One flag per collector would double the length of the help; the heading mentions them.
        let interval = interval_flag(spec, def);
        command = command.arg(Arg::new(interval.clone()).long(interval).hide(true));
        // Two collectors may share a flag.
        for flag in def.flags.iter().filter(|flag| seen.insert(flag.name)) {
            command = with_flag(command, flag, "Flags of collectors");
        }
    }
    command
}

/// The version, and the commit if it is known.
fn version<Env>(spec: &CommandSpec<Env>) -> String {
    match spec.revision {
        "" => spec.version.to_owned(),
        revision => format!("{} ({revision})", spec.version),
    }
}

fn with_flag(command: Command, flag: &'static Flag, heading: &'static str) -> Command {
    match flag.value {
        Value::Switch(default) => {
            let state = if default { " [default: on]" } else { "" };
            let about = format!("{}{state}", flag.about);
            let off = format!("no-{}", flag.name);
            with_switch(command, flag.name.to_owned(), off, about, flag.hidden, heading)
        }
        Value::Text(default) => {
            let about = match default {
                "" => flag.about.to_owned(),
                _ => format!("{} [default: {default}]", flag.about),
            };
            command.arg(value_arg(flag, about, heading).action(ArgAction::Set))
        }
        Value::List(default) => {
            let about = match default {
                [] => flag.about.to_owned(),
                _ => format!("{} [default: {}]", flag.about, default.join(", ")),
            };
            command.arg(value_arg(flag, about, heading).action(ArgAction::Append))
        }
    }
}

fn value_arg(flag: &'static Flag, about: String, heading: &'static str) -> Arg {
    Arg::new(flag.name)
        .long(flag.name)
        .help(about)
        .help_heading(heading)
        .hide(flag.hidden)
        .value_name("VALUE")
        .allow_hyphen_values(true)
}

fn with_switch(
    command: Command,
    on: String,
    off: String,
    about: String,
    hidden: bool,
    heading: &'static str,
) -> Command {
    let arg = |name: String| Arg::new(name.clone()).long(name).action(ArgAction::SetTrue);
    let no = arg(off).hide(true).conflicts_with(on.clone());
    command.arg(arg(on).help(about).help_heading(heading).hide(hidden)).arg(no)
}

/// The flag that limits how often a collector runs.
fn interval_flag<Env>(spec: &CommandSpec<Env>, def: &Definition<Env>) -> String {
    format!("{}.{}.interval", spec.switch, def.name)
}

fn switch_names<Env>(spec: &CommandSpec<Env>, def: &Definition<Env>) -> (String, String) {
    let on = format!("{}.{}", spec.switch, def.name);
    let off = format!("no-{on}");
    (on, off)
}

fn parsed_flags<Env>(spec: &CommandSpec<Env>, matches: &ArgMatches) -> Flags {
    let mut flags = Flags::default();
    let of_collectors = spec.collectors.iter().flat_map(|def| def.flags);
    let mut seen = HashSet::new();
    for flag in SHARED.iter().chain(spec.flags).chain(of_collectors) {
        if !seen.insert(flag.name) {
            continue;
        }
        match flag.value {
            Value::Switch(_) => {
                if matches.get_flag(flag.name) {
                    flags.give(flag.name, "true".into());
                } else if matches.get_flag(&format!("no-{}", flag.name)) {
                    flags.give(flag.name, "false".into());
                }
            }
            Value::Text(_) | Value::List(_) => {
                for value in matches.get_many::<String>(flag.name).unwrap_or_default() {
                    flags.give(flag.name, value.clone());
                }
            }
        }
    }
    flags
}

/// Replaces an argument `@file` by the lines of the file, as the Go exporters do.
fn expand(args: impl IntoIterator<Item = OsString>) -> Result<Vec<OsString>, String> {
    let mut expanded = Vec::new();
    for arg in args {
        match arg.to_str().and_then(|arg| arg.strip_prefix('@')) {
            Some(path) if !expanded.is_empty() => {
                let text = config_file::read(Path::new(path), SMALL)
                    .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
                    .map_err(|error| format!("cannot read the arguments in {path}: {error}"))?;
                let lines = text.lines().map(str::trim);
                let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
                expanded.extend(lines.map(OsString::from));
            }
            _ => expanded.push(arg),
        }
    }
    Ok(expanded)
}

/// A suggestion for an unknown argument with a single dash: the long flags that begin with it.
fn similar(command: &Command, error: &clap::Error) -> String {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return String::new();
    };
    let Some(start) = argument.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else {
        return String::new();
    };
    let names = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let names = names.filter_map(Arg::get_long).filter(|name| name.starts_with(start));
    let names: Vec<_> = names.map(|name| format!("--{name}")).collect();
    if names.is_empty() { String::new() } else { format!("\ntip: there is {}", names.join(", ")) }
}

/// The error and the suggestion, without the usage, on one line.
fn one_line(error: &str) -> String {
    let lines = error.lines().filter(|line| !line.starts_with("Usage:"));
    let lines = lines.map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with("For more information"));
    let text = lines.collect::<Vec<_>>().join("; ");
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    format!("{}; try --help", text.replace("; tip:", ":").replace(":;", ":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::{Collector, Error, Source};
    use crate::exposition::families::Families;
    use crate::program::flags::COLLECTOR_TIMEOUT;
    use crate::testing;

    struct Nothing;

    impl Collector for Nothing {
        fn collect(&mut self, _: &mut Families) -> Result<(), Error> {
            Ok(())
        }
    }

    const fn named(
        name: &'static str,
        on: bool,
        flags: &'static [&'static Flag],
    ) -> Definition<()> {
        let definition =
            Definition::new(name, "About it.", |(), _| Ok(Source::blocking(Nothing))).flags(flags);
        if on { definition } else { definition.off_by_default() }
    }

    static EXCLUDE: Flag = Flag::text("collector.disk.exclude", "^x$", "What to leave out.");
    static GUEST: Flag = Flag::switch("collector.cpu.guest", true, "Guest time.");
    static DIRS: Flag = Flag::list("collector.text.dir", &[], "Where.");
    static CPU: Definition<()> = named("cpu", true, &[&GUEST]);
    static DISK: Definition<()> = named("disk", true, &[&EXCLUDE]);
    static TEXT: Definition<()> = named("text", false, &[&DIRS]);
    static SPEC: CommandSpec<()> = CommandSpec {
        name: "test-exporter",
        about: "Tests.",
        version: "1",
        revision: "abc",
        switch: "collector",
        flags: &[],
        collectors: &[&CPU, &DISK, &TEXT],
    };

    fn parse_line(line: &str) -> Result<(Flags, Vec<&'static str>), String> {
        let args = ["test-exporter"].into_iter().chain(line.split_whitespace());
        match parse(&SPEC, args.map(OsString::from))? {
            Action::Run(flags, defs) => Ok((flags, defs.iter().map(|def| def.name).collect())),
            Action::Print(text) => Err(text),
        }
    }

    #[test]
    fn switches_enable_and_disable_collectors() {
        for (line, enabled) in [
            ("", vec!["cpu", "disk"]),
            ("--no-collector.cpu", vec!["disk"]),
            ("--collector.text", vec!["cpu", "disk", "text"]),
            ("--collector.disable-defaults", vec![]),
            ("--collector.disable-defaults --collector.text --collector.cpu", vec!["cpu", "text"]),
        ] {
            assert_eq!(parse_line(line).unwrap().1, enabled, "{line}");
        }
    }

    #[test]
    fn collectors_have_intervals() {
        let line = "--collector.text.interval=1m30s --collector.cpu.interval 10s";
        let (flags, _) = parse_line(line).unwrap();
        assert_eq!(flags.interval("text"), Some(std::time::Duration::from_secs(90)));
        assert_eq!(flags.interval("cpu"), Some(std::time::Duration::from_secs(10)));
        assert_eq!(flags.interval("disk"), None);
        let error = parse_line("--collector.cpu.interval=often").unwrap_err();
        assert_eq!(
            error,
            "--collector.cpu.interval: expected a duration such as 60s, found \"often\""
        );
        assert!(parse_line("--collector.nothing.interval=10s").is_err());
    }

    #[test]
    fn values_follow_an_equals_sign_or_a_space() {
        let line = "--collector.disk.exclude -a --no-collector.cpu.guest --collector.text.dir=/a \
                    --collector.text.dir /b";
        let (flags, _) = parse_line(line).unwrap();
        assert_eq!(flags.text(&EXCLUDE), "-a");
        assert!(!flags.is_on(&GUEST));
        assert_eq!(flags.list(&DIRS), ["/a", "/b"]);
        let (flags, _) = parse_line("").unwrap();
        assert_eq!(flags.text(&EXCLUDE), "^x$");
        assert!(flags.is_on(&GUEST) && !flags.is_given(&GUEST));
        assert_eq!(flags.text(&EXCLUDE), "^x$");
    }

    #[test]
    fn fuzz_arguments() {
        testing::fuzz(testing::corpus(env!("CARGO_MANIFEST_DIR"), "arguments"), |bytes| {
            // Without argument files: they could be any file of this machine.
            let text = String::from_utf8_lossy(bytes).replace('@', "");
            match parse_line(&text) {
                Ok((flags, _)) => drop(flags.duration(&COLLECTOR_TIMEOUT)),
                Err(error) if text.contains("-h") || text.contains("-V") => drop(error),
                Err(error) => assert_eq!(error.lines().count(), 1, "{text}: {error}"),
            }
        });
    }

    #[test]
    fn errors_are_one_line() {
        for (line, problem) in [
            ("--colector.cpu", "--collector.cpu"),
            ("--collector.disk.exclud=x", "--collector.disk.exclude"),
            ("-w", "there is --web.config.file, --web.disable-exporter-metrics"),
            ("-collector.cpu", "--collector.cpu"),
            ("--collector.cpu=false", "collector.cpu"),
            ("--collector.cpu --no-collector.cpu", "cannot be used with"),
            ("--collector.cpu --collector.cpu", "multiple times"),
            ("--log.level=info --log.level=warn", "multiple times"),
            ("stray", "stray"),
            ("--log.level", "log.level"),
            ("@/does/not/exist", "/does/not/exist"),
        ] {
            let error = parse_line(line).unwrap_err();
            assert!(error.contains(problem) && error.lines().count() == 1, "{line}: {error}");
        }
    }

    #[test]
    fn the_version_includes_the_commit() {
        assert_eq!(parse_line("--version").unwrap_err().trim(), "test-exporter 1 (abc)");
    }

    #[test]
    fn help_lists_each_collector_with_its_default() {
        let help = parse_line("--help").unwrap_err();
        for (flag, default) in [("cpu", "on"), ("disk", "on"), ("text", "off")] {
            let line = help.lines().skip_while(|l| !l.contains(&format!("--collector.{flag} ")));
            let text: String = line.take(2).collect();
            assert!(text.contains(&format!("[default: {default}]")), "{flag} in\n{help}");
        }
        assert!(!help.contains("gomaxprocs"));
    }
}
