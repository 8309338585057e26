//! Has the linker put the functions that run side by side, in programs for packages: pages of code
//! that never run are then not in memory. See `bench/link-order`, which writes the list.

use std::env;
use std::path::Path;

fn main() {
    const ORDER: &str = "link-order.ld";
    println!("cargo::rerun-if-changed={ORDER}");
    // Cargo does not name the profile, but keeps each in a folder of its name.
    let output = env::var("OUT_DIR").unwrap_or_default();
    let is_dist = Path::new(&output).components().any(|part| part.as_os_str() == "dist");
    let is_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    if let Ok(folder) = env::var("CARGO_MANIFEST_DIR")
        && is_dist
        && is_linux
    {
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{folder}/{ORDER}");
    }
}
