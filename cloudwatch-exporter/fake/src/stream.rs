//! The output of a metric stream through Firehose, as AWS documents it: records in JSON or OpenTelemetry
//! 1.0, and delivery requests.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::metric::{Dimension, Metric};
use crate::statistic::{Period, Statistic};

/// The account and the region of metrics that have none.
const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-west-1";

/// The statistics of one minute of one metric.
#[derive(Clone, Debug)]
pub struct Datapoint {
    pub account: String,
    pub region: String,
    pub namespace: String,
    pub name: String,
    pub dimensions: Vec<Dimension>,
    /// Unix seconds of the start.
    pub start: i64,
    pub count: f64,
    pub sum: f64,
    pub minimum: f64,
    pub maximum: f64,
    /// Values by name, such as `p99.9`.
    pub percentiles: Vec<(String, f64)>,
    pub unit: String,
}

impl Datapoint {
    /// The datapoint of the minute from `start`, in Unix seconds, with these percentiles; `None` without
    /// samples.
    pub fn of(metric: &Metric, start: i64, percentiles: &[&str]) -> Option<Self> {
        let statistics: Vec<_> =
            percentiles.iter().filter_map(|name| Statistic::parse(name)).collect();
        let mut period = Period::for_statistics(&statistics);
        metric.samples(start, start + 60, i64::MAX, |value| period.push(value));
        let mut value = |statistic| period.get(statistic);
        Some(Self {
            account: metric.account.clone().unwrap_or_else(|| ACCOUNT.to_owned()),
            region: metric.region.clone().unwrap_or_else(|| REGION.to_owned()),
            namespace: metric.namespace.clone(),
            name: metric.name.clone(),
            dimensions: metric.dimensions.clone(),
            start,
            count: value(Statistic::SampleCount)?,
            sum: value(Statistic::Sum)?,
            minimum: value(Statistic::Minimum)?,
            maximum: value(Statistic::Maximum)?,
            percentiles: percentiles
                .iter()
                .zip(statistics)
                .filter_map(|(name, statistic)| Some(((*name).to_owned(), value(statistic)?)))
                .collect(),
            unit: metric.unit.clone(),
        })
    }
}

/// The format of a metric stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    OpenTelemetry,
}

impl Format {
    /// `json` or `opentelemetry`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "opentelemetry" => Some(Self::OpenTelemetry),
            _ => None,
        }
    }

    /// Encodes a record.
    pub fn record(self, datapoints: &[Datapoint]) -> Vec<u8> {
        match self {
            Self::Json => json(datapoints),
            Self::OpenTelemetry => opentelemetry(datapoints),
        }
    }

    /// The body of a delivery, in records of a thousand datapoints.
    pub fn delivery(self, request_id: &str, datapoints: &[Datapoint]) -> Vec<u8> {
        let records: Vec<_> = datapoints.chunks(1000).map(|chunk| self.record(chunk)).collect();
        delivery(request_id, &records)
    }
}

/// The body of a delivery with these records.
pub fn delivery(request_id: &str, records: &[Vec<u8>]) -> Vec<u8> {
    let records: Vec<_> =
        records.iter().map(|record| json!({"data": BASE64_STANDARD.encode(record)})).collect();
    json!({"requestId": request_id, "timestamp": 1_800_000_000_000_u64, "records": records})
        .to_string()
        .into_bytes()
}

/// One JSON object per line.
fn json(datapoints: &[Datapoint]) -> Vec<u8> {
    let mut record = Vec::new();
    for point in datapoints {
        let mut value = json!({
            "count": point.count, "sum": point.sum, "max": point.maximum, "min": point.minimum,
        });
        if let Some(value) = value.as_object_mut() {
            value.extend(point.percentiles.iter().map(|(name, one)| (name.clone(), json!(one))));
        }
        let dimensions = point.dimensions.iter();
        let dimensions: Map<String, Value> =
            dimensions.map(|one| (one.name.clone(), json!(one.value))).collect();
        let line = json!({
            "metric_stream_name": "fake",
            "account_id": point.account,
            "region": point.region,
            "namespace": point.namespace,
            "metric_name": point.name,
            "dimensions": dimensions,
            "timestamp": point.start * 1000,
            "value": value,
            "unit": point.unit,
        });
        record.extend_from_slice(line.to_string().as_bytes());
        record.push(b'\n');
    }
    record
}

