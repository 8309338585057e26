//! The command line: the flags of all exporters, the flags of the program, and a pair of switches
//! for each collector, all generated from data.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::collector::Definition;
use crate::config_file::{self, SMALL};
use crate::flags::{Flag, Flags, Value};

pub(crate) static CHECK: Flag = Flag::switch(
    "check",
    false,
    "Read all configuration, run every collector once, say what is fine and what is not, and exit.",
);
/// The time limit of a collector in a scrape.
pub static COLLECTOR_TIMEOUT: Flag =
    Flag::text("collector.timeout", "5s", "How long one collector may take in a scrape.");
pub(crate) static CONFIG_FILE: Flag = Flag::text(
    "web.config.file",
    "",
    "Web configuration file: TLS, client certificates, users, headers, rate limit.",
);
pub(crate) static DISABLE_DEFAULTS: Flag =
    Flag::switch("collector.disable-defaults", false, "Start with all collectors off.");
pub(crate) static DISABLE_EXPORTER_METRICS: Flag = Flag::switch(
    "web.disable-exporter-metrics",
    false,
    "Leave out the metrics about the exporter itself.",
);
pub(crate) static ENABLE_LIFECYCLE: Flag =
    Flag::switch("web.enable-lifecycle", false, "Allow POST /-/reload.");
pub(crate) static GOMAXPROCS: Flag =
    Flag::text("runtime.gomaxprocs", "1", "Accepted for compatibility; one core is what it uses.")
        .hidden();
pub(crate) static HASH_PASSWORD: Flag = Flag::switch(
    "hash-password",
    false,
    "Ask for a password, print its hash for basic_auth_users, and exit.",
);
pub(crate) static LISTEN_ADDRESS: Flag = Flag::list(
    "web.listen-address",
    &[],
    "Where to listen: host:port, :port or unix:/path. May be repeated.",
);
pub(crate) static LOG_FORMAT: Flag =
    Flag::text("log.format", "logfmt", "How to write the log: logfmt or json.");
pub(crate) static LOG_LEVEL: Flag =
    Flag::text("log.level", "info", "What to log: debug, info, warn or error, and all above it.");
pub(crate) static MAX_REQUESTS: Flag = Flag::text(
    "web.max-requests",
    "40",
    "How many scrapes may be under way; more are answered 503. 0 is no limit.",
);
pub(crate) static OPENMETRICS_CREATED: Flag = Flag::switch(
    "web.openmetrics-created",
    false,
    "Write _created lines in OpenMetrics. They are series of their own to most servers.",
);
pub(crate) static SYSTEMD_SOCKET: Flag =
    Flag::switch("web.systemd-socket", false, "Listen on the sockets that systemd passes.");
pub(crate) static TELEMETRY_PATH: Flag =
    Flag::text("web.telemetry-path", "/metrics", "The path of the metrics.");
pub(crate) static TIMEOUT_OFFSET: Flag = Flag::text(
    "timeout-offset",
    "0.25",
    "Seconds to be done before the timeout that Prometheus announces.",
);

pub(crate) static UNIT: Flag = Flag::switch(
    "unit",
    false,
    "With --check: check as the systemd unit of this program would run it. Takes root.",
);

static SHARED: &[&Flag] = &[
    &CHECK,
    &COLLECTOR_TIMEOUT,
    &CONFIG_FILE,
    &DISABLE_DEFAULTS,
    &DISABLE_EXPORTER_METRICS,
    &ENABLE_LIFECYCLE,
    &GOMAXPROCS,
    &HASH_PASSWORD,
    &LISTEN_ADDRESS,
    &LOG_FORMAT,
    &LOG_LEVEL,
    &MAX_REQUESTS,
    &OPENMETRICS_CREATED,
    &SYSTEMD_SOCKET,
    &TELEMETRY_PATH,
    &TIMEOUT_OFFSET,
    &UNIT,
];

