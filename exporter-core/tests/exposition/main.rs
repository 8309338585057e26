//! Pages with all there is on them, in every format, read by others.

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
