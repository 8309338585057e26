//! `GetMetricStatistics`: several statistics of one metric, at max 1,440 datapoints, unsorted.

use minicbor::Decoder;
use serde::Serialize;

use crate::api_error::ApiError;
use crate::catalog::Catalog;
use crate::cbor::{self, Encoded, Writer};
use crate::get_metric_data::Page;
use crate::metric::Dimension;
use crate::model::Caller;
use crate::statistic::{Period, Statistic};
use crate::window::{Window, is_period};

/// The request as received.
#[derive(Clone, Debug, Default, Hash, Serialize)]
pub struct GetMetricStatistics {
    pub namespace: String,
    pub name: String,
    pub dimensions: Vec<Dimension>,
    /// Unix seconds.
    pub start: Option<i64>,
    /// Unix seconds.
    pub end: Option<i64>,
    pub period: i64,
    pub statistics: Vec<String>,
    pub extended_statistics: Vec<String>,
    pub unit: Option<String>,
}

impl GetMetricStatistics {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut request = Self::default();
        cbor::fields(&mut Decoder::new(body), |name, decoder| {
            match name {
                "Namespace" => request.namespace = cbor::text(decoder)?,
                "MetricName" => request.name = cbor::text(decoder)?,
                "Dimensions" => request.dimensions = cbor::list(decoder, cbor::dimension)?,
                "StartTime" => request.start = Some(cbor::time(decoder)?),
                "EndTime" => request.end = Some(cbor::time(decoder)?),
                "Period" => request.period = decoder.i64()?,
                "Statistics" => request.statistics = cbor::list(decoder, cbor::text)?,
                "ExtendedStatistics" => {
                    request.extended_statistics = cbor::list(decoder, cbor::text)?;
                }
                "Unit" => request.unit = Some(cbor::text(decoder)?),
                _ => decoder.skip()?,
            }
            Ok(())
        })?;
        Ok(request)
    }

    pub(crate) fn respond(
        &self,
        catalog: &Catalog,
        caller: &Caller,
        now: i64,
    ) -> Result<Page, ApiError> {
        let (start, end) = self.times(catalog.model.limits.statistics_datapoints)?;
        let basic = parse_statistics(&self.statistics, Statistic::basic)?;
        let extended = parse_statistics(&self.extended_statistics, Statistic::extended)?;
        match (basic.is_empty(), extended.is_empty()) {
            (true, true) => {
                return Err(ApiError::invalid_combination(
                    "At least one of Statistics or ExtendedStatistics must be given.",
                ));
            }
            (false, false) => {
                return Err(ApiError::invalid_combination(
                    "Statistics and ExtendedStatistics must not both be given.",
                ));
            }
            _ => {}
        }
        let all: Vec<Statistic> =
            basic.iter().chain(&extended).map(|(_, statistic)| *statistic).collect();
        let mut period = Period::for_statistics(&all);
        let window = Window::new(start..end, self.period, now);
        // CloudWatch does not sort the datapoints.
        let mut starts: Vec<i64> = window.starts().collect();
        let half = starts.len() / 2;
        starts.rotate_left(half);

        let mut page = Page { body: Vec::new(), datapoints: 0 };
        let mut writer = Writer::new(Vec::new());
        writer.map(2)?.str("Label")?.str(&self.name)?.str("Datapoints")?.begin_array()?;
        let metric = catalog.find(
            &mut String::new(),
            &caller.account,
            &caller.region,
            &self.namespace,
            &self.name,
            &self.dimensions,
        );
        if let Some(metric) =
            metric.filter(|metric| self.unit.as_ref().is_none_or(|unit| *unit == metric.unit))
        {
            for start in starts {
                window.read(metric, start, &mut period);
                if !period.is_empty() {
                    write_datapoint(
                        &mut writer,
                        start,
                        &metric.unit,
                        &basic,
                        &extended,
                        &mut period,
                    )?;
                    page.datapoints += 1;
                }
            }
        }
        writer.end()?;
        page.body = writer.into_writer();
        Ok(page)
    }

    fn times(&self, max: usize) -> Result<(i64, i64), ApiError> {
        if self.namespace.is_empty() {
            return Err(ApiError::missing_parameter("Namespace"));
        }
        if self.name.is_empty() {
            return Err(ApiError::missing_parameter("MetricName"));
        }
        if self.dimensions.len() > 30 {
            return Err(ApiError::invalid_value(
                "The collection Dimensions must not have a size greater than 30.",
            ));
        }
        let start = self.start.ok_or_else(|| ApiError::missing_parameter("StartTime"))?;
        let end = self.end.ok_or_else(|| ApiError::missing_parameter("EndTime"))?;
        if start == end {
            return Err(ApiError::invalid_value(
                "The parameter StartTime must not equal parameter EndTime.",
            ));
        }
        if start > end {
            return Err(ApiError::invalid_value(
                "The parameter StartTime must be less than the parameter EndTime.",
            ));
        }
        if !is_period(self.period) {
            return Err(ApiError::invalid_value(
                "The value for parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.",
            ));
        }
        let datapoints = (end - start) / self.period;
        if usize::try_from(datapoints).is_ok_and(|datapoints| datapoints > max) {
            return Err(ApiError::invalid_combination(format!(
                "You have requested up to {datapoints} datapoints, which exceeds the limit of {max}."
            )));
        }
        Ok((start, end))
    }
}

fn parse_statistics(
    names: &[String],
    parse: fn(&str) -> Option<Statistic>,
) -> Result<Vec<(&str, Statistic)>, ApiError> {
    let statistic = |name| {
        parse(name)
            .ok_or_else(|| ApiError::invalid_value(format!("{name} is not a valid statistic.")))
    };
    names.iter().map(|name| Ok((name.as_str(), statistic(name)?))).collect()
}

fn write_datapoint(
    writer: &mut Writer,
    start: i64,
    unit: &str,
    basic: &[(&str, Statistic)],
    extended: &[(&str, Statistic)],
    period: &mut Period,
) -> Encoded {
    cbor::write_time(writer.begin_map()?.str("Timestamp")?, start)?;
    writer.str("Unit")?.str(unit)?;
    for (name, statistic) in basic {
        if let Some(value) = period.get(*statistic) {
            writer.str(name)?.f64(value)?;
        }
    }
    if !extended.is_empty() {
        writer.str("ExtendedStatistics")?.begin_map()?;
        for (name, statistic) in extended {
            if let Some(value) = period.get(*statistic) {
                writer.str(name)?.f64(value)?;
            }
        }
        writer.end()?;
    }
    writer.end()?;
    Ok(())
}
