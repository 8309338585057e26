//! Names of families and labels, identical to those of yet-another-cloudwatch-exporter (YACE).

/// The family of a metric, before the suffix of a statistic. Families begin with `aws_`, and do not
/// repeat parts of the namespace: `Glue glue.driver.x` is `aws_glue_driver_x`.
pub(crate) fn family(namespace: &str, metric: &str) -> String {
    let namespace = snake(&namespace.to_lowercase());
    let namespace = namespace.strip_prefix('_').unwrap_or(&namespace);
    let metric = snake(metric);
    let mut rest = metric.as_str();
    for part in namespace.split('_') {
        rest = rest.strip_prefix(part).unwrap_or(rest);
    }
    let rest = rest.strip_prefix('_').unwrap_or(rest);
    let prefix = if namespace.starts_with("aws") { "" } else { "aws_" };
    format!("{prefix}{namespace}_{rest}")
}

pub(crate) fn suffix(statistic: &str) -> String {
    format!("_{}", snake(statistic))
}

/// The label of a dimension. Characters that are invalid in labels become underscores. YACE leaves out
/// such labels.
pub(crate) fn dimension(name: &str) -> String {
    label("dimension", name)
}

pub(crate) fn tag(key: &str) -> String {
    label("tag", key)
}

pub(crate) fn custom_tag(key: &str) -> String {
    label("custom_tag", key)
}

fn label(prefix: &str, name: &str) -> String {
    let mut label = format!("{prefix}_");
    for letter in name.chars() {
        push(&mut label, letter);
    }
    label.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")
}

fn snake(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for letter in text.chars() {
        if letter.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
            out.push('_');
        }
        for small in letter.to_lowercase() {
            push(&mut out, small);
        }
        before = letter;
    }
    out
}

fn push(out: &mut String, letter: char) {
    match letter {
        ' ' | ',' | '\t' | '/' | '\\' | '.' | '-' | ':' | '=' | '@' | '<' | '>' | '(' | ')'
        | '“' => {
            out.push('_');
        }
        '%' => out.push_str("_percent"),
        letter => out.push(letter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_the_names_of_yace() {
        for (namespace, metric, statistic, expected) in [
            (
                "AWS/ElastiCache",
                "CPUUtilization",
                "Average",
                "aws_elasticache_cpuutilization_average",
            ),
            ("AWS/RDS", "FreeStorageSpace", "Minimum", "aws_rds_free_storage_space_minimum"),
            (
                "AWS/ApplicationELB",
                "HTTPCode_Target_5XX_Count",
                "Sum",
                "aws_applicationelb_httpcode_target_5_xx_count_sum",
            ),
            (
                "AWS/ApplicationELB",
                "TargetResponseTime",
                "p99.9",
                "aws_applicationelb_target_response_time_p99_9",
            ),
            (
                "/aws/sagemaker/TrainingJobs",
                "CPUUtilization",
                "SampleCount",
                "aws_sagemaker_trainingjobs_cpuutilization_sample_count",
            ),
            (
                "Glue",
                "glue.driver.aggregate.bytesRead",
                "Sum",
                "aws_glue_driver_aggregate_bytes_read_sum",
            ),
            ("CWAgent", "mem_used_percent", "Average", "aws_cwagent_mem_used_percent_average"),
            ("AWS/RDS", "EBSIOBalance%", "Average", "aws_rds_ebsiobalance_percent_average"),
            (
                "ECS/ContainerInsights",
                "CpuUtilized",
                "Average",
                "aws_ecs_containerinsights_cpu_utilized_average",
            ),
            ("My App", "a b-c", "Sum", "aws_my_app_a_b_c_sum"),
        ] {
            assert_eq!(family(namespace, metric) + &suffix(statistic), expected);
        }
        assert_eq!(family("AWS/RDS", "info"), "aws_rds_info");
    }

    #[test]
    fn labels_keep_their_case() {
        assert_eq!(dimension("DBInstanceIdentifier"), "dimension_DBInstanceIdentifier");
        assert_eq!(dimension("Cluster Name"), "dimension_Cluster_Name");
        assert_eq!(tag("aws:cloudformation:stack-name"), "tag_aws_cloudformation_stack_name");
        assert_eq!(custom_tag("env"), "custom_tag_env");
        assert_eq!(tag("größe"), "tag_gr__e");
    }
}
