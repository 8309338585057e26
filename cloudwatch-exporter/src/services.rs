//! AWS services: the resources that a namespace measures, and the dimensions in their ARNs.

mod table;

use std::collections::HashMap;

use regex::Regex;

/// One namespace.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) namespace: &'static str,
    /// The short name, which other exporters also use.
    pub(crate) short_name: &'static str,
    /// Resource types of the tagging API; empty if it does not support the service.
    pub(crate) resource_types: &'static [&'static str],
    /// Patterns of ARNs, with dimensions in braces: see [`Arns`].
    pub(crate) arns: &'static [&'static str],
    /// The default metrics.
    pub(crate) metrics: &'static [DefaultMetric],
}

#[derive(Debug)]
pub(crate) struct DefaultMetric {
    pub(crate) name: &'static str,
    pub(crate) statistic: &'static str,
    pub(crate) unit: &'static str,
}

/// Namespaces that are not in the table.
pub(crate) static OTHER: Service =
    Service { namespace: "", short_name: "", resource_types: &[], arns: &[], metrics: &[] };

/// The service with this namespace or short name.
pub(crate) fn find(name: &str) -> Option<&'static Service> {
    let mut services = table::ALL.iter();
    services.find(|service| service.namespace == name || service.short_name == name)
}

/// The known namespaces.
pub(crate) fn namespaces() -> Vec<&'static str> {
    table::ALL.iter().map(|service| service.namespace).collect()
}

/// The expected unit of a metric, for use before any datapoint is fetched.
pub(crate) fn unit(namespace: &str, metric: &str) -> Option<&'static str> {
    let metrics = find(namespace)?.metrics.iter();
    metrics.clone().find(|known| known.name == metric).map(|known| known.unit)
}

/// The compiled ARN patterns of a service.
///
/// In a pattern, `{Name}` is the value of the dimension `Name`, without `/` and `:`. Variants are
/// `{Name/}`, which may contain `/`; `{Name+}`, the rest of the ARN; `{Name:text+}`, the rest of the
/// ARN, which begins with `text`; and `{Name=}`, the whole ARN. `*` is a part that is not a dimension,
/// and `$` is the end. A pattern that consists of `{Name}` is the rest of the ARN after the account.
#[derive(Debug)]
pub(crate) struct Arns(Vec<Arn>);

#[derive(Debug)]
struct Arn {
    pattern: Regex,
    dimensions: Vec<String>,
}

/// The dimensions of a resource with their values, in the order of the names.
pub(crate) type ResourceId = Vec<(String, String)>;

impl Service {
    /// An ARN of a resource with this ID, made from the first pattern.
    pub(crate) fn example_arn(&self, region: &str, account: &str, id: &str) -> Option<String> {
        let pattern = self.arns.first()?;
        let service = self.resource_types.first()?.split(':').next()?;
        // ARNs of buckets have neither region nor account.
        let location = if service == "s3" { ":".to_owned() } else { format!("{region}:{account}") };
        let mut resource = String::new();
        let mut rest = *pattern;
        while let Some((before, after)) = rest.split_once('{') {
            resource.push_str(&before.replace('*', id));
            let (name, after) = after.split_once('}')?;
            let prefix =
                name.split_once(':').map_or("", |(_, prefix)| prefix.trim_end_matches('+'));
            resource.push_str(prefix);
            resource.push_str(id);
            rest = after;
        }
        resource.push_str(&rest.replace('*', id).replace('$', ""));
        let resource = resource.trim_start_matches(':');
        Some(format!("arn:aws:{service}:{location}:{resource}"))
    }
}

impl Arns {
    pub(crate) fn of(service: &Service) -> Self {
        Self(service.arns.iter().filter_map(|text| Arn::new(text)).collect())
    }

    /// The dimensions of the most specific pattern that an ARN matches.
    pub(crate) fn dimensions(&self, arn: &str) -> Option<ResourceId> {
        let found = self.0.iter().filter_map(|known| known.dimensions(arn));
        // `max_by_key` returns the last of equal elements, which is the first after `rev`.
        found.rev().max_by_key(Vec::len)
    }
}

impl Arn {
    /// `None` for an invalid pattern. A test checks that the table has none.
    fn new(text: &str) -> Option<Self> {
        let mut pattern = String::new();
        let mut dimensions = Vec::new();
        let is_whole =
            text.starts_with('{') && text.ends_with('}') && text.matches('{').count() == 1;
        pattern.push_str(match text.chars().next()? {
            '{' if is_whole && !text.ends_with("=}") => "^(?:[^:]*:){5}",
            '{' => "^",
            ':' | '/' => "",
            _ => "[:/]",
        });
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            push_literal(&mut pattern, before);
            let (name, after) = after.split_once('}')?;
            let (name, capture) = match name.split_once(':') {
                Some((name, prefix)) => {
                    (name, format!("({}.+)$", regex::escape(prefix.strip_suffix('+')?)))
                }
                None => match name.strip_suffix(['+', '/', '=']) {
                    Some(short) if name.ends_with('/') => (short, "([^:]+)".to_owned()),
                    Some(short) => (short, "(.+)$".to_owned()),
                    None => (name, "([^:/]+)".to_owned()),
                },
            };
            dimensions.push(name.to_owned());
            pattern.push_str(&capture);
            rest = after;
        }
        push_literal(&mut pattern, rest);
        Some(Self { pattern: Regex::new(&pattern).ok()?, dimensions })
    }

    fn dimensions(&self, arn: &str) -> Option<ResourceId> {
        let found = self.pattern.captures(arn)?;
        let values = found.iter().skip(1).flatten().map(|value| value.as_str().to_owned());
        let mut pairs: ResourceId = self.dimensions.iter().cloned().zip(values).collect();
        pairs.sort_unstable();
        Some(pairs)
    }
}

