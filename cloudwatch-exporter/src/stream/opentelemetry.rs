//! The OpenTelemetry 1.0 format of metric streams: protobuf messages, each preceded by its size.

use std::borrow::Cow;

use prost::{DecodeError, Message};

use super::{Datapoint, Values};

/// `ExportMetricsServiceRequest`, with the fields that a stream uses.
#[derive(Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<ResourceMetrics>,
}

#[derive(Message)]
struct ResourceMetrics {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<ScopeMetrics>,
}

#[derive(Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct ScopeMetrics {
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<Metric>,
}

#[derive(Message)]
struct Metric {
    /// The UCUM unit.
    #[prost(string, tag = "3")]
    unit: String,
    #[prost(message, optional, tag = "11")]
    summary: Option<Summary>,
}

#[derive(Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    points: Vec<SummaryDataPoint>,
}

#[derive(Message)]
struct SummaryDataPoint {
    /// Nanoseconds since 1970.
    #[prost(fixed64, tag = "2")]
    start: u64,
    #[prost(fixed64, tag = "4")]
    count: u64,
    #[prost(double, tag = "5")]
    sum: f64,
    #[prost(message, repeated, tag = "6")]
    quantiles: Vec<ValueAtQuantile>,
    #[prost(message, repeated, tag = "7")]
    attributes: Vec<KeyValue>,
}

#[derive(Message)]
struct ValueAtQuantile {
    #[prost(double, tag = "1")]
    quantile: f64,
    #[prost(double, tag = "2")]
    value: f64,
}

#[derive(Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
    #[prost(message, optional, tag = "6")]
    pairs: Option<KeyValueList>,
}

#[derive(Message)]
struct KeyValueList {
    #[prost(message, repeated, tag = "1")]
    values: Vec<KeyValue>,
}

/// Calls `take` with each datapoint of a record. After an error, the rest of the record is skipped.
pub(super) fn read(
    mut record: &[u8],
    mut take: impl FnMut(Datapoint<'static>),
) -> Result<(), DecodeError> {
    while !record.is_empty() {
        let export = Export::decode_length_delimited(&mut record)?;
        for ResourceMetrics { resource, scopes } in export.resources {
            let attributes = resource.map(|resource| resource.attributes).unwrap_or_default();
            let (mut account, mut region) = (String::new(), String::new());
            for (key, value) in texts(attributes) {
                match key.as_str() {
                    "cloud.account.id" => account = value,
                    "cloud.region" => region = value,
                    _ => {}
                }
            }
            let metrics = scopes.into_iter().flat_map(|scope| scope.metrics);
            for Metric { unit, summary } in metrics {
                let unit = cloudwatch_unit(&unit);
                for point in summary.into_iter().flat_map(|summary| summary.points) {
                    let mut point = datapoint(point, account.clone(), region.clone());
                    point.unit = unit.clone().into();
                    take(point);
                }
            }
        }
    }
    Ok(())
}

fn datapoint(point: SummaryDataPoint, account: String, region: String) -> Datapoint<'static> {
    let mut datapoint = Datapoint {
        account: account.into(),
        region: region.into(),
        start: i64::try_from(point.start / 1_000_000).unwrap_or_default(),
        values: Values { count: point.count as f64, sum: point.sum, ..Values::default() },
        ..Datapoint::default()
    };
    for ValueAtQuantile { quantile, value } in point.quantiles {
        if quantile <= 0.0 {
            datapoint.values.minimum = value;
        } else if quantile >= 1.0 {
            datapoint.values.maximum = value;
        } else {
            datapoint.extended.push((percentile(quantile), value));
        }
    }
    for KeyValue { key, value } in point.attributes {
        let Some(value) = value else { continue };
        match key.as_str() {
            "Namespace" => datapoint.namespace = value.text.unwrap_or_default().into(),
            "MetricName" => datapoint.metric = value.text.unwrap_or_default().into(),
            "Dimensions" => {
                let pairs = texts(value.pairs.map(|pairs| pairs.values).unwrap_or_default());
                let pairs = pairs.map(|(key, value)| (key.into(), value.into()));
                datapoint.dimensions = pairs.collect();
            }
            _ => {}
        }
    }
    datapoint
}

fn texts(pairs: Vec<KeyValue>) -> impl Iterator<Item = (String, String)> {
    pairs.into_iter().filter_map(|pair| Some((pair.key, pair.value?.text?)))
}

/// The CloudWatch unit for a UCUM unit such as `By/s`. Empty if unknown.
fn cloudwatch_unit(ucum: &str) -> String {
    let name = |ucum: &str| UNITS.iter().find(|(_, known)| *known == ucum).map(|(name, _)| *name);
    match ucum.split_once('/') {
        Some((unit, "s")) => name(unit).map(|unit| format!("{unit}/Second")).unwrap_or_default(),
        _ => name(ucum).unwrap_or_default().to_owned(),
    }
}

/// CloudWatch units, and the UCUM units for them in a stream.
const UNITS: [(&str, &str); 16] = [
    ("Seconds", "s"),
    ("Microseconds", "us"),
    ("Milliseconds", "ms"),
    ("Bytes", "By"),
    ("Kilobytes", "kBy"),
    ("Megabytes", "MBy"),
    ("Gigabytes", "GBy"),
    ("Terabytes", "TBy"),
    ("Bits", "bit"),
    ("Kilobits", "kbit"),
    ("Megabits", "MBit"),
    ("Gigabits", "GBit"),
    ("Terabits", "Tbit"),
    ("Percent", "%"),
    ("Count", "{Count}"),
    ("None", "1"),
];

/// The name of a percentile: 0.999 is p99.9.
fn percentile(quantile: f64) -> Cow<'static, str> {
    // Rounded, because the float 0.999 x 100 is not exactly 99.9.
    let percent = format!("{:.8}", quantile * 100.0);
    format!("p{}", percent.trim_end_matches('0').trim_end_matches('.')).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_cloudwatch() {
        for (ucum, unit) in [
            ("s", "Seconds"),
            ("By/s", "Bytes/Second"),
            ("{Count}/s", "Count/Second"),
            ("%", "Percent"),
            ("1", "None"),
            ("furlong", ""),
            ("furlong/s", ""),
            ("", ""),
        ] {
            assert_eq!(cloudwatch_unit(ucum), unit, "{ucum}");
        }
    }

    #[test]
    fn quantiles_are_named_as_percentiles() {
        for (quantile, name) in [
            (0.5, "p50"),
            (0.9, "p90"),
            (0.99, "p99"),
            (0.999, "p99.9"),
            (0.9999, "p99.99"),
            (0.001, "p0.1"),
            (0.07, "p7"),
            (f64::NAN, "pNaN"),
        ] {
            assert_eq!(percentile(quantile), name);
        }
    }
}
