//! Protections that a reload must not remove: only a restart may weaken access control.
//!
//! A truncated file is often valid, for example if the last section is missing. The file does not
//! show whether that was intended.

use super::web_config::WebConfig;
use crate::config_file::Fault;
use crate::web::tls::verify::Verifier;

/// Rejects `after` if it lacks a protection of `before`.
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

/// A protection against clients.
struct Protection {
    key: &'static str,
    /// The effect of its removal.
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
        is_in: |config| verifier(config).is_some_and(|verifier| verifier.policy.is_required),
    },
    Protection {
        key: "tls_server_config.client_auth_type",
        loss: "certificates of clients would no longer be verified",
        is_in: |config| verifier(config).is_some_and(|verifier| verifier.policy.is_verified),
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
