//! Driver statistics, with driver-specific names.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use exporter_core::desc::{Describe, DynDesc, Kind};
use exporter_core::families::Families;
use regex::bytes::Regex;

/// The families of all drivers, for the list of metrics.
pub(super) struct Statistics;

impl Describe for Statistics {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        visit(desc("node_ethtool_<statistic>", HELP));
    }
}

const HELP: &str = "A statistic of the network driver.";

fn desc<'a>(name: &'a str, help: &'a str) -> DynDesc<'a> {
    DynDesc::new(name, help, Kind::Untyped, &["device"])
}

/// Names that are not derived from those of the driver.
const RENAMED: [(&str, &str); 7] = [
    ("rx_bytes", "node_ethtool_received_bytes_total"),
    ("rx_dropped", "node_ethtool_received_dropped_total"),
    ("rx_errors", "node_ethtool_received_errors_total"),
    ("rx_packets", "node_ethtool_received_packets_total"),
    ("tx_bytes", "node_ethtool_transmitted_bytes_total"),
    ("tx_errors", "node_ethtool_transmitted_errors_total"),
    ("tx_packets", "node_ethtool_transmitted_packets_total"),
];

/// Writes the statistics of all devices whose sanitized names match `pattern`. Statistics of one
/// device with the same sanitized name are all left out.
pub(super) fn write<'a>(
    out: &mut Families,
    devices: impl Iterator<Item = (&'a str, &'a [(String, u64)])>,
    pattern: Option<&Regex>,
) {
    let mut families = BTreeMap::<String, Vec<(&str, u64)>>::new();
    for (device, statistics) in devices {
        let mut names = BTreeMap::new();
        for (name, value) in statistics {
            let sanitized = sanitized(name);
            if pattern.is_some_and(|pattern| !pattern.is_match(sanitized.as_bytes())) {
                continue;
            }
            match names.entry(family_name(&sanitized)) {
                Entry::Vacant(entry) => {
                    entry.insert(Some(*value));
                }
                Entry::Occupied(mut entry) => *entry.get_mut() = None,
            }
        }
        for (name, value) in names {
            if let Some(value) = value {
                families.entry(name).or_default().push((device, value));
            }
        }
    }
    for (name, samples) in &families {
        let mut family = out.open(desc(name, HELP));
        for (device, value) in samples {
            family.sample(&[device], *value as f64);
        }
    }
}

/// Replaces each run of characters that are invalid in metric names with one `_`.
fn sanitized(name: &str) -> String {
    let mut sanitized = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let (head, tail) = rest.split_at(at);
        sanitized.push_str(head.trim_end_matches('_'));
        sanitized.push('_');
        rest = tail.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        rest = rest.trim_start_matches('_');
    }
    sanitized.push_str(rest);
    sanitized
}

fn family_name(sanitized: &str) -> String {
    if let Some((_, name)) = RENAMED.iter().find(|(of_driver, _)| *of_driver == sanitized) {
        return (*name).to_owned();
    }
    let lower = sanitized.to_ascii_lowercase();
    let words = replace_word(lower.trim_start_matches('_'), "rx", "received");
    format!("node_ethtool_{}", replace_word(&words, "tx", "transmitted"))
}

/// Replaces a word between underscores. Of two consecutive ones, only the first is replaced: the
/// pattern of the original consumes the underscore between them.
fn replace_word(name: &str, short: &str, long: &str) -> String {
    let mut was_replaced = false;
    let words: Vec<_> = name
        .split('_')
        .map(|word| {
            was_replaced = word == short && !was_replaced;
            if was_replaced { long } else { word }
        })
        .collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;

    #[test]
    fn names_match_node_exporter() {
        for (of_driver, name) in [
            ("rx_bytes", "node_ethtool_received_bytes_total"),
            ("tx_queue_0_bytes", "node_ethtool_transmitted_queue_0_bytes"),
            ("port.rx_dropped", "node_ethtool_port_received_dropped"),
            ("rx_tx_rx", "node_ethtool_received_transmitted_received"),
            ("tx_tx_timeouts", "node_ethtool_transmitted_tx_timeouts"),
            ("rx0_drops", "node_ethtool_rx0_drops"),
            ("align errors", "node_ethtool_align_errors"),
            ("_[3]: RX_ok__", "node_ethtool_3_received_ok__"),
            ("a_-_b", "node_ethtool_a_b"),
        ] {
            assert_eq!(family_name(&sanitized(of_driver)), name, "{of_driver:?}");
        }
    }

    #[test]
    fn duplicate_names_are_left_out() {
        let eth0 = [("a b", 1), ("a_b", 2), ("a.b", 3), ("c", 4)].map(|(n, v)| (n.to_owned(), v));
        let eth1 = [("a b", 5), ("tx_c", 6)].map(|(name, value)| (name.to_owned(), value));
        let devices = [("eth0", &eth0[..]), ("eth1", &eth1[..])];
        for (pattern, expected) in [
            (".*", "a_b{device=\"eth1\"} 5;c{device=\"eth0\"} 4;transmitted_c{device=\"eth1\"} 6"),
            ("^tx_", "transmitted_c{device=\"eth1\"} 6"),
        ] {
            let mut out = Families::default();
            write(&mut out, devices.into_iter(), Some(&Regex::new(pattern).unwrap()));
            let page = String::from_utf8(testing::page(&[out])).unwrap();
            let samples: Vec<_> =
                page.lines().filter_map(|line| line.strip_prefix("node_ethtool_")).collect();
            assert_eq!(samples.join(";"), expected);
        }
    }
}
