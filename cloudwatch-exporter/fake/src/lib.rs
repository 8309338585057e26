//! A CloudWatch for tests, on loopback: the wire format of the real one, its limits, its faults and its charges.
//!
//! [`Fake::start`] serves a [`Model`] from a thread of its own until it is dropped. It speaks Smithy RPC v2 CBOR, which
//! is all that `aws-sdk-cloudwatch` speaks, and supports `ListMetrics`, `GetMetricData` and `GetMetricStatistics`.
//! Metric math (`Expression`) is not supported, and signatures are not verified: any credentials are accepted.
//!
//! At the same address, because `AWS_ENDPOINT_URL` applies to all services:
//!
//! - STS: `AssumeRole` and `AssumeRoleWithWebIdentity` of any role in any account, `GetCallerIdentity`. The access key
//!   ID of a session is `ASIA` and the last part of the role's name; [`Call::access_key`] has it for the calls that it signs.
//! - The tagging API: `GetResources`, with filters by tag and by type, in pages.
//! - The metadata service of an instance (`AWS_EC2_METADATA_SERVICE_ENDPOINT`), version 2 only, role `instance`.
//!
//! ```
//! use fake_cloudwatch::{Fake, Fault, Metric, Model, Operation, Values};
//!
//! let metric = Metric::new("AWS/ELB", "HealthyHostCount")
//!     .dimension("AvailabilityZone", "a")
//!     .dimension("LoadBalancerName", "myLB")
//!     .values(Values::Samples(vec![1.0, 2.0, 3.0]));
//! let fake = Fake::start(Model::new().metric(metric))?;
//! fake.inject(Fault::throttle().on(Operation::GetMetricData).first(2));
//! // … AWS_ENDPOINT_URL is fake.url() …
//! assert_eq!(fake.counters().get_metric_data.received, 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Where AWS's documentation leaves the behavior open, the fake chooses the one that is hardest to handle for a client:
//!
//! - A response contains the periods that start between the start of the request, rounded down to the minute, and its
//!   end. Samples after the end are ignored, so the sum of the last period may be incomplete.
//! - A page of `GetMetricData` has a result for every query that is not complete yet. Queries that do not fit have the
//!   status `PartialData` and no values.
//! - Datapoints of `GetMetricStatistics` are not sorted; `Statistics` together with `ExtendedStatistics` is an error.
//! - The label of a result is the name of the metric unless the query has a label.
//!
//! The binary serves a model in JSON. Both have, under `/control/`: `counters` (GET; DELETE resets them), `calls`
//! (GET: the requests as received), `faults` (POST one, DELETE all) and `model` (PUT), `now` (PUT a Unix second,
//! or null for the clock of the machine). A fault is
//! `{"kind": {"error": {"status": 400, "code": "Throttling"}}, "operation": "GetMetricData", "when": {"first": 3}}`, a
//! model `{"metrics": [{"namespace": "AWS/EC2", "name": "CPUUtilization", "dimensions": [{"name": "InstanceId", "value":
//! "i-1"}], "values": {"constant": 12.5}}]}`.
//!
//! `fake-cloudwatch stream json|opentelemetry MODEL` prints the body that Firehose would deliver for the last full
//! minute of the model, for `curl --data-binary @-`; [`stream`] builds it.

mod api_error;
mod catalog;
mod cbor;
mod control;
mod counters;
mod fake;
mod fault;
mod get_metric_data;
mod get_metric_statistics;
mod get_resources;
mod imds;
mod list_metrics;
mod metric;
mod model;
mod operation;
mod protocol;
mod request;
mod server;
mod state;
mod statistic;
pub mod stream;
mod sts;
mod token;
mod window;

pub use self::counters::{Calls, Counters};
pub use self::fake::Fake;
pub use self::fault::Fault;
pub use self::get_metric_data::{GetMetricData, MetricStat, Query};
pub use self::get_metric_statistics::GetMetricStatistics;
pub use self::get_resources::{GetResources, TagFilter};
pub use self::list_metrics::{Filter, ListMetrics};
pub use self::metric::{Dimension, Metric, Values};
pub use self::model::{Limits, Model, Resource, Role};
pub use self::operation::Operation;
pub use self::request::{Call, Request};
pub use self::sts::AssumeRole;
