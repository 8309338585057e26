//! `discover`: the resources of a service, found by their tags, and their metrics.

use std::collections::BTreeMap;

use regex::bytes::Regex;

use crate::results::{DimensionSet, Resource};
use crate::services::{Arns, Association, ResourceId, ResourceIndex, Service};

/// The part of an entry of `discover` that its rules share.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub(crate) service: &'static Service,
    arns: Arns,
    /// The allowed values by key of a tag. An empty list allows any value.
    pub(crate) tags: BTreeMap<String, Vec<String>>,
    /// Patterns by key of a tag, one of which its value must match. The exporter applies them, because
    /// AWS cannot filter by patterns.
    pub(crate) tag_patterns: BTreeMap<String, Vec<Regex>>,
    /// Whether metrics are included that do not belong to a resource with these tags.
    is_untagged: bool,
}

impl Discovery {
    pub(crate) fn new(
        service: &'static Service,
        mut tags: BTreeMap<String, Vec<String>>,
        tag_patterns: BTreeMap<String, Vec<Regex>>,
        is_untagged: bool,
    ) -> Self {
        for key in tag_patterns.keys() {
            tags.entry(key.clone()).or_default();
        }
        Self { service, arns: Arns::of(service), tags, tag_patterns, is_untagged }
    }

    /// Whether tags match the patterns.
    pub(crate) fn has_tags(&self, tags: &[(String, String)]) -> bool {
        self.tag_patterns.iter().all(|(key, patterns)| {
            tags.iter().any(|(name, value)| {
                name == key && patterns.iter().any(|pattern| pattern.is_match(value.as_bytes()))
            })
        })
    }

    /// The selected sets, with the index of the resource of each.
    pub(crate) fn select<'a>(
        &self,
        sets: impl Iterator<Item = &'a DimensionSet>,
        resources: &[Resource],
    ) -> (Vec<DimensionSet>, Vec<Option<u32>>) {
        let arns = resources.iter().map(|resource| resource.arn.as_str());
        let index = ResourceIndex::new(self.service, &self.arns, arns);
        sets.filter_map(|set| match index.find(set.pairs()) {
            Association::Resource(resource) => Some((set.clone(), Some(resource))),
            Association::Other | Association::None if self.is_untagged => Some((set.clone(), None)),
            Association::Other | Association::None => None,
        })
        .unzip()
    }

    /// The dimensions of a resource.
    pub(crate) fn dimensions(&self, arn: &str) -> Option<ResourceId> {
        self.arns.dimensions(arn)
    }
}
