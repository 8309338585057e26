//! Exposes the machine it runs on.

mod collectors;
mod filter;
mod host;

fn main() {
    let _ = collectors::ALL;
}
