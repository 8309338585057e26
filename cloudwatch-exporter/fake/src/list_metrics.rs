//! `ListMetrics`: the metrics of a namespace, 500 per page.

use minicbor::Decoder;
use serde::Serialize;

use crate::api_error::ApiError;
use crate::cbor::{self, Encoded, Writer};
use crate::metric::Metric;
use crate::model::{Caller, Model};
use crate::token;

/// Metrics with data in this time, in seconds, are recently active.
const RECENTLY_ACTIVE: i64 = 3 * 3600;
/// Metrics without data in this time, in seconds, are not listed.
const LISTED_WITHIN: i64 = 14 * 24 * 3600;

/// The request as received.
#[derive(Clone, Debug, Default, Hash, Serialize)]
pub struct ListMetrics {
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub dimensions: Vec<Filter>,
    pub next_token: Option<String>,
    pub recently_active: Option<String>,
    pub include_linked_accounts: bool,
    pub owning_account: Option<String>,
}

/// A required dimension, with this value or any.
#[derive(Clone, Debug, Default, Eq, PartialEq, Hash, Serialize)]
pub struct Filter {
    pub name: String,
    pub value: Option<String>,
}

impl ListMetrics {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let mut request = Self::default();
        cbor::fields(&mut Decoder::new(body), |name, decoder| {
            match name {
                "Namespace" => request.namespace = Some(cbor::text(decoder)?),
                "MetricName" => request.name = Some(cbor::text(decoder)?),
                "Dimensions" => {
                    request.dimensions = cbor::list(decoder, |decoder| {
                        let mut filter = Filter::default();
                        cbor::fields(decoder, |name, decoder| {
                            match name {
                                "Name" => filter.name = cbor::text(decoder)?,
                                "Value" => filter.value = Some(cbor::text(decoder)?),
                                _ => decoder.skip()?,
                            }
                            Ok(())
                        })?;
                        Ok(filter)
                    })?;
                }
                "NextToken" => request.next_token = Some(cbor::text(decoder)?),
                "RecentlyActive" => request.recently_active = Some(cbor::text(decoder)?),
                "IncludeLinkedAccounts" => request.include_linked_accounts = decoder.bool()?,
                "OwningAccount" => request.owning_account = Some(cbor::text(decoder)?),
                _ => decoder.skip()?,
            }
            Ok(())
        })?;
        Ok(request)
    }

    pub(crate) fn respond(
        &self,
        model: &Model,
        caller: &Caller,
        now: i64,
    ) -> Result<Vec<u8>, ApiError> {
        let age = match self.recently_active.as_deref() {
            None => LISTED_WITHIN,
            Some("PT3H") => RECENTLY_ACTIVE,
            Some(_) => {
                return Err(ApiError::invalid_value(
                    "The value for parameter RecentlyActive must be PT3H.",
                ));
            }
        };
        if self.dimensions.len() > 10 {
            return Err(ApiError::invalid_value(
                "The collection Dimensions must not have a size greater than 10.",
            ));
        }
        if self.owning_account.is_some() && !self.include_linked_accounts {
            return Err(ApiError::invalid_value("OwningAccount needs IncludeLinkedAccounts."));
        }
        let tag = token::tag(&Self { next_token: None, ..self.clone() });
        let skipped = match &self.next_token {
            Some(token) => usize::try_from(token::read(token, tag)?.0)
                .map_err(|_| ApiError::invalid_token())?,
            None => 0,
        };
        let mut matching = model
            .metrics
            .iter()
            .filter(|metric| self.matches(metric, caller))
            .filter(|metric| metric.newest(now).is_some_and(|newest| newest > now - age))
            .skip(skipped);
        let page: Vec<&Metric> = matching.by_ref().take(model.limits.list_page.max(1)).collect();
        let position = i64::try_from(skipped + page.len()).unwrap_or(i64::MAX);
        let next = matching.next().map(|_| token::write(tag, position, 0));
        let mut writer = Writer::new(Vec::with_capacity(page.len() * 150));
        self.write(&mut writer, &page, caller, next.as_deref())?;
        Ok(writer.into_writer())
    }

    fn matches(&self, metric: &Metric, caller: &Caller) -> bool {
        let account = metric.account.as_deref();
        self.namespace.as_ref().is_none_or(|namespace| *namespace == metric.namespace)
            && self.name.as_ref().is_none_or(|name| *name == metric.name)
            && (account.is_none_or(|account| account == caller.account)
                || self.include_linked_accounts)
            && metric.region.as_ref().is_none_or(|region| *region == caller.region)
            && self
                .owning_account
                .as_ref()
                .is_none_or(|owner| owner == account.unwrap_or(&caller.account))
            && self.dimensions.iter().all(|filter| {
                metric.dimensions.iter().any(|dimension| {
                    dimension.name == filter.name
                        && filter.value.as_ref().is_none_or(|value| *value == dimension.value)
                })
            })
    }

    fn write(
        &self,
        writer: &mut Writer,
        page: &[&Metric],
        caller: &Caller,
        next: Option<&str>,
    ) -> Encoded {
        writer.begin_map()?;
        writer.str("Metrics")?.array(page.len() as u64)?;
        for metric in page {
            writer.map(3)?.str("Namespace")?.str(&metric.namespace)?;
            writer.str("MetricName")?.str(&metric.name)?;
            cbor::write_dimensions(writer.str("Dimensions")?, &metric.dimensions)?;
        }
        if self.include_linked_accounts {
            writer.str("OwningAccounts")?.array(page.len() as u64)?;
            for metric in page {
                writer.str(metric.account.as_deref().unwrap_or(&caller.account))?;
            }
        }
        if let Some(next) = next {
            writer.str("NextToken")?.str(next)?;
        }
        writer.end()?;
        Ok(())
    }
}
