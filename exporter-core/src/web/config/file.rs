//! The keys of the web configuration file: those of the exporter-toolkit, and our own
//! `tls_server_config.client_crl_file`.
//!
//! This module checks only the syntax, unknown keys and duplicate keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use crate::config_file::yaml::{self, line_of};
use crate::config_file::{Fault, Secret};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Web {
    pub(crate) tls_server_config: Option<Tls>,
    pub(crate) http_server_config: Option<Http>,
    pub(crate) basic_auth_users: Option<BTreeMap<String, Spanned<Secret>>>,
    pub(crate) rate_limit: Option<Rate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tls {
    pub(crate) cert: Field<String>,
    pub(crate) key: Field<Secret>,
    pub(crate) client_ca: Field<String>,
    pub(crate) cert_file: Field<String>,
    pub(crate) key_file: Field<String>,
    pub(crate) client_auth_type: Field<String>,
    pub(crate) client_ca_file: Field<String>,
    pub(crate) client_crl_file: Field<String>,
    pub(crate) client_allowed_sans: Field<Vec<String>>,
    pub(crate) cipher_suites: Field<Vec<String>>,
    pub(crate) curve_preferences: Field<Vec<String>>,
    pub(crate) min_version: Field<String>,
    pub(crate) max_version: Field<String>,
    pub(crate) prefer_server_cipher_suites: Field<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Http {
    pub(crate) http2: Field<bool>,
    pub(crate) headers: Option<BTreeMap<String, Spanned<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Rate {
    pub(crate) interval: Field<String>,
    pub(crate) burst: Field<i64>,
}

/// The value of a key. A key without a value differs from a missing key.
#[derive(Debug, Default)]
pub(crate) enum Field<T> {
    #[default]
    Missing,
    Empty,
    Given(Spanned<T>),
}

impl<T> Field<T> {
    pub(crate) fn is_written(&self) -> bool {
        !matches!(self, Self::Missing)
    }

    pub(crate) fn value(&self) -> Option<&T> {
        match self {
            Self::Given(given) => Some(&given.value),
            Self::Missing | Self::Empty => None,
        }
    }

    pub(crate) fn line(&self) -> Option<u64> {
        match self {
            Self::Given(given) => line_of(given),
            Self::Missing | Self::Empty => None,
        }
    }
}

impl Field<String> {
    /// The value, unless it is empty.
    pub(crate) fn text(&self) -> Option<&str> {
        self.value().map(String::as_str).filter(|text| !text.is_empty())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Option::<Spanned<T>>::deserialize(deserializer)?;
        Ok(given.map_or(Self::Empty, Self::Given))
    }
}

/// Parses the file.
pub(crate) fn parse(text: &[u8]) -> Result<Web, Fault> {
    yaml::parse(text)
}

#[cfg(test)]
mod tests;
