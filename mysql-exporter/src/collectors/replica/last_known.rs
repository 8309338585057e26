//! Estimates the lag while the server does not report it.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

/// The last reported lag of each channel, and when it was reported. While none is reported, for
/// example because the channel is stopped, the lag grows with time.
#[derive(Debug, Default)]
pub(super) struct LastKnown(HashMap<String, (f64, Instant)>);

impl LastKnown {
    /// The lag of a channel: the reported one, or else the last reported one plus the time since.
    pub(super) fn lag(&mut self, channel: &str, reported: Option<f64>) -> Option<f64> {
        if let Some(lag) = reported {
            self.0.insert(channel.to_owned(), (lag, Instant::now()));
            return reported;
        }
        self.0.get(channel).map(|(lag, since)| lag + since.elapsed().as_secs_f64())
    }

    /// Removes all other channels.
    pub(super) fn retain(&mut self, channels: &[&str]) {
        let channels: HashSet<_> = channels.iter().copied().collect();
        self.0.retain(|known, _| channels.contains(known.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use exporter_core::testing::until;

    use super::*;

    #[test]
    fn lag_grows_while_a_channel_is_stopped() {
        let mut last_known = LastKnown::default();
        assert_eq!(last_known.lag("a", None), None, "nothing is known yet");
        assert_eq!(last_known.lag("a", Some(3.0)), Some(3.0));
        until(|| last_known.lag("a", None) > Some(3.0), || "it does not grow".into());
        assert_eq!(last_known.lag("a", Some(0.0)), Some(0.0));
        last_known.retain(&["b"]);
        assert_eq!(last_known.lag("a", None), None);
    }
}
