//! The flags that belong to no collector, as in `mysqld_exporter`.

use std::env;
use std::path::Path;
use std::time::Duration;

use exporter_core::collector::Error;
use exporter_core::config_file::Secret;
use exporter_core::flags::{Flag, Flags};
use exporter_core::run::{self, Plan};

use crate::address::{Address, InvalidAddress};
use crate::allow_list::AllowList;
use crate::config::{Config, Defaults};
use crate::db::Limits;
use crate::queries::Queries;
use crate::targets::Targets;

pub(crate) static FLAGS: &[&Flag] = &[
    &ADDRESS,
    &ALLOW,
    &COLLECTOR_TIMEOUT,
    &CONNECTIONS,
    &CONNECTION_LIFETIME,
    &ENABLE_LOCK_WAIT,
    &FRESH_LOGIN,
    &LOCK_WAIT,
    &LOG_SLOW_FILTER,
    &MY_CNF,
    &QUERIES,
    &QUERY_TIMEOUT,
    &SKIP_VERIFY,
    &TARGETS,
    &USER,
];

static ADDRESS: Flag = Flag::text(
    "mysqld.address",
    "localhost:3306",
    "The server, if the option file has none: host:port or unix:///path.",
);
static ALLOW: Flag = Flag::list(
    "probe.allow-target",
    &[],
    "A target that /probe allows in addition to the configured servers: NAME:PORT with * as a \
     wildcard, NETWORK/BITS:PORT, unix:///PATH, or * for all. May be repeated.",
);
static COLLECTOR_TIMEOUT: Flag = Flag::text(
    run::COLLECTOR_TIMEOUT.name,
    "",
    "Time limit of a collector in a scrape, such as 5s. Default: that of the scrape.",
);
static CONNECTIONS: Flag = Flag::text(
    "exporter.max_open_connections",
    "2",
    "Maximum number of connections to one server.",
);
static CONNECTION_LIFETIME: Flag = Flag::text(
    "exporter.connection-lifetime",
    "60",
    "Seconds after which a connection is replaced by a new one; at least 1.",
);
static ENABLE_LOCK_WAIT: Flag = Flag::switch(
    "exporter.enable_lock_wait_timeout",
    true,
    "Limit the time that statements wait for metadata locks.",
);
static FRESH_LOGIN: Flag = Flag::switch(
    "exporter.fresh-login",
    false,
    "Log in for each scrape, instead of once a minute.",
);
static LOCK_WAIT: Flag = Flag::text(
    "exporter.lock_wait_timeout",
    "2",
    "Seconds that a statement may wait for a metadata lock.",
);
static LOG_SLOW_FILTER: Flag = Flag::switch(
    "exporter.log_slow_filter",
    false,
    "Exclude scrapes from the slow query log. MariaDB and Percona only.",
);
static MY_CNF: Flag = Flag::text(
    "config.my-cnf",
    ".my.cnf",
    "Option file with the users: [client], and a section for each auth_module of /probe.",
);
static QUERIES: Flag = Flag::text(
    "config.queries",
    "",
    "File of custom queries, whose results are exposed as metrics. They run in read-only \
     transactions.",
);
static QUERY_TIMEOUT: Flag = Flag::text(
    "exporter.query_timeout",
    "0",
    "Seconds after which the server ends a statement; 0 is the time limit of a collector.",
);
static SKIP_VERIFY: Flag =
    Flag::switch("tls.insecure-skip-verify", false, "Do not verify the certificates of servers.");
static TARGETS: Flag = Flag::text(
    "config.targets",
    "",
    "File of targets that /probe allows, in the format of file_sd; /sd serves them.",
);
static USER: Flag = Flag::text(
    "mysqld.username",
    "",
    "User, if the option file has none. The password is in MYSQLD_EXPORTER_PASSWORD.",
);

/// Reads the option file.
pub(crate) fn config(flags: &Flags) -> Result<Config, Error> {
    let password = env::var("MYSQLD_EXPORTER_PASSWORD").ok();
    let user = Some(flags.text(&USER)).filter(|user| !user.is_empty());
    let defaults = Defaults {
        address: address(flags)?,
        user: user.map(str::to_owned),
        password: password.filter(|password| !password.is_empty()).map(Secret::new),
        skip_verification: flags.is_on(&SKIP_VERIFY),
    };
    let path = Path::new(flags.text(&MY_CNF));
    let required = flags.is_given(&MY_CNF);
    Config::load(path, required, &defaults).map_err(|error| Error::Other(Box::new(error)))
}

/// Reads the custom queries. `limit` is the maximum time of a statement.
pub(crate) fn queries(flags: &Flags, limit: Duration) -> Result<Queries, Error> {
    match flags.text(&QUERIES) {
        "" => Ok(Queries::default()),
        path => Queries::load(Path::new(path), limit).map_err(|error| Error::Other(error.into())),
    }
}

/// Reads the file of targets, if the flag is set.
pub(crate) fn targets(flags: &Flags, config: &Config) -> Result<Option<Targets>, Error> {
    match flags.text(&TARGETS) {
        "" => Ok(None),
        path => Targets::load(Path::new(path), config)
            .map(Some)
            .map_err(|error| Error::Other(error.into())),
    }
}

/// The targets that may be probed in addition to the configured servers.
pub(crate) fn allow_list(flags: &Flags) -> Result<AllowList, Error> {
    let patterns = flags.list(&ALLOW);
    AllowList::new(patterns.iter().map(AsRef::as_ref))
        .map_err(|error| ALLOW.error(error.to_string()))
}

/// The time limit of a collector: the flag, or else the maximum duration of a scrape.
pub(crate) fn collector_limit<Env>(plan: &Plan<Env>) -> Duration {
    if plan.flags.is_given(&COLLECTOR_TIMEOUT) { plan.limit } else { MAX_SCRAPE_DURATION }
}

/// The maximum duration of a scrape, even if the client announces a longer timeout.
const MAX_SCRAPE_DURATION: Duration = Duration::from_secs(30);

/// The limits of sessions. `limit` is the time limit of a collector.
pub(crate) fn limits(flags: &Flags, limit: Duration) -> Result<Limits, Error> {
    let seconds = |flag: &Flag| {
        let seconds: f64 = flags.parsed(flag, "a number of seconds")?;
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| flag.error("expected a number of seconds that is not negative"))
    };
    let statement = seconds(&QUERY_TIMEOUT)?;
    let connections = flags.parsed(&CONNECTIONS, "a number of connections")?;
    if !(1..=100).contains(&connections) {
        return Err(CONNECTIONS.error("expected 1 to 100"));
    }
    let lock_wait = flags.parsed(&LOCK_WAIT, "a number of seconds")?;
    Ok(Limits {
        connections,
        lifetime: seconds(&CONNECTION_LIFETIME)?.max(Duration::from_secs(1)),
        statement: if statement.is_zero() { limit } else { statement.min(limit) },
        lock_wait: flags.is_on(&ENABLE_LOCK_WAIT).then_some(lock_wait),
        log_slow_filter: flags.is_on(&LOG_SLOW_FILTER),
        fresh_login: flags.is_on(&FRESH_LOGIN),
    })
}

fn address(flags: &Flags) -> Result<Address, Error> {
    let address = flags.text(&ADDRESS).parse();
    address.map_err(|error: InvalidAddress| ADDRESS.error(error.to_string()))
}
