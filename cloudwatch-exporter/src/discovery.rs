//! `discover`: the resources of a service, found by their tags, and their metrics.

use std::collections::BTreeMap;

use crate::results::{Resource, Set};
use crate::services::{Arns, Association, ResourceId, Resources, Service};

/// What the rules of one entry of `discover` share.
#[derive(Debug)]
pub(crate) struct Discovery {
    pub(crate) service: &'static Service,
    arns: Arns,
    /// Values of tags that resources must have one of; none is any value.
    pub(crate) tags: BTreeMap<String, Vec<String>>,
    /// Whether metrics are wanted that belong to no resource with these tags.
    is_untagged: bool,
}

impl Discovery {
    pub(crate) fn new(
        service: &'static Service,
        tags: BTreeMap<String, Vec<String>>,
        is_untagged: bool,
    ) -> Self {
        Self { service, arns: Arns::of(service), tags, is_untagged }
    }

    /// The sets that are wanted, and the place of each one's resource.
    pub(crate) fn select<'a>(
        &self,
        sets: impl Iterator<Item = &'a Set>,
        resources: &[Resource],
    ) -> (Vec<Set>, Vec<Option<u32>>) {
        let arns = resources.iter().map(|resource| resource.arn.as_str());
        let known = Resources::new(self.service, &self.arns, arns);
        sets.filter_map(|set| match known.of(set.pairs()) {
            Association::Resource(at) => Some((set.clone(), Some(at))),
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
