//! Random input for packets of a server and for configuration files. `PROPTEST_CASES=100000 cargo
//! test --release -p mysql-exporter fuzz` tries more.
//!
//! The corpus in `tests/corpus` is tried first, then mutations of it: the packets of whole
//! connections to MariaDB 10.11 and MySQL 9.7, and option files. No input may cause a panic, and a call
//! must return when its connection ends.

use std::path::Path;
use std::time::Duration;

use exporter_core::config_file::Secret;
use exporter_core::testing::{corpus, fuzz};

use crate::client;
use crate::config::{Config, Defaults, Login, Password, PublicKey, Tls};
use crate::queries::Queries;
use crate::targets::Targets;

#[test]
fn fuzz_packets_of_a_server() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let login = Login {
        user: "e".into(),
        password: Password::Text(Secret::new("p")),
        address: "localhost:3306".parse().unwrap(),
        tls: Tls::Off,
        allow_cleartext: false,
        public_key: PublicKey::Trusted,
    };
    fuzz(corpus(env!("CARGO_MANIFEST_DIR"), "packets"), |bytes| {
        runtime.block_on(async {
            let transport =
                tokio::io::join(std::io::Cursor::new(bytes.to_vec()), tokio::io::sink());
            let Ok(mut connection) = client::log_in_over(Box::new(transport), &login).await else {
                return;
            };
            loop {
                let result = connection.query("SELECT 1").await;
                if result.is_err_and(|error| error.is_fatal()) {
                    return;
                }
            }
        });
    });
}

#[test]
fn fuzz_the_option_file() {
    let defaults = Defaults {
        address: "localhost:3306".parse().unwrap(),
        user: None,
        password: None,
        skip_verification: false,
    };
    fuzz(corpus(env!("CARGO_MANIFEST_DIR"), "options"), |bytes| {
        match Config::parse(bytes, Path::new("my.cnf"), &defaults) {
            Ok(config) => assert!(config.first_login().is_some()),
            Err(error) => {
                let error = error.to_string();
                assert!(error.contains("my.cnf"), "{error}");
                assert!(!error.contains("sesame"), "{error}");
            }
        }
    });
}

#[test]
fn fuzz_queries_and_targets() {
    let defaults = Defaults {
        address: "localhost:3306".parse().unwrap(),
        user: Some("u".into()),
        password: None,
        skip_verification: false,
    };
    let config = Config::parse(b"", Path::new("my.cnf"), &defaults).unwrap();
    fuzz(corpus(env!("CARGO_MANIFEST_DIR"), "files"), |bytes| {
        if let Err(fault) = Queries::parse(bytes, Duration::from_secs(5)) {
            assert!(!fault.problem.is_empty());
        }
        if let Ok(targets) = Targets::parse(bytes, &config) {
            assert!(targets.discovery(&config).starts_with('['));
        }
    });
}
