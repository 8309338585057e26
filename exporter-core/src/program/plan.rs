//! A program, and the settings from its command line.

use std::env::consts;
use std::sync::Arc;
use std::time::Duration;

use super::command_line::CommandSpec;
use crate::collector::{Definition, Error};
use crate::exposition::desc::Desc;
use crate::exposition::families::Families;
use crate::flags::{Flag, Flags};
use crate::kernel::process;
use crate::registry::{Builder, Registry, Settings};
use crate::web::metrics::ServerMetrics;
use crate::web::reload::ConfigStore;

/// A program with the command line, configuration and service of an exporter.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use exporter_core::instrument::{FromFn, Instruments};
/// use exporter_core::collector::{Definition, Source};
/// use exporter_core::run::Program;
///
/// static PROGRAM: Program<()> = Program::new("answer-exporter", env!("CARGO_PKG_VERSION"), 9999)
///     .about("Exposes the answer")
///     .collectors(&[&ANSWER]);
///
/// static ANSWER: Definition<()> = Definition::new("answer", "The answer", |(), _| {
///     static ANSWER: FromFn = FromFn::gauge("answer", "The answer.", || 42.0);
///     Ok(Source::blocking(Instruments::new([&ANSWER])))
/// });
///
/// fn main() -> ExitCode {
///     PROGRAM.run(|plan| plan.exporter(&()))
/// }
/// ```
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a table of function pointers")]
pub struct Program<Env: 'static> {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) version: &'static str,
    pub(crate) revision: &'static str,
    pub(crate) port: u16,
    pub(crate) switch: &'static str,
    pub(crate) flags: &'static [&'static Flag],
    pub(crate) collectors: &'static [&'static Definition<Env>],
    pub(crate) duration: &'static Desc<'static, 1>,
    pub(crate) success: &'static Desc<'static, 1>,
    pub(crate) absent: Option<&'static Desc<'static, 1>>,
    pub(crate) label: &'static str,
    pub(crate) build_info: Option<&'static Desc<'static, 7>>,
}

static DURATION: Desc<1> = Desc::gauge(
    "exporter_collector_duration_seconds",
    "Duration of a collector in this scrape.",
    ["collector"],
);
static SUCCESS: Desc<1> = Desc::gauge(
    "exporter_collector_success",
    "Whether a collector succeeded in this scrape.",
    ["collector"],
);
static BUILD_INFO: Desc<3> = Desc::gauge(
    "exporter_build_info",
    "Version of this exporter.",
    ["program", "version", "revision"],
);

impl<Env: 'static> Program<Env> {
    /// A program that is called `name` on the command line, and listens on `port` by default.
    pub const fn new(name: &'static str, version: &'static str, port: u16) -> Self {
        Self {
            name,
            about: "",
            version,
            revision: "",
            port,
            switch: "collector",
            flags: &[],
            collectors: &[],
            duration: &DURATION,
            success: &SUCCESS,
            absent: None,
            label: "",
            build_info: None,
        }
    }

    /// One line for `--help` and the landing page.
    #[must_use]
    pub const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// The revision that the program was built from, for its build information: usually
    /// `option_env!("GIT_REVISION")` or the like, which the build sets. Without it, the value of the
    /// environment variable `EXPORTER_REVISION` when exporter-core was built, or nothing.
    #[must_use]
    pub const fn revision(self, revision: Option<&'static str>) -> Self {
        let revision = match revision {
            Some(revision) => revision,
            None => "",
        };
        Self { revision, ..self }
    }

    /// The parts of its command line.
    pub(crate) fn command_spec(&self) -> CommandSpec<Env> {
        CommandSpec {
            name: self.name,
            about: self.about,
            version: self.version,
            revision: self.commit(),
            switch: self.switch,
            flags: self.flags,
            collectors: self.collectors,
        }
    }

    /// The commit it was built from, if it or the build says so.
    pub(crate) fn commit(&self) -> &'static str {
        let built_with = option_env!("EXPORTER_REVISION").unwrap_or_default();
        if self.revision.is_empty() { built_with } else { self.revision }
    }

    /// The first part of the switches of collectors: `collector` in `--collector.cpu`.
    #[must_use]
    pub const fn switch(self, switch: &'static str) -> Self {
        Self { switch, ..self }
    }

    /// Its flags, in addition to the shared ones and those of collectors.
    #[must_use]
    pub const fn flags(self, flags: &'static [&'static Flag]) -> Self {
        Self { flags, ..self }
    }

    /// All collectors, in the order of the exposition.
    #[must_use]
    pub const fn collectors(self, collectors: &'static [&'static Definition<Env>]) -> Self {
        Self { collectors, ..self }
    }

    /// The families with the time that each collector took and with its success, and a prefix of
    /// the collector's name in their label.
    #[must_use]
    pub const fn timing(
        self,
        duration: &'static Desc<'static, 1>,
        success: &'static Desc<'static, 1>,
        label: &'static str,
    ) -> Self {
        Self { duration, success, label, ..self }
    }

    /// The family with the collectors whose devices or features the machine lacks: a series with the
    /// value 1 for each of them, and none for others.
    #[must_use]
    pub const fn absent(self, absent: &'static Desc<'static, 1>) -> Self {
        Self { absent: Some(absent), ..self }
    }

    /// The family with the build information, with the labels of the Go exporters
    /// ([`BUILD_LABELS`]). Without it, `exporter_build_info` has the labels `program`, `version` and
    /// `revision`.
    #[must_use]
    pub const fn build_info(self, build_info: &'static Desc<'static, 7>) -> Self {
        Self { build_info: Some(build_info), ..self }
    }
}

