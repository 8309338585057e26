//! Decodes the deliveries that Firehose sends to an HTTP endpoint: a JSON object with base64-encoded
//! records.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Read;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::{Datapoint, json, opentelemetry};

/// The maximum size of a body in bytes, both compressed and decompressed. The body of a full buffer is a
/// third larger than the configured buffer size, because of base64.
pub(crate) const MAX_BODY: usize = 8 << 20;

/// The maximum size of a record in bytes. The limit of Firehose is 1000 KiB.
const MAX_RECORD: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow, default)]
    request_id: Cow<'a, str>,
    #[serde(borrow)]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
}

/// The result of reading a delivery.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Delivery {
    /// The request ID in the body.
    pub(crate) request_id: String,
    /// The number of datapoints that were read.
    pub(crate) datapoints: u64,
    /// The number of records, lines, messages or datapoints that could not be read.
    pub(crate) unreadable: u64,
    /// The first error.
    pub(crate) problem: Option<String>,
}

/// Why no record of a body could be read.
#[derive(Debug, PartialEq)]
pub(crate) enum InvalidBody {
    TooLarge,
    Malformed(String),
}

/// Reads a body, and calls `take` with each datapoint. A record that cannot be read does not affect the
/// others.
pub(crate) fn read(
    body: &[u8],
    is_gzip: bool,
    mut take: impl FnMut(&Datapoint<'_>),
) -> Result<Delivery, InvalidBody> {
    let body = if is_gzip { Cow::Owned(decompress(body)?) } else { Cow::Borrowed(body) };
    let body: Body<'_> = serde_json::from_slice(&body)
        .map_err(|error| InvalidBody::Malformed(format!("JSON of Firehose: {error}")))?;
    let mut delivery = Delivery { request_id: body.request_id.into_owned(), ..Delivery::default() };
    for Record { data } in body.records {
        let Some(record) = decode(&data, &mut delivery) else { continue };
        let mut take = |point: Datapoint<'_>, delivery: &mut Delivery| match point.problem() {
            None => {
                delivery.datapoints += 1;
                take(&point);
            }
            Some(problem) => delivery.failed(&problem),
        };
        // An OpenTelemetry message begins with its size, which may be `{`, and the tag of its first
        // field, which is not a quotation mark.
        if record.starts_with(b"{\"") {
            json::read(&record, |point| match point {
                Ok(point) => take(point, &mut delivery),
                Err(error) => delivery.failed(&format_args!("JSON of a metric stream: {error}")),
            });
        } else if let Err(error) = opentelemetry::read(&record, |point| take(point, &mut delivery))
        {
            delivery.failed(&format_args!("OpenTelemetry 1.0 of a metric stream: {error}"));
        }
    }
    Ok(delivery)
}

impl Delivery {
    fn failed(&mut self, problem: &dyn Display) {
        self.unreadable += 1;
        self.problem.get_or_insert_with(|| problem.to_string());
    }
}

fn decompress(body: &[u8]) -> Result<Vec<u8>, InvalidBody> {
    let mut decompressed = Vec::new();
    let limit = MAX_BODY as u64 + 1;
    let read = MultiGzDecoder::new(body).take(limit).read_to_end(&mut decompressed);
    read.map_err(|error| InvalidBody::Malformed(format!("gzip: {error}")))?;
    if decompressed.len() > MAX_BODY {
        return Err(InvalidBody::TooLarge);
    }
    Ok(decompressed)
}

fn decode(data: &str, delivery: &mut Delivery) -> Option<Vec<u8>> {
    if data.len() / 4 * 3 > MAX_RECORD + 2 {
        delivery.failed(&format_args!("a record of more than {MAX_RECORD} bytes"));
        return None;
    }
    let record = BASE64_STANDARD.decode(data.as_bytes());
    record.inspect_err(|error| delivery.failed(&format_args!("base64 of a record: {error}"))).ok()
}

#[cfg(test)]
mod tests {
    use fake_cloudwatch::Metric;
    use fake_cloudwatch::stream::{self, Format};

    use super::super::MAX_TEXT;
    use super::*;

    fn datapoint(name: &str) -> stream::Datapoint {
        let metric = Metric::new("N", name).dimension("D", "v");
        stream::Datapoint::of(&metric, 1_800_000_000, &["p99.9"]).unwrap()
    }

    /// The names of the metrics that were read, and the counts.
    fn names(body: &[u8]) -> (Vec<String>, Delivery) {
        let mut names = Vec::new();
        let read = read(body, false, |point| names.push(point.metric.clone().into_owned()));
        (names, read.unwrap())
    }

    /// The size of an OpenTelemetry message may be 123, which is `{`.
    #[test]
    fn the_format_of_a_record_of_any_size_is_recognized() {
        for length in 1..200 {
            let name = "n".repeat(length);
            for format in [Format::Json, Format::OpenTelemetry] {
                let body = format.delivery("id", &[datapoint(&name), datapoint("second")]);
                let (found, delivery) = names(&body);
                assert_eq!(found, [name.as_str(), "second"], "{format:?} {length}");
                assert_eq!(delivery.unreadable, 0);
            }
        }
    }

    #[test]
    fn a_record_that_cannot_be_read_does_not_affect_others() {
        let valid = Format::Json.record(&[datapoint("valid")]);
        let large = vec![b' '; MAX_RECORD + 1];
        let mut long = datapoint("long");
        long.dimensions[0].value = "v".repeat(MAX_TEXT + 1);
        let long = Format::OpenTelemetry.record(&[long, datapoint("also valid")]);
        let (found, delivery) =
            names(&stream::delivery("id", &[vec![9], valid.clone(), large, valid, long]));
        assert_eq!(found, ["valid", "valid", "also valid"]);
        assert_eq!((delivery.datapoints, delivery.unreadable), (3, 3));
        assert!(delivery.problem.unwrap().starts_with("OpenTelemetry 1.0 of a metric stream: "));
    }

    /// In OpenTelemetry 0.7, labels have another type, and are not read.
    #[test]
    fn the_error_for_opentelemetry_0_7_names_the_formats() {
        let mut point = datapoint("");
        point.namespace = String::new();
        let (found, delivery) = names(&Format::OpenTelemetry.delivery("id", &[point]));
        assert!(found.is_empty());
        assert!(delivery.problem.unwrap().contains("has to be JSON or OpenTelemetry 1.0"));
    }
}
