//! What a collector is.

use async_trait::async_trait;

pub use crate::error::{Error, chain};
use crate::exposition::desc::Describe;
use crate::exposition::families::Families;
use crate::flags::{Flag, Flags};

/// A collector as its file declares it: all that is known before it is built.
///
/// The command line, the metric reference and the registry are all made from these.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "a static table of function pointers")]
pub struct Definition<Env: 'static> {
    /// As in `--collector.<name>` and the `collector` label.
    pub name: &'static str,
    /// One line for `--help`.
    pub about: &'static str,
    pub on_by_default: bool,
    /// The files or queries it reads, for the reference and for sandbox profiles.
    pub reads: &'static [&'static str],
    /// The flags it takes beside its own switch, by their full names.
    pub flags: &'static [&'static Flag],
    /// Every family it may expose; a test holds it to that.
    pub metrics: &'static [&'static dyn Describe],
    /// Called once, before anything is served. An error here ends the program with status 2.
    pub build: fn(&Env, &Flags) -> Result<Source, Error>,
}

/// A built collector, by the way it waits.
#[expect(missing_debug_implementations, reason = "boxed trait objects")]
pub enum Source {
    Blocking(Box<dyn Collector>),
    Async(Box<dyn AsyncCollector>),
}

impl Source {
    pub fn blocking(collector: impl Collector + 'static) -> Self {
        Self::Blocking(Box::new(collector))
    }

    pub fn asynchronous(collector: impl AsyncCollector + 'static) -> Self {
        Self::Async(Box::new(collector))
    }
}

/// Reads files or makes system calls. Runs on the registry's worker thread.
pub trait Collector: Send {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error>;
}

/// Waits for a network. Runs on the runtime, and is dropped where it stands at its deadline.
#[async_trait]
pub trait AsyncCollector: Send {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error>;
}