/// The parts of a program's command line.
#[derive(Clone, Copy)]
pub(crate) struct Grammar<Env: 'static> {
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
pub(crate) enum Asked<Env: 'static> {
    /// Run, with these collectors in the order of the list.
    Run(Flags, Vec<&'static Definition<Env>>),
    /// Print this text and exit: help or version.
    Print(String),
}

/// Parses a command line. The error is one line for standard error; the status is 2.
pub(crate) fn parse<Env>(
    grammar: &Grammar<Env>,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Asked<Env>, String> {
    let args = expand(args)?;
    let matches = match command(grammar).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error)
            if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) =>
        {
            return Ok(Asked::Print(error.to_string()));
        }
        Err(error) => {
            let similar = similar(&command(grammar), &error);
            return Err(one_line(&format!("{error}{similar}")));
        }
    };
    let flags = given(grammar, &matches);
    let defaults = !flags.is_on(&DISABLE_DEFAULTS);
    let enabled = grammar.collectors.iter().copied().filter(|def| {
        let (on, off) = switch(grammar, def);
        match (matches.get_flag(&on), matches.get_flag(&off)) {
            (true, _) => true,
            (false, true) => false,
            (false, false) => defaults && def.on_by_default,
        }
    });
    let enabled: Vec<_> = enabled.collect();
    let flags = flags.with_collectors(enabled.iter().map(|def| def.name));
    Ok(Asked::Run(flags, enabled))
}

fn command<Env>(grammar: &Grammar<Env>) -> Command {
    let mut command = Command::new(grammar.name)
        .about(grammar.about)
        .version(version(grammar))
        .override_usage(format!("{} [flags]", grammar.name))
        .disable_help_subcommand(true);
    for flag in SHARED.iter().chain(grammar.flags) {
        command = with_flag(command, flag, "Flags");
    }
    let mut seen = HashSet::new();
    for def in grammar.collectors {
        let (on, off) = switch(grammar, def);
        let state = if def.on_by_default { "on" } else { "off" };
        let about = format!("{} [default: {state}]", def.about);
        command = with_switch(command, on, off, about, false, "Collectors (--no-... switches off)");
        // Two collectors may share a flag.
        for flag in def.flags.iter().filter(|flag| seen.insert(flag.name)) {
            command = with_flag(command, flag, "Flags of collectors");
        }
    }
    command
}

/// The version, and the commit if it is known.
fn version<Env>(grammar: &Grammar<Env>) -> String {
    match grammar.revision {
        "" => grammar.version.to_owned(),
        revision => format!("{} ({revision})", grammar.version),
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
            command.arg(taking(flag, about, heading).action(ArgAction::Set))
        }
        Value::List(default) => {
            let about = match default {
                [] => flag.about.to_owned(),
                _ => format!("{} [default: {}]", flag.about, default.join(", ")),
            };
            command.arg(taking(flag, about, heading).action(ArgAction::Append))
        }
    }
}

