//! What Firehose sends to an HTTP endpoint: a JSON object, in which records are base64.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Read;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::{Datapoint, json, opentelemetry};

/// Bytes of a body, compressed or not. Firehose sends the size that its buffer is configured to, and a
/// third more for base64.
pub(crate) const LARGEST_BODY: usize = 8 << 20;

/// Bytes of a record: the limit of Firehose is 1000 KiB.
const LARGEST_RECORD: usize = 1 << 20;

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

/// A delivery that was read.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Delivery {
    /// As it is in the body.
    pub(crate) request_id: String,
    /// Datapoints that were handed on.
    pub(crate) datapoints: u64,
    /// Records, lines, messages or datapoints that could not be read.
    pub(crate) unreadable: u64,
    /// The first error of those.
    pub(crate) problem: Option<String>,
}

/// Why a body could not be read at all.
#[derive(Debug, PartialEq)]
pub(crate) enum Unreadable {
    TooLarge,
    Malformed(String),
}

/// Reads a body, and calls `take` with each datapoint. What cannot be read costs no other record.
pub(crate) fn read(
    body: &[u8],
    is_gzip: bool,
    mut take: impl FnMut(&Datapoint<'_>),
) -> Result<Delivery, Unreadable> {
    let body = if is_gzip { Cow::Owned(unpacked(body)?) } else { Cow::Borrowed(body) };
    let body: Body<'_> = serde_json::from_slice(&body)
        .map_err(|error| Unreadable::Malformed(format!("JSON of Firehose: {error}")))?;
    let mut delivery = Delivery { request_id: body.request_id.into_owned(), ..Delivery::default() };
    for Record { data } in body.records {
        let Some(record) = decoded(&data, &mut delivery) else { continue };
        let mut take = |point: Datapoint<'_>, delivery: &mut Delivery| match point.problem() {
            None => {
                delivery.datapoints += 1;
                take(&point);
            }
            Some(problem) => delivery.failed(&problem),
        };
        // A message of OpenTelemetry begins with its size, and then the tag of its first field, which
        // is not a quotation mark.
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

fn unpacked(body: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let mut unpacked = Vec::new();
    let limit = LARGEST_BODY as u64 + 1;
    let read = MultiGzDecoder::new(body).take(limit).read_to_end(&mut unpacked);
    read.map_err(|error| Unreadable::Malformed(format!("gzip: {error}")))?;
    if unpacked.len() > LARGEST_BODY {
        return Err(Unreadable::TooLarge);
    }
    Ok(unpacked)
}

fn decoded(data: &str, delivery: &mut Delivery) -> Option<Vec<u8>> {
    if data.len() / 4 * 3 > LARGEST_RECORD + 2 {
        delivery.failed(&format_args!("a record of more than {LARGEST_RECORD} bytes"));
        return None;
    }
    let record = BASE64_STANDARD.decode(data.as_bytes());
    record.inspect_err(|error| delivery.failed(&format_args!("base64 of a record: {error}"))).ok()
}

#[cfg(test)]
mod tests {
    use fake_cloudwatch::Metric;
    use fake_cloudwatch::stream::{self, Format};

    use super::super::TEXT;
    use super::*;

    fn sent(name: &str) -> stream::Datapoint {
        let metric = Metric::new("N", name).dimension("D", "v");
        stream::Datapoint::of(&metric, 1_800_000_000, &["p99.9"]).unwrap()
    }

    /// The names of the metrics that were read, and what was counted.
    fn names(body: &[u8]) -> (Vec<String>, Delivery) {
        let mut names = Vec::new();
        let read = read(body, false, |point| names.push(point.metric.clone().into_owned()));
        (names, read.unwrap())
    }

    /// A message of 123 bytes begins with `{`.
    #[test]
    fn the_format_of_a_record_is_found_whatever_its_size() {
        for length in 1..200 {
            let name = "n".repeat(length);
            for format in [Format::Json, Format::OpenTelemetry] {
                let body = format.delivery("id", &[sent(&name), sent("second")]);
                let (found, delivery) = names(&body);
                assert_eq!(found, [name.as_str(), "second"], "{format:?} {length}");
                assert_eq!(delivery.unreadable, 0);
            }
        }
    }

    #[test]
    fn a_record_that_cannot_be_read_costs_itself() {
        let good = Format::Json.record(&[sent("good")]);
        let large = vec![b' '; LARGEST_RECORD + 1];
        let mut long = sent("long");
        long.dimensions[0].value = "v".repeat(TEXT + 1);
        let long = Format::OpenTelemetry.record(&[long, sent("also good")]);
        let (found, delivery) =
            names(&stream::delivery("id", &[vec![9], good.clone(), large, good, long]));
        assert_eq!(found, ["good", "good", "also good"]);
        assert_eq!((delivery.datapoints, delivery.unreadable), (3, 3));
        assert!(delivery.problem.unwrap().starts_with("OpenTelemetry 1.0 of a metric stream: "));
    }

    /// Labels are of another type there, and are not read.
    #[test]
    fn opentelemetry_0_7_is_named_as_the_problem() {
        let mut point = sent("");
        point.namespace = String::new();
        let (found, delivery) = names(&Format::OpenTelemetry.delivery("id", &[point]));
        assert!(found.is_empty());
        assert!(delivery.problem.unwrap().contains("has to be JSON or OpenTelemetry 1.0"));
    }
}
