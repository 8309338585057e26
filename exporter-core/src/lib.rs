//! What every exporter in this workspace shares, and what a user writes an exporter of their
//! own with.
//!
//! A scrape travels one way through these modules: [`web`] accepts and authorises it,
//! [`registry`] runs the collectors it asks for, each [`collector`] writes its [`families`]
//! in the negotiated [`format`](mod@format), and the bytes go back out. [`desc`] is what all of them know
//! beforehand.
//!
//! [`registry`]: # "in the making"

pub mod collector;
#[cfg(feature = "serve")]
pub mod config_file;
pub mod duration;
mod error;
#[cfg(feature = "serve")]
pub mod exporter;
mod exposition {
    //! Families as they are written, and the formats of a page.

    pub mod desc;
    pub mod families;
    pub mod format;
    mod frame;
    mod hash;
    mod name;
    mod negotiate;
    mod number;
    mod page;
    mod protobuf;
    mod text;
    pub mod value;

    pub(crate) use self::page::*;
}
pub mod flags;
pub mod instrument;
#[cfg(feature = "process")]
mod kernel;
#[cfg(feature = "serve")]
mod program;
#[cfg(feature = "push")]
pub mod push;
#[cfg(feature = "serve")]
mod query;
#[cfg(feature = "serve")]
pub mod redact;
#[cfg(feature = "serve")]
pub mod registry;
#[cfg(feature = "serve")]
mod sys;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "serve")]
pub mod web;

pub use self::exposition::{desc, families, format, value};
pub use self::instrument::encode;
#[cfg(feature = "process")]
pub use self::kernel::{file, process};
#[cfg(feature = "serve")]
pub use self::program::{log, run, systemd as service};