/// The labels of a program's build information, as in the Go exporters. `branch`, `tags` and
/// `goversion` are empty.
pub const BUILD_LABELS: [&str; 7] =
    ["version", "revision", "branch", "tags", "goversion", "goos", "goarch"];

/// A program whose flags are read and whose collectors are not built yet.
#[derive(Clone)]
#[non_exhaustive]
#[expect(missing_debug_implementations, reason = "holds tables of function pointers")]
pub struct Plan<Env: 'static> {
    /// The flags of the command line.
    pub flags: Flags,
    /// The collectors that are switched on.
    pub enabled: Vec<&'static Definition<Env>>,
    /// How long one collector may take.
    pub limit: Duration,
    pub(crate) program: &'static Program<Env>,
    pub(crate) created_lines: bool,
    pub(crate) own: Arc<dyn Fn(&mut Families) + Send + Sync>,
}

impl<Env: 'static> Plan<Env> {
    /// The settings of a registry of this program, which exposes the metrics of the program itself.
    pub fn settings(&self) -> Settings {
        let own = Arc::clone(&self.own);
        Settings {
            duration: Some(self.program.duration),
            success: Some(self.program.success),
            absent: self.program.absent,
            label: self.program.label,
            limit: self.limit,
            created_lines: self.created_lines,
            exposes_dropped: true,
            own: Box::new(move |out| own(out)),
            ..Settings::default()
        }
    }

    /// A registry of the collectors that are switched on.
    pub fn registry(&self, env: &Env, settings: Settings) -> Result<Registry, Error> {
        let known = self.program.collectors;
        Registry::build(&self.enabled, known, env, &self.flags, settings)
    }

    /// An exporter of one registry, for most programs.
    pub fn exporter(&self, env: &Env) -> Result<Arc<Registry>, Error> {
        Ok(Arc::new(self.registry(env, self.settings())?))
    }

    /// Builds a registry of collectors that are made here, without a [`Definition`]. It exposes the
    /// metrics of the program itself.
    pub fn builder(&self) -> Builder {
        Builder::with_settings(self.settings())
    }
}

/// Writes the metrics of the program itself.
pub(crate) fn self_metrics<Env>(
    program: &'static Program<Env>,
    without_exporter_metrics: bool,
    metrics: Arc<ServerMetrics>,
    config: Arc<ConfigStore>,
) -> Arc<dyn Fn(&mut Families) + Send + Sync> {
    Arc::new(move |out| {
        let revision = program.commit();
        let architecture = match consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        if let Some(desc) = program.build_info {
            let labels = [program.version, revision, "", "", "", consts::OS, architecture];
            out.family(desc).sample(labels, 1.0);
        } else {
            out.family(&BUILD_INFO).sample([program.name, program.version, revision], 1.0);
        }
        if !without_exporter_metrics {
            metrics.write(out, &config);
            process::write(out);
        }
    })
}
