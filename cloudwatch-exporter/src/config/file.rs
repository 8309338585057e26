//! The shape of the configuration file: its keys and the types of their values.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_saphyr::{Error, Spanned};

use super::Fault;

/// The value of a key, and where it is written. A key without a value is as good as none.
pub(super) type Given<T> = Option<Spanned<T>>;

#[derive(Debug)]
pub(super) struct File {
    pub(super) region: Given<String>,
    pub(super) role_arn: Given<String>,
    pub(super) metrics: Option<Vec<Spanned<Metric>>>,
    pub(super) shared: Shared,
}

#[derive(Debug)]
pub(super) struct Metric {
    pub(super) aws_namespace: Given<String>,
    pub(super) aws_metric_name: Given<String>,
    pub(super) aws_dimensions: Given<Vec<String>>,
    pub(super) aws_dimension_select: Given<BTreeMap<String, Vec<String>>>,
    pub(super) aws_dimension_select_regex: Given<BTreeMap<String, Vec<String>>>,
    pub(super) aws_tag_select: Given<TagSelect>,
    pub(super) aws_statistics: Given<Vec<String>>,
    pub(super) aws_extended_statistics: Given<Vec<String>>,
    pub(super) help: Given<String>,
    pub(super) shared: Shared,
}

/// The keys that a metric may have, and the file for all its metrics.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) period_seconds: Given<i64>,
    pub(super) range_seconds: Given<i64>,
    pub(super) delay_seconds: Given<i64>,
    pub(super) set_timestamp: Given<bool>,
    pub(super) use_get_metric_data: Given<bool>,
    pub(super) list_metrics_cache_ttl: Given<i64>,
    pub(super) warn_on_empty_list_dimensions: Given<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TagSelect {
    pub(super) tag_selections: Option<BTreeMap<String, Vec<String>>>,
    pub(super) resource_type_selection: Option<String>,
    pub(super) resource_id_dimension: Option<String>,
    pub(super) arn_resource_id_regexp: Option<String>,
}

/// A struct whose keys are its own and those of [`Shared`]: serde's `flatten` would neither refuse
/// unknown keys nor know of lines.
macro_rules! with_shared_keys {
    ($name:ident { $($key:ident: $type:ty,)* }) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(Default, Deserialize)]
                #[serde(default, deny_unknown_fields)]
                struct Keys {
                    $($key: $type,)*
                    period_seconds: Given<i64>,
                    range_seconds: Given<i64>,
                    delay_seconds: Given<i64>,
                    set_timestamp: Given<bool>,
                    use_get_metric_data: Given<bool>,
                    list_metrics_cache_ttl: Given<i64>,
                    warn_on_empty_list_dimensions: Given<bool>,
                }
                let keys = Keys::deserialize(deserializer)?;
                Ok(Self {
                    $($key: keys.$key,)*
                    shared: Shared {
                        period_seconds: keys.period_seconds,
                        range_seconds: keys.range_seconds,
                        delay_seconds: keys.delay_seconds,
                        set_timestamp: keys.set_timestamp,
                        use_get_metric_data: keys.use_get_metric_data,
                        list_metrics_cache_ttl: keys.list_metrics_cache_ttl,
                        warn_on_empty_list_dimensions: keys.warn_on_empty_list_dimensions,
                    },
                })
            }
        }
    };
}

with_shared_keys! { File {
    region: Given<String>,
    role_arn: Given<String>,
    metrics: Option<Vec<Spanned<Metric>>>,
} }

with_shared_keys! { Metric {
    aws_namespace: Given<String>,
    aws_metric_name: Given<String>,
    aws_dimensions: Given<Vec<String>>,
    aws_dimension_select: Given<BTreeMap<String, Vec<String>>>,
    aws_dimension_select_regex: Given<BTreeMap<String, Vec<String>>>,
    aws_tag_select: Given<TagSelect>,
    aws_statistics: Given<Vec<String>>,
    aws_extended_statistics: Given<Vec<String>>,
    help: Given<String>,
} }

pub(super) fn line_of<T>(value: &Spanned<T>) -> Option<u64> {
    Some(value.referenced.line()).filter(|line| *line > 0)
}

/// The file's text as keys and values.
pub(super) fn parse(text: &[u8]) -> Result<File, Fault> {
    let text = std::str::from_utf8(text).map_err(|error| {
        let before = text.iter().take(error.valid_up_to());
        let line = before.filter(|byte| **byte == b'\n').count() as u64 + 1;
        Fault { line: Some(line), key: None, problem: "not valid YAML: it is not UTF-8".into() }
    })?;
    let lines = text.lines().map(|line| line.trim_start_matches('\u{feff}').trim());
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let text = if lines.all(|line| line == "---") { "{}" } else { text };
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| fault(&error))
}

fn fault(error: &Error) -> Fault {
    let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
    let problem = match error.without_snippet() {
        Error::SerdeUnknownField { field, expected, .. } => {
            format!("unknown key {field:?}; known here: {}", expected.join(", "))
        }
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key {key:?} is given twice; keep one of them")
        }
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            format!("expected {expected}, found {unexpected}")
        }
        Error::InvalidScalar { ty, .. } => format!("expected a value of type {ty}"),
        Error::Unexpected { expected, .. } => format!("expected {expected}"),
        Error::MultipleDocuments { .. } => "a second document begins here; remove it".into(),
        error => {
            let text = error.to_string();
            let text = text.lines().next().unwrap_or_default();
            format!("not valid YAML: {}", text.trim_start_matches("error: "))
        }
    };
    Fault { line, key: None, problem }
}
