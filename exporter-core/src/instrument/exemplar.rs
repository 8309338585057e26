//! Exemplars as instruments store them.

use std::time::SystemTime;

use crate::exposition::value::Exemplar;

/// The last exemplar of a counter or a bucket.
#[derive(Debug)]
pub(super) struct StoredExemplar {
    labels: Vec<(String, String)>,
    value: f64,
    at: SystemTime,
}

impl StoredExemplar {
    pub(super) fn new(labels: &[(&str, &str)], value: f64) -> Self {
        let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
        Self { labels: labels.iter().map(owned).collect(), value, at: SystemTime::now() }
    }

    pub(super) fn labels(&self) -> Vec<(&str, &str)> {
        self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    pub(super) fn exemplar<'a>(&self, labels: &'a [(&'a str, &'a str)]) -> Exemplar<'a> {
        Exemplar { labels, value: self.value, at: Some(self.at) }
    }
}
