//! The main function that exporters share.

use std::env::args_os;
use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;
use tracing::Level;

use super::check;
use super::command_line::{self, Action};
use super::flags as shared;
pub use super::flags::{CHECK, COLLECTOR_TIMEOUT};
use super::log;
use super::password;
use super::plan;
pub use super::plan::{BUILD_LABELS, Plan, Program};
use super::systemd::{self, Notifier};
use super::unit;
use crate::collector::Error;
use crate::config_file;
use crate::exporter::Exporter;
use crate::flags::{Flag, Flags};
use crate::instrument::start_time;
use crate::redact::redacted;
use crate::sys;
use crate::web::ListenError;
use crate::web::metrics::ServerMetrics;
use crate::web::reload::ConfigStore;
use crate::web::{self, Limits, Listener, Site};

impl<Env> Program<Env> {
    /// Runs the program until it is stopped. `open` builds its collectors once the command line is
    /// read: for most programs with [`Plan::exporter`].
    ///
    /// The status is 2 for an error on the command line or in a file, and 1 for a failure while
    /// serving.
    ///
    /// The log and the handler of panics are those of the process, and aws-lc-rs becomes the default
    /// crypto provider of rustls, for clients that use it.
    pub fn run<E: Exporter + 'static>(
        &'static self,
        open: impl FnOnce(Plan<Env>) -> Result<E, Error>,
    ) -> ExitCode {
        self.run_with(args_os(), open)
    }

    /// As [`run`](Self::run), with another command line, the name of the program first.
    pub fn run_with<E: Exporter + 'static>(
        &'static self,
        args: impl IntoIterator<Item = OsString>,
        open: impl FnOnce(Plan<Env>) -> Result<E, Error>,
    ) -> ExitCode {
        run_with(self, args, open)
    }
}

fn run_with<Env, E: Exporter + 'static>(
    program: &'static Program<Env>,
    args: impl IntoIterator<Item = OsString>,
    open: impl FnOnce(Plan<Env>) -> Result<E, Error>,
) -> ExitCode {
    start_time();
    if args_os().nth(1).is_some_and(|first| first == config_file::ARGUMENT) {
        return config_file::main();
    }
    config_file::use_processes();
    let result = start(program, args, open);
    config_file::shut_down();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(ExitError::Usage(problem)) => {
            print_error(program.name, &problem);
            ExitCode::from(2)
        }
        Err(ExitError::Runtime(problem)) => {
            print_error(program.name, &problem);
            ExitCode::FAILURE
        }
    }
}

/// One line about why the program ends, by its exit status.
enum ExitError {
    /// 1: a failure of the system.
    Runtime(String),
    /// 2: an error on the command line or in a file.
    Usage(String),
}

impl ExitError {
    fn usage(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::Usage(crate::collector::chain(error))
    }
}

