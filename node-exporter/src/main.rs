//! Exposes the machine it runs on.

mod collectors;
mod filter;
mod host;
mod proc;

fn main() {
    let _ = collectors::ALL;
}
