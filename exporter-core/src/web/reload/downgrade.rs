//! What a reload may not take away: access is weakened by a restart only.
//!
//! Half of a file is a valid file often enough: one that was cut off before its last section, or
//! before its first line. The file does not tell whether somebody meant it.

use super::web_config::WebConfig;
use crate::web::config::file::Fault;
use crate::web::tls::verify::Verifier;

/// Refuses `after` if it lacks a protection that `before` has.
pub(crate) fn check(before: &WebConfig, after: &WebConfig) -> Result<(), Fault> {
    let lost = PROTECTIONS.iter().find(|protection| {
        let is_in = protection.is_in;
        is_in(before) && !is_in(after)
    });
    lost.map_or(Ok(()), |Protection { key, loss, .. }| {
        let problem = format!("{loss}, which takes a restart: a reload weakens no access");
        Err(Fault::new(*key, None, problem))
    })
}

/// What keeps clients out.
struct Protection {
    key: &'static str,
    /// What is so without it.
    loss: &'static str,
    is_in: fn(&WebConfig) -> bool,
}

const PROTECTIONS: [Protection; 6] = [
    Protection {
        key: "tls_server_config",
        loss: "TLS would be switched off",
        is_in: |config| config.tls.is_some(),
    },
    Protection {
        key: "tls_server_config.client_auth_type",
        loss: "clients would no longer need a certificate",
        is_in: |config| verifier(config).is_some_and(|verifier| verifier.policy.required),
    },
    Protection {
        key: "tls_server_config.client_auth_type",
        loss: "certificates of clients would no longer be verified",
        is_in: |config| verifier(config).is_some_and(|verifier| verifier.policy.verified),
    },
    Protection {
        key: "tls_server_config.client_allowed_sans",
        loss: "clients of any name would be let in",
        is_in: |config| verifier(config).is_some_and(|verifier| verifier.allowed.is_some()),
    },
    Protection {
        key: "tls_server_config.client_crl_file",
        loss: "revoked certificates would be valid again",
        is_in: |config| {
            let authorities = verifier(config).and_then(|verifier| verifier.authorities.as_ref());
            authorities.is_some_and(|authorities| authorities.has_lists)
        },
    },
    Protection {
        key: "basic_auth_users",
        loss: "clients would no longer need a password",
        is_in: |config| config.users.is_some(),
    },
];

fn verifier(config: &WebConfig) -> Option<&Verifier> {
    config.verifier.as_deref()
}
