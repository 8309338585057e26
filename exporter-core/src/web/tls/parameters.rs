//! Protocol versions, cipher suites and curves.

use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::names::{HTTP2_SUITES, Known, TLS13_SUITES, Version, cipher_suite, curve, versions};
use super::section::fault;
use crate::config_file::Fault;
use crate::web::config::diagnostics::Diagnostics;
use crate::web::config::file::{Field, Tls};

/// The range of protocol versions.
pub(super) fn version_range(
    tls: &Tls,
    diagnostics: &mut Diagnostics,
) -> Result<(Version, Version), Fault> {
    let version = |key, field: &Field<String>, default| match field.text() {
        None => Ok(default),
        Some(name) => Version::named(name).ok_or_else(|| {
            fault(key, field.line(), format!("unknown TLS version: {name}; use TLS12 or TLS13"))
        }),
    };
    let min = version("min_version", &tls.min_version, Version::Tls12)?;
    let max = version("max_version", &tls.max_version, Version::Tls13)?;
    if max < Version::Tls12 {
        return Err(fault(
            "max_version",
            tls.max_version.line(),
            "leaves no usable version: TLS 1.2 and TLS 1.3 are supported; use TLS12 or TLS13",
        ));
    }
    if min > max {
        return Err(fault(
            "min_version",
            tls.min_version.line().or(tls.max_version.line()),
            "min_version is above max_version: no client could connect; swap them or leave one out",
        ));
    }
    if min < Version::Tls12 {
        diagnostics.warning(
            "min_version",
            "TLS 1.0 and 1.1 are not supported; TLS 1.2 is the oldest version",
        );
    }
    Ok((min, max))
}

/// The cryptography with the configured suites and curves.
pub(super) fn provider(
    tls: &Tls,
    http2: bool,
    min: Version,
    max: Version,
    diagnostics: &mut Diagnostics,
) -> Result<CryptoProvider, Fault> {
    let mut provider = aws_lc_rs::default_provider();
    let has_version = |version: Version| {
        move |suite: &rustls::SupportedCipherSuite| suite.version().version == version.number()
    };

    let field = &tls.cipher_suites;
    let names = field.value().map(Vec::as_slice).unwrap_or_default();
    if !names.is_empty() {
        let mut suites =
            usable("cipher_suites", "cipher", field, names, cipher_suite, diagnostics)?;
        let has_required = names.iter().any(|name| HTTP2_SUITES.contains(&name.as_str()));
        if http2 && min < Version::Tls13 && !has_required {
            return Err(fault(
                "cipher_suites",
                field.line(),
                format!(
                    "http2: the list is missing an HTTP/2-required AES_128_GCM_SHA256 cipher (need \
                     at least one of {}); add one or set http2 to false",
                    HTTP2_SUITES.join(" or ")
                ),
            ));
        }
        // Go's list does not apply to TLS 1.3.
        if !suites.iter().any(has_version(Version::Tls13)) {
            suites.extend(TLS13_SUITES);
        }
        provider.cipher_suites = suites;
    }
    let suites = &mut provider.cipher_suites;
    suites.retain(|suite| {
        versions(min, max).iter().any(|version| version.version == suite.version().version)
    });
    if suites.is_empty() {
        return Err(fault(
            "cipher_suites",
            field.line(),
            "no usable cipher: none of the list is of the versions that min_version and \
             max_version leave",
        ));
    }
    if min < Version::Tls13 && !suites.iter().any(has_version(Version::Tls12)) {
        diagnostics.warning("cipher_suites", "none is of TLS 1.2, so only TLS 1.3 is supported");
    }

    let field = &tls.curve_preferences;
    let names = field.value().map(Vec::as_slice).unwrap_or_default();
    if !names.is_empty() {
        provider.kx_groups =
            usable("curve_preferences", "curve", field, names, curve, diagnostics)?;
    }
    let groups = &provider.kx_groups;
    if !groups.iter().any(|group| group.usable_for_version(max.number())) {
        return Err(fault(
            "curve_preferences",
            field.line(),
            "no usable curve: none of the list is of the versions that min_version and max_version \
             leave",
        ));
    }
    Ok(provider)
}

/// The values of a list of names. An unknown name is an error, an unsupported one is ignored.
fn usable<T>(
    key: &str,
    kind: &str,
    field: &Field<Vec<String>>,
    names: &[String],
    known: impl Fn(&str) -> Option<Known<T>>,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<T>, Fault> {
    let mut usable = Vec::new();
    for name in names {
        match known(name) {
            Some(Known::Usable(value)) => usable.push(value),
            Some(Known::Unsupported) => {
                diagnostics.warning(key, format!("{name} is not supported here and is left out"));
            }
            None => return Err(fault(key, field.line(), format!("unknown {kind}: {name}"))),
        }
    }
    if usable.is_empty() {
        let names = names.join(", ");
        let problem = format!("no usable {kind}: {names} is all that is listed; list another");
        return Err(fault(key, field.line(), problem));
    }
    Ok(usable)
}
