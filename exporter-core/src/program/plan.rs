//! A program, and what its command line asks for.

use std::env::consts;
use std::sync::Arc;
use std::time::Duration;

use crate::collector::{Definition, Error};
use crate::exporter::Opened;
use crate::exposition::desc::Desc;
use crate::exposition::families::Families;
use crate::flags::{Flag, Flags};
use crate::kernel::process;
use crate::registry::{Registry, Settings};
use crate::web::config::live::Live;
use crate::web::metrics::ServerMetrics;

/// A program: its names and its collectors.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a table of function pointers")]
pub struct Program<Env: 'static> {
    /// As it is called on the command line: `node-exporter`.
    pub name: &'static str,
    /// One line for `--help` and the landing page.
    pub about: &'static str,
    pub version: &'static str,
    /// Where it listens unless told otherwise.
    pub port: u16,
    /// The first part of the switches of collectors: `collector` in `--collector.cpu`.
    pub switch: &'static str,
    /// Its flags, beside the shared ones and those of collectors.
    pub flags: &'static [&'static Flag],
    /// Every collector, in the order of the exposition.
    pub collectors: &'static [&'static Definition<Env>],
    /// The families of how long each collector took, and whether it succeeded.
    pub duration: &'static Desc<'static, 1>,
    pub success: &'static Desc<'static, 1>,
    /// What stands before a collector's name in the label of these.
    pub label: &'static str,
    /// The family that tells what was built: see [`BUILD_LABELS`].
    pub build_info: &'static Desc<'static, 7>,
    /// Builds the collectors: for most programs [`Plan::exporter`] over what they read from.
    pub open: fn(Plan<Env>) -> Opened,
}

/// The labels of a program's build information, as the Go exporters have them.
pub const BUILD_LABELS: [&str; 7] =
    ["version", "revision", "branch", "tags", "goversion", "goos", "goarch"];

/// A program with its flags read, its collectors chosen and nothing built.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "holds tables of function pointers")]
pub struct Plan<Env: 'static> {
    pub flags: Flags,
    /// The collectors that are on.
    pub enabled: Vec<&'static Definition<Env>>,
    /// How long one collector may take.
    pub limit: Duration,
    pub(crate) program: &'static Program<Env>,
    pub(crate) created_lines: bool,
    pub(crate) own: Arc<dyn Fn(&mut Families) + Send + Sync>,
}

impl<Env: 'static> Plan<Env> {
    /// What most registries are told. What the program exposes of itself is in it.
    pub fn settings(&self) -> Settings {
        let own = Arc::clone(&self.own);
        Settings {
            duration: self.program.duration,
            success: self.program.success,
            label: self.program.label,
            limit: self.limit,
            concurrency: CONCURRENCY,
            created_lines: self.created_lines,
            own: Box::new(move |out| own(out)),
        }
    }

    /// A registry of the collectors that are on.
    pub fn registry(&self, env: &Env, settings: Settings) -> Result<Registry, Error> {
        let known = self.program.collectors;
        Registry::build(&self.enabled, known, env, &self.flags, settings)
    }

    /// An exporter of this one registry, as most programs have.
    pub fn exporter(&self, env: &Env) -> Opened {
        Ok(Arc::new(Arc::new(self.registry(env, self.settings())?)))
    }
}

/// Collectors that wait for a network, at once.
const CONCURRENCY: usize = 16;

/// What the program exposes after its collectors.
pub(crate) fn exposed_of_itself<Env>(
    program: &'static Program<Env>,
    reduced: bool,
    metrics: Arc<ServerMetrics>,
    live: Arc<Live>,
) -> Arc<dyn Fn(&mut Families) + Send + Sync> {
    Arc::new(move |out| {
        let revision = option_env!("EXPORTER_REVISION").unwrap_or_default();
        let architecture = match consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let labels = [program.version, revision, "", "", "", consts::OS, architecture];
        out.family(program.build_info).sample(labels, 1.0);
        if !reduced {
            metrics.write(out, &live);
            process::write(out);
        }
    })
}
