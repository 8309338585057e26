//! The flags that all exporters share.

use crate::flags::Flag;

/// `--check`.
pub static CHECK: Flag = Flag::switch(
    "check",
    false,
    "Read all configuration, run each collector once, print the results, and exit.",
);
/// The time limit of a collector in a scrape.
pub static COLLECTOR_TIMEOUT: Flag =
    Flag::text("collector.timeout", "5s", "Time limit of a collector in a scrape.");
pub(crate) static CONFIG_FILE: Flag = Flag::text(
    "web.config.file",
    "",
    "Web configuration file: TLS, client certificates, users, headers, rate limit.",
);
pub(crate) static DISABLE_DEFAULTS: Flag =
    Flag::switch("collector.disable-defaults", false, "Disable all collectors by default.");
pub(crate) static DISABLE_EXPORTER_METRICS: Flag = Flag::switch(
    "web.disable-exporter-metrics",
    false,
    "Leave out the metrics about the exporter itself.",
);
pub(crate) static ENABLE_LIFECYCLE: Flag =
    Flag::switch("web.enable-lifecycle", false, "Allow POST /-/reload.");
pub(crate) static GOMAXPROCS: Flag = Flag::text(
    "runtime.gomaxprocs",
    "1",
    "Accepted for compatibility; the exporter uses one core.",
)
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
    Flag::text("log.format", "logfmt", "Format of the log: logfmt or json.");
pub(crate) static LOG_LEVEL: Flag =
    Flag::text("log.level", "info", "Minimum level of log events: debug, info, warn or error.");
pub(crate) static MAX_REQUESTS: Flag = Flag::text(
    "web.max-requests",
    "40",
    "Maximum number of scrapes in progress; more get status 503. 0 means no limit.",
);
pub(crate) static OPENMETRICS_CREATED: Flag = Flag::switch(
    "web.openmetrics-created",
    false,
    "Write _created lines in OpenMetrics. Most servers store them as separate series.",
);
pub(crate) static SYSTEMD_SOCKET: Flag =
    Flag::switch("web.systemd-socket", false, "Listen on the sockets that systemd passes.");
pub(crate) static TELEMETRY_PATH: Flag =
    Flag::text("web.telemetry-path", "/metrics", "The path of the metrics.");
pub(crate) static TIMEOUT_OFFSET: Flag = Flag::text(
    "timeout-offset",
    "0.25",
    "Seconds before the timeout of Prometheus at which a scrape has to be complete.",
);

pub(crate) static UNIT: Flag = Flag::switch(
    "unit",
    false,
    "With --check: check in the environment of the systemd unit of this program. Needs root.",
);

/// The flags of every program.
pub(super) static SHARED: &[&Flag] = &[
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
