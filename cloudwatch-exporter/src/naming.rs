//! Names of families and labels for namespaces, metrics and dimensions of CloudWatch, identical to
//! those of the Java exporter.

pub(crate) mod yace;

/// The exporter whose names are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Naming {
    /// The Java exporter, `prometheus/cloudwatch_exporter`.
    #[default]
    Java,
    /// yet-another-cloudwatch-exporter.
    Yace,
}

/// The family of a metric, before the suffix of a statistic.
pub(crate) fn family(namespace: &str, metric: &str, dimensions: Option<&[String]>) -> String {
    let is_index = namespace == "AWS/DynamoDB"
        && INDEX_METRICS.contains(&metric)
        && dimensions.unwrap_or_default().iter().any(|name| name == "GlobalSecondaryIndexName");
    let suffix = if is_index { "_index" } else { "" };
    format!("{}{suffix}", metric_name(&format!("{}_{}", namespace.to_lowercase(), snake(metric))))
}

/// Metrics of both tables and their indexes. Those of indexes get a different name.
const INDEX_METRICS: [&str; 6] = [
    "ConsumedReadCapacityUnits",
    "ConsumedWriteCapacityUnits",
    "ProvisionedReadCapacityUnits",
    "ProvisionedWriteCapacityUnits",
    "ReadThrottleEvents",
    "WriteThrottleEvents",
];

/// The suffix of a statistic: `_sample_count`, `_p99_99`.
pub(crate) fn suffix(statistic: &str) -> String {
    format!("_{}", metric_name(&snake(statistic)))
}

/// The `job` label of all metrics of a namespace.
pub(crate) fn job(namespace: &str) -> String {
    metric_name(&namespace.to_lowercase())
}

/// The label of a dimension.
pub(crate) fn label(dimension: &str) -> String {
    sanitized(&snake(dimension), |c| c.is_ascii_alphanumeric())
}

/// The label of a tag of a resource. Tags keep their case.
pub(crate) fn tag(key: &str) -> String {
    format!("tag_{}", sanitized(key, |c| c.is_ascii_alphanumeric()))
}

/// Converts to snake case: a word begins at an upper-case letter after a lower-case letter or a digit.
/// `UnHealthyHostCount` becomes `un_healthy_host_count`, and `CPUUtilization` becomes `cpuutilization`.
fn snake(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut previous = ' ';
    for c in text.chars() {
        if c.is_ascii_uppercase() && (previous.is_ascii_lowercase() || previous.is_ascii_digit()) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
        previous = c;
    }
    out
}

fn metric_name(text: &str) -> String {
    sanitized(text, |c| c.is_ascii_alphanumeric() || c == ':')
}

/// Replaces sequences of invalid characters by one underscore.
fn sanitized(text: &str, is_valid: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_valid(c) {
            out.push(c);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_the_names_of_the_java_exporter() {
        for (namespace, metric, statistic, expected) in [
            ("AWS/ELB", "HealthyHostCount", "Average", "aws_elb_healthy_host_count_average"),
            (
                "AWS/ELB",
                "HealthyHostCount",
                "SampleCount",
                "aws_elb_healthy_host_count_sample_count",
            ),
            ("AWS/ELB", "HTTPCode_Backend_2XX", "Sum", "aws_elb_httpcode_backend_2_xx_sum"),
            ("AWS/ELB", "Latency", "p95", "aws_elb_latency_p95"),
            ("AWS/ELB", "Latency", "p99.99", "aws_elb_latency_p99_99"),
            ("AWS/ELB", "Latency", "TM(2%:98%)", "aws_elb_latency_tm_2_:98_"),
            ("AWS/EC2", "CPUUtilization", "Average", "aws_ec2_cpuutilization_average"),
            (
                "AWS/ApplicationELB",
                "UnHealthyHostCount",
                "Maximum",
                "aws_applicationelb_un_healthy_host_count_maximum",
            ),
            ("AWS/CloudFront", "4xxErrorRate", "Minimum", "aws_cloudfront_4xx_error_rate_minimum"),
            ("AWS/RDS", "EBSIOBalance%", "Average", "aws_rds_ebsiobalance__average"),
            ("CWAgent", "mem_used_percent", "Average", "cwagent_mem_used_percent_average"),
            (
                "/aws/sagemaker/TrainingJobs",
                "train:loss",
                "Average",
                "_aws_sagemaker_trainingjobs_train:loss_average",
            ),
            ("My App", "Größe  in  MB", "Sum", "my_app_gr_e_in_mb_sum"),
            ("", "", "Sum", "__sum"),
        ] {
            let found = family(namespace, metric, None) + &suffix(statistic);
            assert_eq!(found, expected, "{namespace} {metric}");
        }
    }

    #[test]
    fn metrics_of_indexes_have_their_own_families() {
        let table = ["TableName".to_owned()];
        let index = ["TableName".to_owned(), "GlobalSecondaryIndexName".to_owned()];
        for (namespace, metric, dimensions, expected) in [
            ("AWS/DynamoDB", "ConsumedReadCapacityUnits", None, ""),
            ("AWS/DynamoDB", "ConsumedReadCapacityUnits", Some(table.as_slice()), ""),
            ("AWS/DynamoDB", "ConsumedReadCapacityUnits", Some(&index), "_index"),
            ("AWS/DynamoDB", "WriteThrottleEvents", Some(&index), "_index"),
            ("AWS/DynamoDB", "OnlineIndexConsumedWriteCapacity", Some(&index), ""),
            ("AWS/Other", "ConsumedReadCapacityUnits", Some(&index), ""),
        ] {
            let plain = family(namespace, metric, None);
            assert_eq!(family(namespace, metric, dimensions), plain + expected, "{metric}");
        }
    }

    #[test]
    fn labels_have_the_names_of_the_java_exporter() {
        for (dimension, expected) in [
            ("AvailabilityZone", "availability_zone"),
            ("DBInstanceIdentifier", "dbinstance_identifier"),
            ("LoadBalancerName", "load_balancer_name"),
            ("NodeID", "node_id"),
            ("WebACL", "web_acl"),
            ("Per-VPC Metrics", "per_vpc_metrics"),
            ("a:b", "a_b"),
        ] {
            assert_eq!(label(dimension), expected);
        }
        assert_eq!(job("AWS/ELB"), "aws_elb");
        assert_eq!(tag("Owner"), "tag_Owner");
        assert_eq!(tag("aws:autoscaling:groupName"), "tag_aws_autoscaling_groupName");
    }
}
