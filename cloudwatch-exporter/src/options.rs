//! The flags, and the two positional arguments of the Java exporter.

use std::ffi::OsString;

use exporter_core::collector::Error;
use exporter_core::flags::{Flag, Flags};

use crate::config::Strictness;

pub(crate) static FLAGS: &[&Flag] = &[
    &CONFIG_FILE,
    &UNKNOWN_KEYS,
    &CONCURRENCY,
    &PLAN,
    &PLAN_SETS,
    &PLAN_SCRAPE_INTERVAL,
    &PLAN_FORMAT,
    &DEMO,
    &CONVERT,
];

pub(crate) static CONFIG_FILE: Flag = Flag::text(
    "config.file",
    "config.yml",
    "Configuration file, in the format of the Java exporter: YAML or JSON.",
);
static UNKNOWN_KEYS: Flag = Flag::text(
    "config.unknown-keys",
    "refuse",
    "How unknown or duplicate keys of the configuration file and unknown statistics are handled: \
     refuse, or warn to ignore them with a warning. The Java exporter ignores them.",
);
static CONCURRENCY: Flag = Flag::text(
    "cloudwatch.concurrency",
    "8",
    "Maximum number of concurrent calls for each target; AWS throttles clients with many.",
);
pub(crate) static PLAN: Flag = Flag::text(
    "plan",
    "",
    "Print the estimated cost of this configuration file per month and rule, and exit. Lists metrics, \
     which costs next to nothing, and requests no datapoints.",
);
pub(crate) static PLAN_SETS: Flag = Flag::text(
    "plan.sets",
    "",
    "For --plan: assume this many dimension sets for each metric that would have to be listed, \
     and send no requests to AWS.",
);

static PLAN_SCRAPE_INTERVAL: Flag = Flag::text(
    "plan.scrape-interval",
    "60s",
    "For --plan: interval between scrapes. Metrics that are scraped less often than their period cost less.",
);
static PLAN_FORMAT: Flag = Flag::text("plan.format", "text", "For --plan: text or json.");

pub(crate) static CONVERT: Flag = Flag::text(
    "convert",
    "",
    "Print this configuration file of yet-another-cloudwatch-exporter (YACE) as one for this exporter, and exit. \
     Comments at the top name what was not converted.",
);
pub(crate) static DEMO: Flag = Flag::switch(
    "demo",
    false,
    "Use a simulated CloudWatch with invented resources instead of AWS, for the given configuration file or for an \
     example.",
);

/// The interval between scrapes, in seconds.
pub(crate) fn scrape_interval(flags: &Flags) -> Result<u64, Error> {
    Ok(flags.duration(&PLAN_SCRAPE_INTERVAL)?.as_secs().max(1))
}

pub(crate) fn is_plan_json(flags: &Flags) -> Result<bool, Error> {
    match flags.text(&PLAN_FORMAT) {
        "json" => Ok(true),
        "text" => Ok(false),
        _ => Err(PLAN_FORMAT.error("must be text or json")),
    }
}

pub(crate) fn concurrency(flags: &Flags) -> Result<usize, Error> {
    match flags.parsed(&CONCURRENCY, "a number of calls")? {
        0 => Err(CONCURRENCY.error("must be 1 or more")),
        calls => Ok(calls),
    }
}

pub(crate) fn strictness(flags: &Flags) -> Result<Strictness, Error> {
    match flags.text(&UNKNOWN_KEYS) {
        "warn" => Ok(Strictness::Warn),
        "refuse" => Ok(Strictness::Refuse),
        _ => Err(UNKNOWN_KEYS.error("must be refuse or warn")),
    }
}

pub(crate) fn sets(flags: &Flags) -> Result<Option<usize>, Error> {
    match flags.text(&PLAN_SETS) {
        "" => Ok(None),
        _ => flags.parsed(&PLAN_SETS, "a number of dimension sets").map(Some),
    }
}

/// Converts `9106 config.yml` at the start of a command line to flags. As in the Java exporter, this
/// form enables reloading over HTTP. Flags may follow.
pub(crate) fn convert_arguments(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<_> = args.into_iter().collect();
    let is_positional = |index: usize| args.get(index).is_some_and(|arg| !starts_with(arg, "-"));
    let is_port =
        args.get(1).and_then(|arg| arg.to_str()).is_some_and(|arg| arg.parse::<u16>().is_ok());
    if !is_port || !is_positional(2) {
        return args;
    }
    let is_lifecycle =
        |arg: &OsString| arg.to_str().is_some_and(|arg| arg.ends_with("web.enable-lifecycle"));
    let has_lifecycle = args.iter().any(is_lifecycle);
    let has_unknown_keys = args.iter().any(|arg| starts_with(arg, "--config.unknown-keys"));
    let flag = |flag: &str, value: &OsString| {
        let mut arg = OsString::from(flag);
        arg.push(value);
        arg
    };
    let flags: Vec<_> = match args.as_slice() {
        [_, port, file, ..] => {
            let listen = flag("--web.listen-address=:", port);
            let file = flag("--config.file=", file);
            let keys = (!has_unknown_keys).then(|| OsString::from("--config.unknown-keys=warn"));
            let lifecycle = (!has_lifecycle).then(|| OsString::from("--web.enable-lifecycle"));
            [listen, file].into_iter().chain(keys).chain(lifecycle).collect()
        }
        _ => return args,
    };
    args.splice(1..3, flags);
    args
}

fn starts_with(arg: &OsString, prefix: &str) -> bool {
    arg.as_encoded_bytes().starts_with(prefix.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positional_arguments_are_converted_to_flags() {
        for (line, expected) in [
            ("", ""),
            ("--config.file=x", "--config.file=x"),
            (
                "9106 config.yml",
                "--web.listen-address=:9106 --config.file=config.yml --config.unknown-keys=warn \
                 --web.enable-lifecycle",
            ),
            (
                "80 /a/b.json --log.level=debug --no-web.enable-lifecycle",
                "--web.listen-address=:80 --config.file=/a/b.json --config.unknown-keys=warn --log.level=debug \
                 --no-web.enable-lifecycle",
            ),
            ("9106", "9106"),
            ("9106 --check", "9106 --check"),
            ("127.0.0.1:9106 config.yml", "127.0.0.1:9106 config.yml"),
            ("99999 config.yml", "99999 config.yml"),
            ("--check 9106 config.yml", "--check 9106 config.yml"),
        ] {
            let args = ["exporter"].into_iter().chain(line.split_whitespace());
            let found = convert_arguments(args.map(OsString::from));
            let found: Vec<_> = found.iter().skip(1).map(|arg| arg.to_str().unwrap()).collect();
            assert_eq!(found, expected.split_whitespace().collect::<Vec<_>>(), "{line}");
        }
    }
}