fn start<Env, E: Exporter + 'static>(
    program: &'static Program<Env>,
    args: impl IntoIterator<Item = OsString>,
    open: impl FnOnce(Plan<Env>) -> Result<E, Error>,
) -> Result<(), ExitError> {
    let (flags, enabled) =
        match command_line::parse(&program.command_spec(), args).map_err(ExitError::Usage)? {
            Action::Run(flags, enabled) => (flags, enabled),
            Action::Print(text) => return print(&text),
        };
    let options = Options::new(&flags).map_err(|error| ExitError::usage(&error))?;
    log::init(program.name, options.level, options.layout);
    if flags.is_on(&shared::HASH_PASSWORD) {
        return print(&password::hash().map_err(ExitError::Usage)?);
    }
    if flags.is_on(&shared::UNIT) {
        if !flags.is_on(&CHECK) {
            return Err(ExitError::Usage("--unit requires --check".into()));
        }
        let outcome = unit::check(program.name).map_err(ExitError::Usage)?;
        print(&outcome.report)?;
        let verdict = "the check failed under the unit".into();
        return if outcome.is_good { Ok(()) } else { Err(ExitError::Usage(verdict)) };
    }

    let config = ConfigStore::load(options.web_config.clone())
        .map_err(|error| ExitError::Usage(format!("--{}: {error}", shared::CONFIG_FILE.name)))?;
    let metrics = Arc::new(ServerMetrics::default());
    let without_exporter_metrics = flags.is_on(&shared::DISABLE_EXPORTER_METRICS);
    let enable_lifecycle = flags.is_on(&shared::ENABLE_LIFECYCLE);
    let check = flags.is_on(&CHECK);
    let plan = Plan {
        enabled,
        limit: options.limit,
        program,
        created_lines: flags.is_on(&shared::OPENMETRICS_CREATED),
        own: plan::self_metrics(
            program,
            without_exporter_metrics,
            Arc::clone(&metrics),
            Arc::clone(&config),
        ),
        flags,
    };
    // Fails only if the program has installed one already, which is then used.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let exporter = Arc::new(open(plan).map_err(|error| ExitError::usage(&error))?);
    let site = Arc::new(Site {
        name: program.name.into(),
        about: program.about.into(),
        version: program.version.into(),
        exporter,
        config,
        metrics,
        limits: options.limits.clone(),
        telemetry_path: options.telemetry_path.clone(),
        enable_lifecycle,
        timeout_offset: options.timeout_offset,
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(Duration::from_secs(1))
        .build()
        .map_err(|error| ExitError::Runtime(format!("cannot start the runtime: {error}")))?;
    if let Some(result) = runtime.block_on(site.exporter.one_shot_command()) {
        return print(&result.map_err(ExitError::Usage)?);
    }
    if check {
        let report = runtime.block_on(check::report(&site));
        print(&report.text)?;
        return if report.is_good { Ok(()) } else { Err(ExitError::Usage(report.verdict)) };
    }
    let result = runtime.block_on(serve(program, &options, site));
    // A collector may hang in a system call, which cannot be interrupted.
    runtime.shutdown_background();
    result
}

/// After this time, the pages of the program that only startup needed are unmapped.
const STARTUP_TIME: Duration = Duration::from_secs(10);

async fn serve<Env>(
    program: &Program<Env>,
    options: &Options,
    site: Arc<Site>,
) -> Result<(), ExitError> {
    // With a socket unit and no drop-in that sets the flag, systemd holds the default port itself.
    let has_passed_sockets = options.listen.is_empty() && Listener::has_systemd_sockets();
    let listeners = if options.systemd_socket || has_passed_sockets {
        Listener::from_systemd()
    } else {
        Listener::bind(&options.addresses(program.port))
    };
    let listeners = listeners.map_err(|error| match error {
        // An address may become available later: a restart may help.
        ListenError::Bind(..) => ExitError::Runtime(crate::collector::chain(&error)),
        _ => ExitError::usage(&error),
    })?;
    let notifier = Notifier::from_env();
    let addresses: Vec<_> = listeners.iter().map(ToString::to_string).collect();
    let status = format!("Listening on {}", addresses.join(", "));
    let tls = site.config.current().tls.is_some();
    for address in &addresses {
        tracing::info!(address, tls, version = program.version, "listening");
    }
    // Catch signals before READY: systemd may send them from then on.
    let shutdown = systemd::shutdown(Arc::clone(&site), notifier.clone())
        .map_err(|error| ExitError::Runtime(format!("cannot listen for signals: {error}")))?;
    notifier.ready();
    notifier.status(&status);
    tokio::spawn(async {
        sleep(STARTUP_TIME).await;
        sys::release_startup_pages();
    });
    web::serve(site, listeners, shutdown).await;
    Ok(())
}

/// The flags that this module uses, parsed.
struct Options {
    level: Level,
    layout: log::Layout,
    limit: Duration,
    limits: Limits,
    listen: Vec<String>,
    systemd_socket: bool,
    telemetry_path: String,
    timeout_offset: Duration,
    web_config: Option<std::path::PathBuf>,
}

impl Options {
    fn new(flags: &Flags) -> Result<Self, Error> {
        let level = flags.text(&shared::LOG_LEVEL);
        let level = Level::from_str(level)
            .map_err(|_| one_of(&shared::LOG_LEVEL, level, "debug, info, warn or error"))?;
        let layout = flags.parsed(&shared::LOG_FORMAT, "logfmt or json")?;
        let offset = &shared::TIMEOUT_OFFSET;
        let timeout_offset: f64 = flags.parsed(offset, "a number of seconds such as 0.25")?;
        let timeout_offset = Duration::try_from_secs_f64(timeout_offset)
            .map_err(|_| offset.error("expected a number of seconds that is not negative"))?;
        let limit = flags.duration(&COLLECTOR_TIMEOUT)?;
        if limit.is_zero() {
            return Err(COLLECTOR_TIMEOUT.error("must be longer than 0"));
        }
        let telemetry_path = flags.text(&shared::TELEMETRY_PATH);
        if !telemetry_path.starts_with('/') || telemetry_path.starts_with("/-/") {
            let problem = format!("expected a path such as /metrics, found {telemetry_path:?}");
            return Err(shared::TELEMETRY_PATH.error(problem));
        }
        let max_requests = flags.parsed(&shared::MAX_REQUESTS, "a number, 0 for no limit")?;
        let listen = flags.list(&shared::LISTEN_ADDRESS);
        let file = flags.text(&shared::CONFIG_FILE);
        Ok(Self {
            level,
            layout,
            limit,
            limits: Limits { requests: max_requests, ..Limits::default() },
            listen: listen.into_iter().map(str::to_owned).collect(),
            systemd_socket: flags.is_on(&shared::SYSTEMD_SOCKET),
            telemetry_path: telemetry_path.to_owned(),
            timeout_offset,
            web_config: (!file.is_empty()).then(|| file.into()),
        })
    }

    fn addresses(&self, port: u16) -> Vec<String> {
        if self.listen.is_empty() { vec![format!(":{port}")] } else { self.listen.clone() }
    }
}

fn one_of(flag: &Flag, found: &str, expected: &str) -> Error {
    flag.error(format!("expected {expected}, found {found:?}"))
}

fn print(text: &str) -> Result<(), ExitError> {
    let written = writeln!(io::stdout(), "{}", text.trim_end());
    // `--help | head` is not a failure.
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(ExitError::Runtime(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn print_error(name: &str, problem: &dyn Display) {
    let problem = problem.to_string();
    let _ = writeln!(io::stderr(), "{name}: error: {}", redacted(&problem));
}
