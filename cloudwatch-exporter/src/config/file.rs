//! The keys of the configuration file, and the types of their values.

use std::collections::BTreeMap;

use exporter_core::config_file::Fault;
use exporter_core::config_file::yaml::{self, DuplicateKeyPolicy};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use super::keys::{Strictness, Warning, mapping, take_unknown};

/// The value of a key, with its line. A key without a value counts as missing.
pub(super) type Given<T> = Option<Spanned<T>>;

mapping! {
    #[derive(Debug, Default)]
    pub(super) struct File {
        pub(super) region: Given<String>,
        pub(super) role_arn: Given<String>,
        pub(super) naming: Given<String>,
        pub(super) stream: Given<GivenStream>,
        pub(super) metrics: Option<Vec<Spanned<Metric>>>,
        pub(super) accounts: Option<Vec<Spanned<GivenAccount>>>,
        pub(super) discover: Option<Vec<Spanned<Discover>>>,
        pub(super) labels: Given<BTreeMap<String, String>>,
        pub(super) budget_dollars: Given<f64>,
        pub(super) fips_endpoints: Given<bool>,
        pub(super) dual_stack_endpoints: Given<bool>,
        pub(super) period_seconds: Given<WholeNumber>,
        pub(super) range_seconds: Given<WholeNumber>,
        pub(super) delay_seconds: Given<WholeNumber>,
        pub(super) set_timestamp: Given<bool>,
        pub(super) use_get_metric_data: Given<bool>,
        pub(super) list_metrics_cache_ttl: Given<WholeNumber>,
        pub(super) warn_on_empty_list_dimensions: Given<bool>,
        pub(super) nil_to_zero: Given<bool>,
        pub(super) from_stream: Given<bool>,
    }
}

mapping! {
    #[derive(Debug, Default)]
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
        pub(super) name: Given<String>,
        pub(super) accounts: Given<Vec<String>>,
        pub(super) period_seconds: Given<WholeNumber>,
        pub(super) range_seconds: Given<WholeNumber>,
        pub(super) delay_seconds: Given<WholeNumber>,
        pub(super) set_timestamp: Given<bool>,
        pub(super) use_get_metric_data: Given<bool>,
        pub(super) list_metrics_cache_ttl: Given<WholeNumber>,
        pub(super) warn_on_empty_list_dimensions: Given<bool>,
        pub(super) nil_to_zero: Given<bool>,
        pub(super) from_stream: Given<bool>,
    }
}

mapping! {
    #[derive(Debug, Default)]
    pub(super) struct TagSelect {
        pub(super) tag_selections: Option<BTreeMap<String, Vec<String>>>,
        pub(super) resource_type_selection: Option<String>,
        pub(super) resource_id_dimension: Option<String>,
        pub(super) arn_resource_id_regexp: Option<String>,
    }
}

mapping! {
    #[derive(Debug, Default)]
    pub(super) struct GivenAccount {
        pub(super) name: Given<String>,
        pub(super) account_id: Given<String>,
        pub(super) role_arn: Given<String>,
        pub(super) external_id: Given<String>,
        pub(super) linked: Given<bool>,
        pub(super) regions: Given<Vec<String>>,
    }
}

mapping! {
    #[derive(Debug, Default)]
    pub(super) struct GivenStream {
        pub(super) listen_address: Given<String>,
        pub(super) access_key_file: Given<String>,
        pub(super) web_config_file: Given<String>,
    }
}

mapping! {
    #[derive(Debug, Default)]
    pub(super) struct Discover {
        pub(super) aws_namespace: Given<String>,
        pub(super) accounts: Given<Vec<String>>,
        pub(super) tags: Given<BTreeMap<String, Vec<String>>>,
        pub(super) name: Given<String>,
        pub(super) tags_regex: Given<BTreeMap<String, Vec<String>>>,
        pub(super) dimensions: Given<Vec<String>>,
        pub(super) untagged: Given<bool>,
        pub(super) copy_tags: Given<Vec<String>>,
        pub(super) metrics: Given<BTreeMap<String, Vec<String>>>,
        pub(super) period_seconds: Given<WholeNumber>,
        pub(super) range_seconds: Given<WholeNumber>,
        pub(super) delay_seconds: Given<WholeNumber>,
        pub(super) set_timestamp: Given<bool>,
        pub(super) use_get_metric_data: Given<bool>,
        pub(super) list_metrics_cache_ttl: Given<WholeNumber>,
        pub(super) warn_on_empty_list_dimensions: Given<bool>,
        pub(super) nil_to_zero: Given<bool>,
        pub(super) from_stream: Given<bool>,
    }
}

