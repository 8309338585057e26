//! What every exporter in this workspace shares, and what a user writes an exporter of their
//! own with.
//!
//! A scrape travels one way through these modules: [`web`] accepts and authorises it,
//! [`registry`] runs the collectors it asks for, each [`collector`] writes its [`families`]
//! in the negotiated [`format`](mod@format), and the bytes go back out. [`desc`] is what all of them know
//! beforehand.
//!
//! [`registry`]: # "in the making"

mod check;
pub mod collector;
pub mod desc;
pub mod duration;
pub mod exporter;
mod exposition;
pub mod families;
pub mod file;
pub mod flags;
pub mod format;
mod frame;
mod hash;
pub mod instrument;
pub mod log;
mod name;
mod negotiate;
mod number;
mod options;
mod plan;
mod process;
mod protobuf;
pub mod registry;
pub mod run;
pub mod service;
mod sys;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
pub mod value;
pub mod web;
