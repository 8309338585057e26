//! The JSON format of metric streams: an object on each line.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Datapoint, Values};

/// A datapoint, with the keys that are used.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    account_id: Cow<'a, str>,
    #[serde(borrow, default)]
    region: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Cow<'a, str>,
    #[serde(borrow)]
    metric_name: Cow<'a, str>,
    #[serde(borrow, default)]
    dimensions: Dimensions<'a>,
    /// In milliseconds since 1970.
    timestamp: i64,
    #[serde(borrow)]
    value: Statistics<'a>,
    #[serde(borrow, default)]
    unit: Cow<'a, str>,
}

#[derive(Default)]
struct Dimensions<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

#[derive(Default)]
struct Statistics<'a> {
    values: Values,
    extended: Vec<(Cow<'a, str>, f64)>,
}

/// A string, borrowed if it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Calls `take` with each datapoint of a record, or with the error of an invalid line.
pub(super) fn read<'a>(
    record: &'a [u8],
    mut take: impl FnMut(Result<Datapoint<'a>, serde_json::Error>),
) {
    for line in record.split(|byte| *byte == b'\n') {
        // A line may contain several objects.
        for line in serde_json::Deserializer::from_slice(line).into_iter::<Line<'a>>() {
            let is_err = line.is_err();
            take(line.map(Datapoint::from));
            if is_err {
                break;
            }
        }
    }
}

impl<'a> From<Line<'a>> for Datapoint<'a> {
    fn from(line: Line<'a>) -> Self {
        Self {
            account: line.account_id,
            region: line.region,
            namespace: line.namespace,
            metric: line.metric_name,
            dimensions: line.dimensions.0,
            start: line.timestamp,
            values: line.value.values,
            extended: line.value.extended,
            unit: line.unit,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Dimensions<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Dimensions<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("dimensions by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some((Text(name), Text(value))) = map.next_entry()? {
                    pairs.push((name, value));
                }
                Ok(Dimensions(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Statistics<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByName;
        impl<'de> Visitor<'de> for ByName {
            type Value = Statistics<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("values of statistics by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut statistics = Statistics::default();
                while let Some((Text(name), value)) = map.next_entry::<_, Option<f64>>()? {
                    let Some(value) = value else { continue };
                    match &*name {
                        "count" => statistics.values.count = value,
                        "sum" => statistics.values.sum = value,
                        "min" => statistics.values.minimum = value,
                        "max" => statistics.values.maximum = value,
                        _ => statistics.extended.push((name, value)),
                    }
                }
                Ok(statistics)
            }
        }
        deserializer.deserialize_map(ByName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The starts of the datapoints, and the number of errors.
    fn starts(record: &str) -> (Vec<i64>, usize) {
        let (mut starts, mut errors) = (Vec::new(), 0);
        read(record.as_bytes(), |point| match point {
            Ok(point) => starts.push(point.start),
            Err(_) => errors += 1,
        });
        (starts, errors)
    }

    fn line(start: i64) -> String {
        format!(
            "{{\"metric_stream_name\":\"s\",\"account_id\":\"123456789012\",\"region\":\"eu-west-1\",\
             \"namespace\":\"AWS/EC2\",\"metric_name\":\"DiskWriteOps\",\"dimensions\":{{\"InstanceId\":\
             \"i-1\",\"a\\\"b\":\"\\u00e9\"}},\"timestamp\":{start},\"value\":{{\"count\":3.0,\"sum\":20.0,\
             \"max\":18.0,\"min\":0.0,\"p99\":17.56,\"TM(25%:75%)\":16.43,\"p1\":null}},\"unit\":\"Seconds\"}}"
        )
    }

    #[test]
    fn a_line_is_a_datapoint() {
        let line = line(1_611_929_698_000);
        let mut points = Vec::new();
        read(line.as_bytes(), |point| points.push(point.unwrap()));
        let [point] = points.as_slice() else { panic!("{points:?}") };
        assert_eq!((&*point.account, &*point.region), ("123456789012", "eu-west-1"));
        assert_eq!((&*point.namespace, &*point.metric), ("AWS/EC2", "DiskWriteOps"));
        let pairs: Vec<_> = point.dimensions.iter().map(|(a, b)| (&**a, &**b)).collect();
        assert_eq!(pairs, [("InstanceId", "i-1"), ("a\"b", "é")]);
        assert!(matches!(&point.dimensions[0].0, Cow::Borrowed(_)));
        assert_eq!(point.start, 1_611_929_698_000);
        let values = Values { count: 3.0, sum: 20.0, minimum: 0.0, maximum: 18.0 };
        assert_eq!(point.values, values);
        let extended: Vec<_> = point.extended.iter().map(|(name, one)| (&**name, *one)).collect();
        assert_eq!(point.unit, "Seconds");
        assert_eq!(extended, [("p99", 17.56), ("TM(25%:75%)", 16.43)]);
    }

    #[test]
    fn an_invalid_line_does_not_affect_others() {
        let (one, two) = (line(1), line(2));
        for (record, expected) in [
            (String::new(), (vec![], 0)),
            (format!("{one}\n{two}\n"), (vec![1, 2], 0)),
            (format!("{one}{two}"), (vec![1, 2], 0)),
            (format!("{{}}\n{one}\nx\n\n{two}"), (vec![1, 2], 2)),
            (format!("{one}x{two}\n{two}"), (vec![1, 2], 1)),
            (one.replace("\"sum\":20.0", "\"sum\":1e999"), (vec![], 1)),
            (one.replace("\"timestamp\":1", "\"timestamp\":-1"), (vec![-1], 0)),
            (one.replace("{\"InstanceId\"", "[\"InstanceId\""), (vec![], 1)),
        ] {
            assert_eq!(starts(&record), expected, "{record}");
        }
    }
}
