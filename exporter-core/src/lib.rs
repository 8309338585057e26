//! What every exporter in this workspace shares, and what a user writes an exporter of their
//! own with.
//!
//! A scrape travels one way through these modules: [`web`] accepts and authorises it,
//! [`registry`] runs the collectors it asks for, each [`collector`] writes its [`families`]
//! in the negotiated [`format`](mod@format), and the bytes go back out. [`desc`] is what all of them know
//! beforehand.
//!
//! [`web`]: # "in the making"
//! [`registry`]: # "in the making"

pub mod collector;
pub mod desc;
mod exposition;
pub mod families;
pub mod flags;
pub mod format;
mod frame;
mod hash;
pub mod instrument;
mod name;
mod negotiate;
mod number;
mod process;
mod protobuf;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
pub mod value;
