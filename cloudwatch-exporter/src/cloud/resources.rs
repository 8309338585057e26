//! `GetResources` of the tagging API: the resources of certain types that have certain tags.

use std::collections::BTreeMap;

use aws_sdk_resourcegroupstagging::types::{ResourceTagMapping, TagFilter};

use super::pages::Pages;
use super::{Cloud, Failure};
use crate::allowance::Allowance;
use crate::results::Resource;
use crate::rule::{Rule, Tags};
use crate::usage;

const ACTION: &str = "getResources";

/// The parameters of a list of resources. Rules with equal parameters share the list.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ResourceFilters {
    resource_types: Vec<String>,
    tags: Option<BTreeMap<String, Vec<String>>>,
}

impl ResourceFilters {
    /// `None` if nothing has to be requested.
    pub(crate) fn of(rule: &Rule) -> Option<Self> {
        if let Some(Tags { resource_type, selections, .. }) = &rule.tags {
            let resource_types = vec![resource_type.clone()];
            return Some(Self { resource_types, tags: selections.clone() });
        }
        let discovery = rule.discovery.as_ref().filter(|_| rule.has_resources())?;
        let types = discovery.service.resource_types.iter();
        Some(Self {
            resource_types: types.map(|name| (*name).to_owned()).collect(),
            tags: Some(discovery.tags.clone()),
        })
    }
}

impl Cloud {
    /// The resources by ARN, without duplicates.
    pub(crate) async fn resources(
        &self,
        filters: &ResourceFilters,
        allowance: &Allowance,
    ) -> Result<Vec<Resource>, Failure> {
        let ResourceFilters { resource_types, tags } = filters;
        let scope = &resource_types.join(",");
        let filter = |(key, values): (&String, &Vec<String>)| {
            TagFilter::builder().key(key).set_values(Some(values.clone())).build()
        };
        let tag_filters = tags.as_ref().map(|tags| tags.iter().map(filter).collect::<Vec<_>>());
        let mut resources = Vec::new();
        let mut pages = Pages::new(ACTION, scope);
        loop {
            pages.take(allowance).inspect_err(|failure| self.failed(failure))?;
            let request = self
                .tagging
                .get_resources()
                .set_resource_type_filters(Some(resource_types.clone()))
                .set_tag_filters(tag_filters.clone())
                .set_pagination_token(pages.token());
            let page = {
                let _permit = self.permit().await;
                let attempts = self.attempts(ACTION, &usage::TAGGING_REQUESTS, scope);
                request.customize().interceptor(attempts).send().await
            };
            let page = page.map_err(|error| self.failure(ACTION, scope, &error))?;
            let mappings = page.resource_tag_mapping_list.unwrap_or_default();
            let arns = mappings.iter().map(ResourceTagMapping::resource_arn);
            let has_more = pages
                .record(arns, page.pagination_token)
                .inspect_err(|failure| self.failed(failure))?;
            resources.extend(mappings.into_iter().filter_map(resource));
            if !has_more {
                break;
            }
        }
        resources.sort_by(|a: &Resource, b| a.arn.cmp(&b.arn));
        resources.dedup_by(|a, b| a.arn == b.arn);
        Ok(resources)
    }
}

fn resource(mapping: ResourceTagMapping) -> Option<Resource> {
    let tags = mapping.tags.unwrap_or_default().into_iter();
    Some(Resource {
        arn: mapping.resource_arn?,
        tags: tags.map(|tag| (tag.key, tag.value)).collect(),
    })
}
