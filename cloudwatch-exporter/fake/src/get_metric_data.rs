//! `GetMetricData`: up to 500 queries of one statistic each, newest datapoint first, in pages of
//! datapoints.

use std::collections::{HashMap, HashSet};

use minicbor::{Decoder, decode};
use serde::Serialize;

use crate::api_error::ApiError;
use crate::catalog::{self, Catalog};
use crate::cbor::{self, Encoded, Writer};
use crate::metric::{Dimension, Metric};
use crate::model::Caller;
use crate::statistic::{Period, Statistic};
use crate::token;
use crate::window::{Window, is_period};

/// The number of statistics of a metric that are billed as one metric.
const STATISTICS_PER_BILLED_METRIC: u64 = 5;

/// The request as received.
#[derive(Clone, Debug, Default, Hash, Serialize)]
pub struct GetMetricData {
    pub queries: Vec<Query>,
    /// Unix seconds.
    pub start: Option<i64>,
    /// Unix seconds.
    pub end: Option<i64>,
    pub next_token: Option<String>,
    pub scan_by: Option<String>,
    pub max_datapoints: Option<i64>,
}

/// One statistic of one metric.
#[derive(Clone, Debug, Default, Hash, Serialize)]
pub struct Query {
    pub id: String,
    pub label: Option<String>,
    pub return_data: Option<bool>,
    pub account: Option<String>,
    pub expression: Option<String>,
    pub metric: Option<MetricStat>,
}

#[derive(Clone, Debug, Default, Hash, Serialize)]
pub struct MetricStat {
    pub namespace: String,
    pub name: String,
    pub dimensions: Vec<Dimension>,
    pub period: i64,
    pub statistic: String,
    pub unit: Option<String>,
}

/// The faults that affect a page.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PageFaults {
    /// The maximum number of datapoints in the page.
    pub(crate) datapoints: Option<usize>,
    /// All results have the status `InternalError`.
    pub(crate) internal: bool,
}

/// The body of a page and its number of datapoints.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) body: Vec<u8>,
    pub(crate) datapoints: u64,
}

impl<B: Into<Vec<u8>>> From<B> for Page {
    fn from(body: B) -> Self {
        Self { body: body.into(), datapoints: 0 }
    }
}

