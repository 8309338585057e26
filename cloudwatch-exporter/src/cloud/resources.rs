//! `GetResources` of the tagging service: the resources of a type that have certain tags.

use std::collections::BTreeMap;

use aws_sdk_resourcegroupstagging::types::{ResourceTagMapping, TagFilter};

use super::pages::Pages;
use super::{Cloud, Failure};
use crate::results::Resource;
use crate::rule::Tags;
use crate::usage;

const ACTION: &str = "getResources";

/// What resources were asked for with: rules with equal ones share them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Selection {
    resource_type: String,
    tags: Option<BTreeMap<String, Vec<String>>>,
}

impl Selection {
    pub(crate) fn of(tags: &Tags) -> Self {
        Self { resource_type: tags.resource_type.clone(), tags: tags.selections.clone() }
    }
}

impl Cloud {
    /// Each resource once, by its ARN.
    pub(crate) async fn resources(&self, selection: &Selection) -> Result<Vec<Resource>, Failure> {
        let Selection { resource_type, tags } = selection;
        let filter = |(key, values): (&String, &Vec<String>)| {
            TagFilter::builder().key(key).set_values(Some(values.clone())).build()
        };
        let filters = tags.as_ref().map(|tags| tags.iter().map(filter).collect::<Vec<_>>());
        let mut resources = Vec::new();
        let mut pages = Pages::new(ACTION, resource_type);
        loop {
            let request = self
                .tagging
                .get_resources()
                .resource_type_filters(resource_type)
                .set_tag_filters(filters.clone())
                .set_pagination_token(pages.token());
            let page = {
                let _permit = self.permit().await;
                let attempts = self.attempts(ACTION, &usage::TAGGING_REQUESTS, resource_type);
                request.customize().interceptor(attempts).send().await
            };
            let page = page.map_err(|error| self.failure(ACTION, resource_type, &error))?;
            let mappings = page.resource_tag_mapping_list.unwrap_or_default();
            let arns = mappings.iter().map(ResourceTagMapping::resource_arn);
            let has_more = pages
                .next(arns, page.pagination_token)
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
