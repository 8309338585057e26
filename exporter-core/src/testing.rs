//! Helpers for tests of exporters: golden files, checks of lists of collectors, the real binary on
//! real sockets, and a test of mutual TLS.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    reason = "tests fail by a panic"
)]

pub(crate) mod certificate;
mod fuzz;
mod golden;
mod manual;
pub mod mutual_tls;
mod pki;
mod program;
mod prometheus;
mod reference;
mod signal;
mod skip;
mod special_files;
#[cfg(test)]
mod subscribe;

pub use self::fuzz::{corpus, fuzz};
pub use self::golden::{
    collect, collect_async, declared_is_exposed, expose, expose_async, families, golden, page,
    page_with_dropped,
};
pub use self::manual::manual;
pub use self::pki::{Authority, Identity, Kind};
pub use self::program::{Answer, Exporter, MAX_WAIT, get, until};
pub use self::prometheus::{Prometheus, check_with_promtool, tool};
pub use self::reference::reference;
pub use self::signal::send_signal;
pub use self::skip::skip;
pub use self::special_files::special_files;
#[cfg(test)]
pub(crate) use self::subscribe::subscribe;
