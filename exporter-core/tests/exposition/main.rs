//! Pages with all kinds of families, in every format, read by other programs.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod decoded;
mod page;
mod peers;
mod prometheus;
mod reading;
