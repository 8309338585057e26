//! `GetResources` of the tagging API: resources by type and tags, 100 per page.

use serde::{Deserialize, Serialize};

use crate::api_error::ApiError;
use crate::model::{Caller, Model, Resource};
use crate::token;

/// The request as received.
#[derive(Clone, Debug, Default, Deserialize, Hash, Serialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GetResources {
    pub pagination_token: Option<String>,
    pub tag_filters: Vec<TagFilter>,
    pub resource_type_filters: Vec<String>,
    pub resources_per_page: Option<usize>,
}

/// A required tag, with one of these values, or any value if there are none.
#[derive(Clone, Debug, Default, Deserialize, Hash, Serialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TagFilter {
    pub key: String,
    pub values: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Page<'a> {
    pagination_token: String,
    resource_tag_mapping_list: Vec<Mapping<'a>>,
}

#[derive(Serialize)]
struct Mapping<'a> {
    #[serde(rename = "ResourceARN")]
    arn: &'a str,
    #[serde(rename = "Tags")]
    tags: Vec<Tag<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag<'a> {
    key: &'a str,
    value: &'a str,
}

impl GetResources {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(body)
            .map_err(|error| ApiError::sender("SerializationException", error.to_string()))
    }

    pub(crate) fn respond(&self, model: &Model, caller: &Caller) -> Result<Vec<u8>, ApiError> {
        let error = |message| ApiError::sender("InvalidParameterException", message);
        let max = model.limits.resource_page.clamp(1, 100);
        let max = match self.resources_per_page {
            None => max,
            Some(count @ 1..=100) => count.min(max),
            Some(_) => return Err(error("ResourcesPerPage is from 1 to 100")),
        };
        if self.tag_filters.len() > 50
            || self.tag_filters.iter().any(|filter| filter.values.len() > 20)
        {
            return Err(error("at most 50 TagFilters of 20 values each"));
        }
        let tag = token::tag(&(&self.tag_filters, &self.resource_type_filters));
        let skipped = match self.pagination_token.as_deref() {
            None | Some("") => 0,
            Some(token) => token::read(token, tag)
                .ok()
                .and_then(|(position, _)| usize::try_from(position).ok())
                .ok_or_else(|| {
                    ApiError::sender(
                        "PaginationTokenExpiredException",
                        "the token is not of this request",
                    )
                })?,
        };
        let mut matching =
            model.resources.iter().filter(|resource| self.matches(resource, caller)).skip(skipped);
        let mappings: Vec<Mapping<'_>> = matching.by_ref().take(max).map(Mapping::of).collect();
        let position = i64::try_from(skipped + mappings.len()).unwrap_or(i64::MAX);
        // The last page has an empty token.
        let next = matching.next().map_or_else(String::new, |_| token::write(tag, position, 0));
        serde_json::to_vec(&Page { pagination_token: next, resource_tag_mapping_list: mappings })
            .map_err(|error| ApiError::sender("InternalServiceException", error.to_string()))
    }

    fn matches(&self, resource: &Resource, caller: &Caller) -> bool {
        let mut parts = resource.arn.split(':').skip(3);
        let mut matches_part =
            |expected: &str| parts.next().is_none_or(|part| part.is_empty() || part == expected);
        if !matches_part(&caller.region) || !matches_part(&caller.account) {
            return false;
        }
        let tagged = self.tag_filters.iter().all(|filter| {
            resource.tags.iter().any(|(key, value)| {
                *key == filter.key && (filter.values.is_empty() || filter.values.contains(value))
            })
        });
        let types = &self.resource_type_filters;
        tagged
            && (types.is_empty() || types.iter().any(|filter| matches_type(&resource.arn, filter)))
    }
}

impl<'a> Mapping<'a> {
    fn of(resource: &'a Resource) -> Self {
        let tags = resource.tags.iter().map(|(key, value)| Tag { key, value }).collect();
        Self { arn: &resource.arn, tags }
    }
}

/// Whether an ARN matches a resource type filter: `service` or `service:type`. An empty type matches all types.
fn matches_type(arn: &str, filter: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next().unwrap_or_default(), parts.nth(2).unwrap_or_default());
    let (wanted_service, wanted_type) = filter.split_once(':').unwrap_or((filter, ""));
    let rest = resource.trim_start_matches('/').strip_prefix(wanted_type);
    service == wanted_service
        && (wanted_type.is_empty()
            || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_match_resource_types() {
        let instance = "arn:aws:ec2:eu-west-1:123456789012:instance/i-1";
        let balancer =
            "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/my/123";
        for (arn, filter, expected) in [
            (instance, "ec2", true),
            (instance, "ec2:instance", true),
            (instance, "ec2:inst", false),
            (instance, "ec2:volume", false),
            (instance, "rds:instance", false),
            (balancer, "elasticloadbalancing:loadbalancer", true),
            (balancer, "elasticloadbalancing:loadbalancer/app", true),
            (balancer, "elasticloadbalancing:loadbalancer/net", false),
            ("arn:aws:s3:::bucket", "s3:", true),
            ("arn:aws:apigateway:eu-west-1::/restapis/abc", "apigateway:restapis", true),
            ("arn:aws:rds:eu-west-1:123456789012:db:mine", "rds:db", true),
            ("", "s3", false),
        ] {
            assert_eq!(matches_type(arn, filter), expected, "{arn} {filter}");
        }
    }
}