fn push_literal(pattern: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '*' => pattern.push_str("[^:/]*"),
            '$' => pattern.push('$'),
            other => pattern.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
}

/// Finds resources by their dimensions.
#[derive(Debug, Default)]
pub(crate) struct ResourceIndex {
    /// By the names of the dimensions, longest list first.
    by_names: Vec<(Vec<String>, IndicesByValues)>,
}

/// The indices of resources by the values of their dimensions.
type IndicesByValues = HashMap<Vec<String>, u32>;

/// The association of a metric with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Association {
    /// The metric belongs to the resource with this index.
    Resource(u32),
    /// The metric belongs to a resource that is not in the list.
    Other,
    /// The metric has no dimensions of a resource.
    None,
}

impl ResourceIndex {
    /// Builds the index for the ARNs of `resources`.
    pub(crate) fn new<'a>(
        service: &Service,
        arns: &Arns,
        resources: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut by_names: HashMap<Vec<String>, IndicesByValues> = HashMap::new();
        for arn in &arns.0 {
            let mut names = arn.dimensions.clone();
            names.sort_unstable();
            by_names.entry(names).or_default();
        }
        for (index, arn) in resources.enumerate() {
            let (Some(pairs), Ok(index)) = (arns.dimensions(arn), u32::try_from(index)) else {
                continue;
            };
            let (names, values) = pairs.into_iter().unzip();
            by_names.entry(names).or_default().entry(values).or_insert(index);
        }
        // Lists of the same length are in the order of the table, in which more specific patterns come
        // first.
        let position = |names: &[String]| {
            let mut patterns = service.arns.iter();
            patterns.position(|text| names.iter().all(|name| text.contains(name.as_str())))
        };
        let mut by_names: Vec<_> = by_names.into_iter().collect();
        by_names.sort_by_key(|(names, _)| (std::cmp::Reverse(names.len()), position(names)));
        Self { by_names }
    }

    /// The resource of a metric with these dimensions.
    pub(crate) fn find<'a>(
        &self,
        dimensions: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Association {
        let dimensions: HashMap<_, _> = dimensions.collect();
        let mut is_other = false;
        for (names, resources) in &self.by_names {
            let values = names.iter().map(|name| dimensions.get(name.as_str()).copied());
            let Some(values) =
                values.map(|value| value.map(str::to_owned)).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            match resources.get(&values) {
                Some(index) => return Association::Resource(*index),
                None => is_other = true,
            }
        }
        if is_other { Association::Other } else { Association::None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_its_patterns_are_valid() {
        let namespaces = namespaces();
        assert!(namespaces.is_sorted_by(|a, b| a < b));
        assert_eq!(namespaces.len(), 109);
        for service in table::ALL {
            assert_eq!(Arns::of(service).0.len(), service.arns.len(), "{service:?}");
            for arn in Arns::of(service).0 {
                assert!(!arn.dimensions.is_empty(), "{service:?}");
            }
            assert_eq!(find(service.namespace).unwrap().namespace, service.namespace);
        }
        assert_eq!(find("rds").unwrap().namespace, "AWS/RDS");
        assert_eq!(table::ALL.iter().filter(|service| !service.metrics.is_empty()).count(), 12);
        assert_eq!(unit("AWS/RDS", "CPUUtilization"), Some("Percent"));
    }

    #[test]
    fn dimensions_are_found_in_arns() {
        for (namespace, arn, expected) in [
            ("AWS/EC2", "arn:aws:ec2:eu-west-1:1:instance/i-1", "InstanceId=i-1"),
            ("AWS/EC2", "arn:aws-cn:ec2:cn-north-1:1:instance/i-1", "InstanceId=i-1"),
            ("AWS/EBS", "arn:aws:ec2:eu-west-1:1:volume/vol-1", "VolumeId=vol-1"),
            ("AWS/RDS", "arn:aws:rds:eu-west-1:1:db:mine", "DBInstanceIdentifier=mine"),
            ("AWS/RDS", "arn:aws-us-gov:rds:us-gov-west-1:1:cluster:c", "DBClusterIdentifier=c"),
            ("AWS/S3", "arn:aws:s3:::my-bucket", "BucketName=my-bucket"),
            ("AWS/SQS", "arn:aws:sqs:eu-west-1:1:jobs.fifo", "QueueName=jobs.fifo"),
            ("AWS/SNS", "arn:aws:sns:eu-west-1:1:alerts", "TopicName=alerts"),
            ("AWS/Lambda", "arn:aws:lambda:eu-west-1:1:function:resize", "FunctionName=resize"),
            ("AWS/DynamoDB", "arn:aws:dynamodb:eu-west-1:1:table/orders", "TableName=orders"),
            (
                "AWS/ApplicationELB",
                "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/front/50dc",
                "LoadBalancer=app/front/50dc",
            ),
            (
                "AWS/ApplicationELB",
                "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/web/73e2",
                "TargetGroup=targetgroup/web/73e2",
            ),
            (
                "AWS/ApplicationELB",
                "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/front/50dc",
                "",
            ),
            (
                "AWS/NetworkELB",
                "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/front/50dc",
                "LoadBalancer=net/front/50dc",
            ),
            (
                "AWS/ELB",
                "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/old",
                "LoadBalancerName=old",
            ),
            ("AWS/ELB", "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/front/5", ""),
            ("AWS/ECS", "arn:aws:ecs:eu-west-1:1:cluster/main", "ClusterName=main"),
            (
                "AWS/ECS",
                "arn:aws:ecs:eu-west-1:1:service/main/web",
                "ClusterName=main ServiceName=web",
            ),
            (
                "AWS/ElastiCache",
                "arn:aws:elasticache:eu-west-1:1:cluster:c-1",
                "CacheClusterId=c-1",
            ),
            ("AWS/ElastiCache", "arn:aws:elasticache:eu-west-1:1:serverlesscache:s", "clusterId=s"),
            ("AWS/Kafka", "arn:aws:kafka:eu-west-1:1:cluster/logs/0a1b-2", "Cluster Name=logs"),
            (
                "AWS/ApiGateway",
                "arn:aws:apigateway:eu-west-1::/apis/a1/stages/live",
                "ApiId=a1 Stage=live",
            ),
            (
                "AWS/Logs",
                "arn:aws:logs:eu-west-1:1:log-group:/aws/lambda/x:*",
                "LogGroupName=/aws/lambda/x",
            ),
            (
                "AWS/States",
                "arn:aws:states:eu-west-1:1:stateMachine:orders",
                "StateMachineArn=arn:aws:states:eu-west-1:1:stateMachine:orders",
            ),
            ("AWS/CloudFront", "arn:aws:cloudfront::1:distribution/E1", "DistributionId=E1"),
            ("AWS/WAFV2", "arn:aws:wafv2:eu-west-1:1:regional/webacl/front/0a1b", "WebACL=front"),
            (
                "AWS/EFS",
                "arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1",
                "FileSystemId=fs-1",
            ),
            (
                "AWS/Events",
                "arn:aws:events:eu-west-1:1:rule/bus/nightly",
                "EventBusName=bus RuleName=nightly",
            ),
            ("Glue", "arn:aws:glue:eu-west-1:1:job/nightly", "JobName=nightly"),
            ("AWS/AmazonMQ", "arn:aws:mq:eu-west-1:1:broker:jobs:b-1", "Broker=jobs"),
            (
                "AWS/ElasticBeanstalk",
                "arn:aws:elasticbeanstalk:eu-west-1:1:environment/app/live",
                "EnvironmentName=live",
            ),
            ("AWS/EC2", "", ""),
            ("AWS/EC2", "arn:aws:ec2:eu-west-1:1:reinstance/i-1", ""),
        ] {
            let found = Arns::of(find(namespace).unwrap()).dimensions(arn).unwrap_or_default();
            let found: Vec<_> =
                found.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(found.join(" "), expected, "{namespace} {arn}");
        }
    }

    #[test]
    fn metrics_are_associated_with_the_most_specific_resource() {
        use Association::{None, Other, Resource};
        let service = find("alb").unwrap();
        let arns = Arns::of(service);
        let prefix = "arn:aws:elasticloadbalancing:eu-west-1:1:";
        let all = ["loadbalancer/app/a/1", "targetgroup/t/2"].map(|part| format!("{prefix}{part}"));
        let resources = ResourceIndex::new(service, &arns, all.iter().map(String::as_str));
        let find = |pairs: &[(&str, &str)]| resources.find(pairs.iter().copied());
        for (pairs, expected) in [
            (&[("LoadBalancer", "app/a/1")] as &[_], Resource(0)),
            (&[("LoadBalancer", "app/a/1"), ("AvailabilityZone", "z")], Resource(0)),
            (&[("LoadBalancer", "app/a/1"), ("TargetGroup", "targetgroup/t/2")], Resource(1)),
            (&[("LoadBalancer", "app/a/1"), ("TargetGroup", "targetgroup/u/3")], Resource(0)),
            (&[("LoadBalancer", "app/b/9")], Other),
            (&[("AvailabilityZone", "z")], None),
            (&[], None),
        ] {
            assert_eq!(find(pairs), expected, "{pairs:?}");
        }
    }
}
