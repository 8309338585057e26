//! The section `stream`, and the rules that are fed by metric streams.

use exporter_core::config_file::Fault;
use exporter_core::config_file::yaml::line_of;
use serde_saphyr::Spanned;

use super::file::{GivenStream, not_empty};
use crate::rule::{Rule, STREAMED_PERIODS};
use crate::target::Target;

/// The receiver of metric streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stream {
    /// The line in the file.
    pub(crate) line: u64,
    /// `HOST:PORT` or `:PORT`.
    pub(crate) listen_address: String,
    /// A file with an access key on each line.
    pub(crate) access_key_file: String,
    /// A web configuration file with TLS; `None` is plain HTTP.
    pub(crate) web_config_file: Option<String>,
}

pub(super) fn stream(given: Spanned<GivenStream>) -> Result<Stream, Fault> {
    let line = line_of(&given);
    let GivenStream { listen_address, access_key_file, web_config_file } = given.value;
    let required = |value: Option<String>, key: &str| {
        value.ok_or_else(|| Fault::new("stream", line, format!("needs the key {key}")))
    };
    let address = not_empty(listen_address, "stream.listen_address")?;
    Ok(Stream {
        line: line.unwrap_or_default(),
        listen_address: required(address, "listen_address")?,
        access_key_file: required(
            not_empty(access_key_file, "stream.access_key_file")?,
            "access_key_file",
        )?,
        web_config_file: not_empty(web_config_file, "stream.web_config_file")?,
    })
}

/// Checks that metric streams can feed the rules with `from_stream`.
pub(super) fn check(
    stream: Option<&Stream>,
    rules: &[Rule],
    targets: &[Target],
) -> Result<(), Fault> {
    for rule in rules.iter().filter(|rule| rule.from_stream) {
        let fault = |key: &str, problem: String| Err(Fault::new(key, Some(rule.line), problem));
        if stream.is_none() {
            let problem = "needs `stream`, with a listen_address and an access_key_file";
            return fault("from_stream", problem.to_owned());
        }
        let period = rule.window.period;
        if !STREAMED_PERIODS.contains(&period) {
            let problem = format!(
                "{}: a metric stream has a datapoint a minute, of which periods from 60 to 3600 s can be \
                 made; it is {period}",
                rule.title()
            );
            return fault("period_seconds", problem);
        }
        if let Some(extended) = rule.statistics.iter().find(|one| one.is_extended && period > 60) {
            let problem = format!(
                "{}: {} of minutes cannot be combined to that of {period} s; set period_seconds: 60",
                rule.title(),
                extended.name
            );
            return fault("from_stream", problem);
        }
        for target in targets.iter().filter(|target| rule.applies_to(target)) {
            if target.region.is_none() {
                let problem = "needs a region: datapoints of a stream are told apart by it";
                return fault("from_stream", problem.to_owned());
            }
            let account = target.account.as_ref().filter(|account| !account.name.is_empty());
            if let Some(account) = account.filter(|one| one.id.is_empty() && !one.is_linked) {
                let problem = format!(
                    "needs the account_id of the account {:?}: datapoints of a stream are told apart by it",
                    account.name
                );
                return fault("from_stream", problem);
            }
        }
    }
    Ok(())
}