/// One `ExportMetricsServiceRequest` per datapoint, each after its length.
fn opentelemetry(datapoints: &[Datapoint]) -> Vec<u8> {
    let mut record = Vec::new();
    for point in datapoints {
        let export = bytes_field(1, &resource_metrics(point));
        record.extend(varint(export.len() as u64));
        record.extend(export);
    }
    record
}

fn resource_metrics(point: &Datapoint) -> Vec<u8> {
    let attributes = [
        ("cloud.provider", "aws"),
        ("cloud.account.id", &point.account),
        ("cloud.region", &point.region),
        ("aws.exporter.arn", "arn:aws:cloudwatch:eu-west-1:123456789012:metric-stream/fake"),
    ];
    let resource: Vec<_> = attributes
        .iter()
        .map(|(key, value)| bytes_field(1, &key_value(key, &string_value(value))))
        .collect();
    let name = format!("amazonaws.com/{}/{}", point.namespace, point.name);
    let metric = [
        bytes_field(1, name.as_bytes()),
        bytes_field(3, ucum(&point.unit).as_bytes()),
        bytes_field(11, &bytes_field(1, &summary(point))),
    ];
    let scope = bytes_field(2, &metric.concat());
    [bytes_field(1, &resource.concat()), bytes_field(2, &scope)].concat()
}

/// Converts the units that tests use to UCUM.
fn ucum(unit: &str) -> &str {
    match unit {
        "Count" => "{Count}",
        "Seconds" => "s",
        "Percent" => "%",
        "Bytes/Second" => "By/s",
        _ => "1",
    }
}

/// A `SummaryDataPoint`.
fn summary(point: &Datapoint) -> Vec<u8> {
    const NANOSECONDS: u64 = 1_000_000_000;
    let start = u64::try_from(point.start).unwrap_or_default() * NANOSECONDS;
    let mut summary = fixed64_field(2, start.to_le_bytes());
    summary.extend(fixed64_field(3, (start + 60 * NANOSECONDS).to_le_bytes()));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    summary.extend(fixed64_field(4, (point.count as u64).to_le_bytes()));
    summary.extend(fixed64_field(5, point.sum.to_le_bytes()));
    let percentiles = point.percentiles.iter().filter_map(|(name, value)| {
        Some((name.strip_prefix('p')?.parse::<f64>().ok()? / 100.0, *value))
    });
    let extremes = [(0.0, point.minimum), (1.0, point.maximum)];
    for (quantile, value) in extremes.into_iter().chain(percentiles) {
        let quantile =
            [fixed64_field(1, f64::to_le_bytes(quantile)), fixed64_field(2, value.to_le_bytes())];
        summary.extend(bytes_field(6, &quantile.concat()));
    }
    let dimensions = point.dimensions.iter();
    let dimensions: Vec<_> = dimensions
        .map(|one| bytes_field(1, &key_value(&one.name, &string_value(&one.value))))
        .collect();
    for attribute in [
        key_value("Namespace", &string_value(&point.namespace)),
        key_value("MetricName", &string_value(&point.name)),
        key_value("Dimensions", &bytes_field(6, &dimensions.concat())),
    ] {
        summary.extend(bytes_field(7, &attribute));
    }
    summary
}

/// A `KeyValue`.
fn key_value(key: &str, value: &[u8]) -> Vec<u8> {
    [bytes_field(1, key.as_bytes()), bytes_field(2, value)].concat()
}

/// An `AnyValue` with a string.
fn string_value(value: &str) -> Vec<u8> {
    bytes_field(1, value.as_bytes())
}

/// A length-delimited field.
fn bytes_field(tag: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = varint((tag << 3) | 2);
    out.extend(varint(bytes.len() as u64));
    out.extend_from_slice(bytes);
    out
}

/// A field of wire type I64.
fn fixed64_field(tag: u64, bytes: [u8; 8]) -> Vec<u8> {
    let mut out = varint((tag << 3) | 1);
    out.extend(bytes);
    out
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            out.push(low);
            return out;
        }
        out.push(low | 0x80);
    }
}
