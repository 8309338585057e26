//! Exposes the machine it runs on.

mod collectors;
mod filter;
mod host;
mod netlink;
mod system;

fn main() {
    let _ = collectors::ALL;
}
