//! Collectors: the units that an exporter runs for each scrape.

/// For implementations of [`AsyncCollector`].
pub use async_trait::async_trait;

pub use crate::error::{Context, Error, chain};
use crate::exposition::desc::Describe;
use crate::exposition::families::Families;
use crate::flags::{Flag, Flags};

/// The declaration of a collector: everything that is known before it is built.
///
/// The command line, the metric reference and the registry are made from these.
#[derive(Clone, Copy)]
#[non_exhaustive]
#[expect(missing_debug_implementations, reason = "a static table of function pointers")]
pub struct Definition<Env: 'static> {
    /// As in `--collector.<name>` and the `collector` label.
    pub name: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    /// Whether it runs unless it is switched off.
    pub on_by_default: bool,
    /// The files or queries it reads, for the reference and for sandbox profiles.
    pub reads: &'static [&'static str],
    /// What a scrape costs and what that grows with, for the reference.
    pub cost: &'static str,
    /// What it needs beyond the rights of an ordinary user, for the reference; empty for nothing.
    pub rights: &'static str,
    /// Its flags, apart from its own switch, by their full names.
    pub flags: &'static [&'static Flag],
    /// Every family that it may expose; a test compares them.
    pub metrics: &'static [&'static dyn Describe],
    /// Builds it once, before anything is served. An error ends the program with status 2.
    pub build: fn(&Env, &Flags) -> Result<Source, Error>,
}

impl<Env: 'static> Definition<Env> {
    /// A collector that is on by default, with a function that builds it.
    pub const fn new(
        name: &'static str,
        about: &'static str,
        build: fn(&Env, &Flags) -> Result<Source, Error>,
    ) -> Self {
        Self {
            name,
            about,
            on_by_default: true,
            reads: &[],
            cost: "",
            rights: "",
            flags: &[],
            metrics: &[],
            build,
        }
    }

    /// Does not run unless it is switched on.
    #[must_use]
    pub const fn off_by_default(self) -> Self {
        Self { on_by_default: false, ..self }
    }

    /// With the files or queries that it reads.
    #[must_use]
    pub const fn reads(self, reads: &'static [&'static str]) -> Self {
        Self { reads, ..self }
    }

    /// With a phrase about what a scrape costs, such as `one file with a line per CPU`.
    #[must_use]
    pub const fn cost(self, cost: &'static str) -> Self {
        Self { cost, ..self }
    }

    /// With what it needs beyond the rights of an ordinary user.
    #[must_use]
    pub const fn rights(self, rights: &'static str) -> Self {
        Self { rights, ..self }
    }

    /// With its flags.
    #[must_use]
    pub const fn flags(self, flags: &'static [&'static Flag]) -> Self {
        Self { flags, ..self }
    }

    /// With the families that it may expose.
    #[must_use]
    pub const fn metrics(self, metrics: &'static [&'static dyn Describe]) -> Self {
        Self { metrics, ..self }
    }
}

/// A collector that blocks its thread, or one that is a future.
#[non_exhaustive]
#[expect(missing_debug_implementations, reason = "boxed trait objects")]
pub enum Source {
    /// Runs on the worker thread of its registry.
    Blocking(Box<dyn Collector>),
    /// Runs on the runtime.
    Async(Box<dyn AsyncCollector>),
}

impl Source {
    /// A collector that reads files or makes system calls.
    pub fn blocking(collector: impl Collector + 'static) -> Self {
        Self::Blocking(Box::new(collector))
    }

    /// A collector that waits for a network.
    pub fn asynchronous(collector: impl AsyncCollector + 'static) -> Self {
        Self::Async(Box::new(collector))
    }
}

/// A collector that reads files or makes system calls. It runs on the worker thread of its registry.
///
/// ```
/// use exporter_core::collector::{Collector, Error};
/// use exporter_core::desc::Desc;
/// use exporter_core::families::Families;
///
/// static USERS: Desc = Desc::gauge("app_users", "Lines of the user file.", []);
///
/// struct Users;
///
/// impl Collector for Users {
///     fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
///         let lines = std::fs::read_to_string("/etc/passwd")?.lines().count();
///         out.family(&USERS).sample([], lines as f64);
///         Ok(())
///     }
/// }
/// ```
pub trait Collector: Send {
    /// Writes the current values. What is written before an error is exposed.
    fn collect(&mut self, out: &mut Families) -> Result<(), Error>;
}

/// A collector that waits for a network. It runs on the runtime, and is dropped at its deadline.
///
/// ```
/// use exporter_core::collector::{AsyncCollector, Error, async_trait};
/// use exporter_core::desc::Desc;
/// use exporter_core::families::Families;
///
/// static UP: Desc = Desc::gauge("app_up", "Whether the server answers.", []);
///
/// struct Ping(String);
///
/// #[async_trait]
/// impl AsyncCollector for Ping {
///     async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
///         let connected = tokio::net::TcpStream::connect(&self.0).await;
///         out.family(&UP).sample([], if connected.is_ok() { 1.0 } else { 0.0 });
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait AsyncCollector: Send {
    /// Writes the current values. What is written before an error is exposed.
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error>;
}