impl GetMetricData {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut request = Self::default();
        cbor::fields(&mut Decoder::new(body), |name, decoder| {
            match name {
                "MetricDataQueries" => request.queries = cbor::list(decoder, Query::parse)?,
                "StartTime" => request.start = Some(cbor::time(decoder)?),
                "EndTime" => request.end = Some(cbor::time(decoder)?),
                "NextToken" => request.next_token = Some(cbor::text(decoder)?),
                "ScanBy" => request.scan_by = Some(cbor::text(decoder)?),
                "MaxDatapoints" => request.max_datapoints = Some(decoder.i64()?),
                _ => decoder.skip()?,
            }
            Ok(())
        })?;
        Ok(request)
    }

    /// The number of billed metrics: each covers up to five statistics.
    pub(crate) fn billed(&self) -> u64 {
        let mut statistics: HashMap<String, u64> = HashMap::with_capacity(self.queries.len());
        let mut key = String::new();
        for query in &self.queries {
            let Some(metric) = &query.metric else { continue };
            let account = query.account.as_deref();
            catalog::write_key(
                &mut key,
                [account, None],
                &metric.namespace,
                &metric.name,
                &metric.dimensions,
            );
            match statistics.get_mut(key.as_str()) {
                Some(count) => *count += 1,
                None => _ = statistics.insert(key.clone(), 1),
            }
        }
        statistics.values().map(|count| count.div_ceil(STATISTICS_PER_BILLED_METRIC)).sum()
    }

    pub(crate) fn respond(
        &self,
        catalog: &Catalog,
        caller: &Caller,
        now: i64,
        faults: PageFaults,
    ) -> Result<Page, ApiError> {
        let limits = catalog.model.limits;
        let (start, end) = self.times()?;
        let ascending = match self.scan_by.as_deref() {
            None | Some("TimestampDescending") => false,
            Some("TimestampAscending") => true,
            Some(_) => {
                return Err(ApiError::validation("The value for parameter ScanBy is not valid."));
            }
        };
        let statistics = self.statistics(limits.queries)?;
        let max = match self.max_datapoints {
            None => limits.datapoints,
            Some(max) => usize::try_from(max)
                .ok()
                .filter(|max| (1..=limits.datapoints).contains(max))
                .ok_or_else(|| {
                    ApiError::validation(
                        "The value for parameter MaxDatapoints is out of its range.",
                    )
                })?,
        };
        let tag = token::tag(&(&self.queries, start, end, ascending));
        let position =
            self.next_token.as_deref().map(|token| token::read(token, tag)).transpose()?;

        let mut page = Pager {
            writer: Writer::new(Vec::with_capacity(self.queries.len() * 120)),
            remaining: faults.datapoints.map_or(max, |limit| limit.min(max)),
            datapoints: 0,
            next: None,
            ascending,
            points: Vec::new(),
            internal: faults.internal,
        };
        let (first, mut resume_at) =
            position.map_or((0, None), |(query, start)| (query, Some(start)));
        page.writer.begin_map()?.str("MetricDataResults")?.begin_array()?;
        let mut key = String::new();
        for ((index, query), statistic) in (0_i64..).zip(&self.queries).zip(statistics) {
            let Some(metric) = &query.metric else { continue };
            if index < first || query.return_data == Some(false) {
                continue;
            }
            let window = Window::new(start..end, metric.period, now);
            let account = query.account.as_deref().unwrap_or(&caller.account);
            let found = catalog.find(
                &mut key,
                account,
                &caller.region,
                &metric.namespace,
                &metric.name,
                &metric.dimensions,
            );
            let found =
                found.filter(|found| metric.unit.as_ref().is_none_or(|unit| *unit == found.unit));
            let from = if index == first { resume_at.take() } else { None };
            page.write(index, query, found.map(|found| (found, window, statistic)), from)?;
        }
        page.finish(tag)
    }

    fn times(&self) -> Result<(i64, i64), ApiError> {
        let missing = |name| ApiError::validation(format!("The parameter {name} is required."));
        let start = self.start.ok_or_else(|| missing("StartTime"))?;
        let end = self.end.ok_or_else(|| missing("EndTime"))?;
        match start.cmp(&end) {
            std::cmp::Ordering::Less => Ok((start, end)),
            std::cmp::Ordering::Equal => Err(ApiError::validation(
                "The parameter StartTime must not equal parameter EndTime.",
            )),
            std::cmp::Ordering::Greater => Err(ApiError::validation(
                "The parameter StartTime must be less than the parameter EndTime.",
            )),
        }
    }

    /// The statistic of each query, if all of them are valid.
    fn statistics(&self, max: usize) -> Result<Vec<Statistic>, ApiError> {
        let size =
            |bound| format!("The collection MetricDataQueries must not have a size {bound}.");
        if self.queries.is_empty() {
            return Err(ApiError::validation(size("less than 1".to_owned())));
        }
        if self.queries.len() > max {
            return Err(ApiError::validation(size(format!("greater than {max}"))));
        }
        let mut ids = HashSet::with_capacity(self.queries.len());
        let mut statistics = Vec::with_capacity(self.queries.len());
        for (index, query) in self.queries.iter().enumerate() {
            let member = format_args!("MetricDataQueries.member.{}", index + 1);
            if !is_id(&query.id) {
                return Err(ApiError::validation(format!(
                    "The value {} for parameter {member}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
                    query.id
                )));
            }
            if !ids.insert(query.id.as_str()) {
                return Err(ApiError::validation(
                    "The values for parameter id in MetricDataQueries are not unique.",
                ));
            }
            let (Some(metric), None) = (&query.metric, &query.expression) else {
                return Err(ApiError::validation(format!(
                    "{member} needs a MetricStat and no Expression: this fake does no arithmetic."
                )));
            };
            if metric.namespace.is_empty() || metric.name.is_empty() {
                return Err(ApiError::validation(format!(
                    "{member}.MetricStat.Metric needs Namespace and MetricName."
                )));
            }
            if metric.dimensions.len() > 30 {
                return Err(ApiError::validation(format!(
                    "{member}.MetricStat.Metric has more than 30 dimensions."
                )));
            }
            if !is_period(metric.period) {
                return Err(ApiError::validation(format!(
                    "The value for parameter {member}.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60."
                )));
            }
            statistics.push(Statistic::parse(&metric.statistic).ok_or_else(|| {
                ApiError::validation(format!(
                    "The value for parameter {member}.MetricStat.Stat is not a valid statistic."
                ))
            })?);
        }
        Ok(statistics)
    }
}

