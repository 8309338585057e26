//! The keys of the file, and the types of their values.

use exporter_core::config_file::Spanned;
use serde::Deserialize;

/// The value of a key, with its line.
pub(super) type Given<T> = Option<Spanned<T>>;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    pub(super) queries: Vec<Spanned<GivenQuery>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GivenQuery {
    pub(super) name: Given<String>,
    pub(super) statement: Given<String>,
    pub(super) labels: Vec<Spanned<String>>,
    pub(super) values: Vec<Spanned<GivenValue>>,
    pub(super) databases: Given<GivenDatabases>,
    pub(super) servers: Vec<Spanned<String>>,
    pub(super) interval: Given<String>,
    pub(super) timeout: Given<String>,
    pub(super) max_series: Given<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GivenValue {
    pub(super) column: Given<String>,
    pub(super) metric: Given<String>,
    #[serde(rename = "type")]
    pub(super) kind: Given<String>,
    pub(super) help: Given<String>,
    pub(super) unit: Given<String>,
}

/// The keyword `all`, or a list of names.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum GivenDatabases {
    Names(Vec<String>),
    Keyword(String),
}
