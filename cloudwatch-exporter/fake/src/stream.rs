//! What a metric stream sends through Firehose, as AWS documents it: records in JSON or OpenTelemetry
//! 1.0, and the body of a delivery.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use crate::metric::{Dimension, Metric};
use crate::statistic::{Period, Statistic};

/// The account and the region of metrics that name none.
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
    /// The minute of a metric that starts at a Unix second, with these percentiles; `None` without
    /// samples.
    pub fn of(metric: &Metric, start: i64, percentiles: &[&str]) -> Option<Self> {
        let statistics: Vec<_> =
            percentiles.iter().filter_map(|name| Statistic::parse(name)).collect();
        let mut period = Period::of(&statistics);
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

    /// A record.
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

/// An object a line.
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

/// An `ExportMetricsServiceRequest` for each datapoint, after its size.
fn opentelemetry(datapoints: &[Datapoint]) -> Vec<u8> {
    let mut record = Vec::new();
    for point in datapoints {
        let export = field(1, &resource_metrics(point));
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
    let resource: Vec<_> =
        attributes.iter().map(|(key, value)| field(1, &pair(key, &text(value)))).collect();
    let name = format!("amazonaws.com/{}/{}", point.namespace, point.name);
    let metric = [
        field(1, name.as_bytes()),
        field(3, ucum(&point.unit).as_bytes()),
        field(11, &field(1, &summary(point))),
    ];
    let scope = field(2, &metric.concat());
    [field(1, &resource.concat()), field(2, &scope)].concat()
}

/// The units of the tests in UCUM.
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
    let mut summary = fixed(2, start.to_le_bytes());
    summary.extend(fixed(3, (start + 60 * NANOSECONDS).to_le_bytes()));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    summary.extend(fixed(4, (point.count as u64).to_le_bytes()));
    summary.extend(fixed(5, point.sum.to_le_bytes()));
    let percentiles = point.percentiles.iter().filter_map(|(name, value)| {
        Some((name.strip_prefix('p')?.parse::<f64>().ok()? / 100.0, *value))
    });
    let ends = [(0.0, point.minimum), (1.0, point.maximum)];
    for (quantile, value) in ends.into_iter().chain(percentiles) {
        let both = [fixed(1, f64::to_le_bytes(quantile)), fixed(2, value.to_le_bytes())];
        summary.extend(field(6, &both.concat()));
    }
    let dimensions = point.dimensions.iter();
    let dimensions: Vec<_> =
        dimensions.map(|one| field(1, &pair(&one.name, &text(&one.value)))).collect();
    for attribute in [
        pair("Namespace", &text(&point.namespace)),
        pair("MetricName", &text(&point.name)),
        pair("Dimensions", &field(6, &dimensions.concat())),
    ] {
        summary.extend(field(7, &attribute));
    }
    summary
}

/// A `KeyValue`.
fn pair(key: &str, value: &[u8]) -> Vec<u8> {
    [field(1, key.as_bytes()), field(2, value)].concat()
}

/// An `AnyValue` with a string.
fn text(value: &str) -> Vec<u8> {
    field(1, value.as_bytes())
}

/// A field of bytes, after their length.
fn field(tag: u64, bytes: &[u8]) -> Vec<u8> {
    let mut out = varint((tag << 3) | 2);
    out.extend(varint(bytes.len() as u64));
    out.extend_from_slice(bytes);
    out
}

/// A field of eight bytes.
fn fixed(tag: u64, bytes: [u8; 8]) -> Vec<u8> {
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