fn taking(flag: &'static Flag, about: String, heading: &'static str) -> Arg {
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

fn switch<Env>(grammar: &Grammar<Env>, def: &Definition<Env>) -> (String, String) {
    let on = format!("{}.{}", grammar.switch, def.name);
    let off = format!("no-{on}");
    (on, off)
}

fn given<Env>(grammar: &Grammar<Env>, matches: &ArgMatches) -> Flags {
    let mut flags = Flags::default();
    let of_collectors = grammar.collectors.iter().flat_map(|def| def.flags);
    let mut seen = HashSet::new();
    for flag in SHARED.iter().chain(grammar.flags).chain(of_collectors) {
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

/// The flags that begin like an unknown argument with a single dash: there are no short flags.
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
        Definition {
            name,
            about: "About it.",
            on_by_default: on,
            reads: &[],
            flags,
            metrics: &[],
            build: |(), _| Ok(Source::blocking(Nothing)),
        }
    }

    static EXCLUDE: Flag = Flag::text("collector.disk.exclude", "^x$", "What to leave out.");
    static GUEST: Flag = Flag::switch("collector.cpu.guest", true, "Guest time.");
    static DIRS: Flag = Flag::list("collector.text.dir", &[], "Where.");
    static CPU: Definition<()> = named("cpu", true, &[&GUEST]);
    static DISK: Definition<()> = named("disk", true, &[&EXCLUDE]);
    static TEXT: Definition<()> = named("text", false, &[&DIRS]);
    static GRAMMAR: Grammar<()> = Grammar {
        name: "test-exporter",
        about: "Tests.",
        version: "1",
        revision: "abc",
        switch: "collector",
        flags: &[],
        collectors: &[&CPU, &DISK, &TEXT],
    };

    fn asked(line: &str) -> Result<(Flags, Vec<&'static str>), String> {
        let args = ["test-exporter"].into_iter().chain(line.split_whitespace());
        match parse(&GRAMMAR, args.map(OsString::from))? {
            Asked::Run(flags, defs) => Ok((flags, defs.iter().map(|def| def.name).collect())),
            Asked::Print(text) => Err(text),
        }
    }

    #[test]
    fn collectors_are_switched() {
        for (line, enabled) in [
            ("", vec!["cpu", "disk"]),
            ("--no-collector.cpu", vec!["disk"]),
            ("--collector.text", vec!["cpu", "disk", "text"]),
            ("--collector.disable-defaults", vec![]),
            ("--collector.disable-defaults --collector.text --collector.cpu", vec!["cpu", "text"]),
        ] {
            assert_eq!(asked(line).unwrap().1, enabled, "{line}");
        }
    }

    #[test]
    fn values_are_taken_either_way() {
        let line = "--collector.disk.exclude -a --no-collector.cpu.guest --collector.text.dir=/a \
                    --collector.text.dir /b";
        let (flags, _) = asked(line).unwrap();
        assert_eq!(flags.text(&EXCLUDE), "-a");
        assert!(!flags.is_on(&GUEST));
        assert_eq!(flags.list(&DIRS), ["/a", "/b"]);
        let (flags, _) = asked("").unwrap();
        assert_eq!(flags.text(&EXCLUDE), "^x$");
        assert!(flags.is_on(&GUEST) && !flags.is_given(&GUEST));
        assert_eq!(flags.text(&EXCLUDE), "^x$");
    }

    #[test]
    fn fuzz_arguments() {
        testing::fuzz(testing::corpus(env!("CARGO_MANIFEST_DIR"), "arguments"), |bytes| {
            // An argument file could be any file of this machine.
            let text = String::from_utf8_lossy(bytes).replace('@', "");
            match asked(&text) {
                Ok((flags, _)) => drop(flags.duration(&COLLECTOR_TIMEOUT)),
                Err(error) if text.contains("-h") || text.contains("-V") => drop(error),
                Err(error) => assert_eq!(error.lines().count(), 1, "{text}: {error}"),
            }
        });
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (line, problem) in [
            ("--colector.cpu", "--collector.cpu"),
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
            let error = asked(line).unwrap_err();
            assert!(error.contains(problem) && error.lines().count() == 1, "{line}: {error}");
        }
    }

    #[test]
    fn the_version_has_the_commit() {
        assert_eq!(asked("--version").unwrap_err().trim(), "test-exporter 1 (abc)");
    }

    #[test]
    fn help_lists_each_collector_with_its_default() {
        let help = asked("--help").unwrap_err();
        for (flag, default) in [("cpu", "on"), ("disk", "on"), ("text", "off")] {
            let line = help.lines().skip_while(|l| !l.contains(&format!("--collector.{flag} ")));
            let text: String = line.take(2).collect();
            assert!(text.contains(&format!("[default: {default}]")), "{flag} in\n{help}");
        }
        assert!(!help.contains("gomaxprocs"));
    }
}
