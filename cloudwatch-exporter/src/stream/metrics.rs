//! Metrics of the receiver of metric streams.

use exporter_core::instrument::{Counter, Gauge, Instrument, Labelled, Metric};

pub(crate) static DELIVERIES: Metric<Counter> = Metric::counter(
    "cloudwatch_stream_deliveries_total",
    "Deliveries of metric streams that were accepted.",
);
pub(crate) static REJECTED: Labelled<Counter, 1> = Labelled::counter(
    "cloudwatch_stream_rejected_deliveries_total",
    "Deliveries of metric streams that were rejected. Firehose repeats all of them but those with the reason \
     too_large.",
    ["reason"],
);
pub(crate) static DATAPOINTS: Metric<Counter> = Metric::counter(
    "cloudwatch_stream_datapoints_total",
    "Datapoints of metric streams that were kept.",
);
pub(crate) static DROPPED: Labelled<Counter, 1> = Labelled::counter(
    "cloudwatch_stream_dropped_datapoints_total",
    "Datapoints of metric streams that were dropped. With the reason unreadable, lines or messages with any number of \
     datapoints.",
    ["reason"],
);
pub(crate) static SERIES: Metric<Gauge> = Metric::gauge(
    "cloudwatch_stream_series",
    "Dimension sets of rules with from_stream that have received datapoints.",
);
pub(crate) static AGE: Labelled<Gauge, 1> = Labelled::gauge(
    "cloudwatch_stream_newest_datapoint_age_seconds",
    "Time since the start of the period of the newest datapoint that was kept, by region.",
    ["region"],
);

/// All metrics, in the order of the exposition.
pub(crate) static ALL: [&(dyn Instrument + Send); 6] =
    [&DELIVERIES, &REJECTED, &DATAPOINTS, &DROPPED, &SERIES, &AGE];