impl Query {
    fn parse(decoder: &mut Decoder<'_>) -> Result<Self, decode::Error> {
        let mut query = Self::default();
        cbor::fields(decoder, |name, decoder| {
            match name {
                "Id" => query.id = cbor::text(decoder)?,
                "Label" => query.label = Some(cbor::text(decoder)?),
                "ReturnData" => query.return_data = Some(decoder.bool()?),
                "AccountId" => query.account = Some(cbor::text(decoder)?),
                "Expression" => query.expression = Some(cbor::text(decoder)?),
                "MetricStat" => query.metric = Some(MetricStat::parse(decoder)?),
                _ => decoder.skip()?,
            }
            Ok(())
        })?;
        Ok(query)
    }
}

impl MetricStat {
    fn parse(decoder: &mut Decoder<'_>) -> Result<Self, decode::Error> {
        let mut stat = Self::default();
        cbor::fields(decoder, |name, decoder| {
            match name {
                "Metric" => cbor::fields(decoder, |name, decoder| {
                    match name {
                        "Namespace" => stat.namespace = cbor::text(decoder)?,
                        "MetricName" => stat.name = cbor::text(decoder)?,
                        "Dimensions" => stat.dimensions = cbor::list(decoder, cbor::dimension)?,
                        _ => decoder.skip()?,
                    }
                    Ok(())
                })?,
                "Period" => stat.period = decoder.i64()?,
                "Stat" => stat.statistic = cbor::text(decoder)?,
                "Unit" => stat.unit = Some(cbor::text(decoder)?),
                _ => decoder.skip()?,
            }
            Ok(())
        })?;
        Ok(stat)
    }
}

fn is_id(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.len() <= 255
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Writes results until the page is full, and notes where the next page starts.
struct Pager {
    writer: Writer,
    /// How many more datapoints fit in the page.
    remaining: usize,
    datapoints: u64,
    /// The query, and the start of its period, with which the next page starts.
    next: Option<(i64, i64)>,
    ascending: bool,
    points: Vec<(i64, f64)>,
    internal: bool,
}

impl Pager {
    fn write(
        &mut self,
        index: i64,
        query: &Query,
        source: Option<(&Metric, Window, Statistic)>,
        from: Option<i64>,
    ) -> Encoded {
        self.points.clear();
        let mut next_start = None;
        if let Some((metric, window, statistic)) = source.filter(|_| !self.internal) {
            let mut period = Period::for_statistics(&[statistic]);
            let mut read = |start: i64| {
                let is_done = from
                    .is_some_and(|from| if self.ascending { start < from } else { start > from });
                if next_start.is_some() || is_done {
                    return;
                }
                window.read(metric, start, &mut period);
                match period.get(statistic) {
                    Some(_) if self.points.len() >= self.remaining => next_start = Some(start),
                    Some(value) => self.points.push((start, value)),
                    None => {}
                }
            };
            if self.ascending {
                window.starts().for_each(&mut read);
            } else {
                window.starts().rev().for_each(&mut read);
            }
        }
        self.remaining -= self.points.len();
        self.datapoints += self.points.len() as u64;
        if let (None, Some(start)) = (self.next, next_start) {
            self.next = Some((index, start));
        }
        let status = match (self.internal, next_start) {
            (true, _) => "InternalError",
            (false, Some(_)) => "PartialData",
            (false, None) => "Complete",
        };
        let label = query
            .label
            .as_deref()
            .or_else(|| query.metric.as_ref().map(|metric| metric.name.as_str()));
        let writer = &mut self.writer;
        writer.map(5)?.str("Id")?.str(&query.id)?.str("Label")?.str(label.unwrap_or_default())?;
        writer.str("Timestamps")?.array(self.points.len() as u64)?;
        for (start, _) in &self.points {
            cbor::write_time(writer, *start)?;
        }
        writer.str("Values")?.array(self.points.len() as u64)?;
        for (_, value) in &self.points {
            writer.f64(*value)?;
        }
        writer.str("StatusCode")?.str(status)?;
        Ok(())
    }

    fn finish(mut self, tag: u64) -> Result<Page, ApiError> {
        self.writer.end()?;
        if let Some((index, start)) = self.next {
            self.writer.str("NextToken")?.str(&token::write(tag, index, start))?;
        }
        self.writer.end()?;
        Ok(Page { body: self.writer.into_writer(), datapoints: self.datapoints })
    }
}