/// A whole number, which may be written `60.0`.
#[derive(Clone, Copy, Debug)]
pub(super) struct WholeNumber(pub(super) i64);

impl<'de> Deserialize<'de> for WholeNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if number.fract() != 0.0 || number.abs() > 9e15 {
            return Err(serde::de::Error::custom("expected a whole number"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
        let whole = number as i64;
        Ok(Self(whole))
    }
}

/// The keys that can be set for one metric, or in the file for all metrics.
#[derive(Debug)]
pub(super) struct SharedKeys<'a> {
    pub(super) period_seconds: &'a Given<WholeNumber>,
    pub(super) range_seconds: &'a Given<WholeNumber>,
    pub(super) delay_seconds: &'a Given<WholeNumber>,
    pub(super) set_timestamp: &'a Given<bool>,
    pub(super) use_get_metric_data: &'a Given<bool>,
    pub(super) list_metrics_cache_ttl: &'a Given<WholeNumber>,
    pub(super) warn_on_empty_list_dimensions: &'a Given<bool>,
    pub(super) nil_to_zero: &'a Given<bool>,
    pub(super) from_stream: &'a Given<bool>,
}

macro_rules! shared_keys {
    ($($name:ident),*) => {
        $(impl $name {
            pub(super) fn shared_keys(&self) -> SharedKeys<'_> {
                SharedKeys {
                    period_seconds: &self.period_seconds,
                    range_seconds: &self.range_seconds,
                    delay_seconds: &self.delay_seconds,
                    set_timestamp: &self.set_timestamp,
                    use_get_metric_data: &self.use_get_metric_data,
                    list_metrics_cache_ttl: &self.list_metrics_cache_ttl,
                    warn_on_empty_list_dimensions: &self.warn_on_empty_list_dimensions,
                    nil_to_zero: &self.nil_to_zero,
                    from_stream: &self.from_stream,
                }
            }
        })*
    };
}
shared_keys!(File, Metric, Discover);

/// The value of a key; an error if it is blank.
pub(super) fn not_empty(given: Given<String>, key: &'static str) -> Result<Option<String>, Fault> {
    match given {
        Some(given) if given.value.trim().is_empty() => {
            Err(Fault::at(&given, key, "is empty; give it a value or leave it out"))
        }
        given => Ok(given.map(|given| given.value)),
    }
}

/// Parses the file. Also returns warnings about ignored keys.
pub(super) fn parse(text: &[u8], strictness: Strictness) -> Result<(File, Vec<Warning>), Fault> {
    take_unknown();
    let mut warnings = Vec::new();
    let mut parsed = yaml::parse::<File>(text);
    if let (Strictness::Warn, Err(_)) = (strictness, &parsed) {
        take_unknown();
        let lenient = yaml::parse_with(text, DuplicateKeyPolicy::LastWins);
        if let (Ok(_), Err(Fault { line, problem, .. })) = (&lenient, parsed) {
            warnings.push(Warning { line, problem: format!("{problem}; the last one is used") });
        }
        parsed = lenient;
    }
    let unknown = take_unknown();
    let file = parsed?;
    match (strictness, unknown.into_iter()) {
        (Strictness::Refuse, mut unknown) => match unknown.next() {
            Some(Warning { line, problem }) => Err(Fault::without_key(line, problem)),
            None => Ok((file, warnings)),
        },
        (Strictness::Warn, unknown) => {
            warnings.extend(unknown);
            Ok((file, warnings))
        }
    }
}
