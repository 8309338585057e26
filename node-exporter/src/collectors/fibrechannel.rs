//! Ports of Fibre Channel host adapters: `/sys/class/fc_host`, see the kernel's
//! `drivers/scsi/scsi_transport_fc.c`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::attributes::{Attributes, Values, as_strs, attribute, each, labels};
use crate::host::{Device, Host, OrAbsent, if_supported};

pub(super) static DEFINITION: Definition =
    Definition::new("fibrechannel", "Fibre Channel host adapters", |host, _| {
        Ok(Source::blocking(FibreChannel(host.clone())))
    })
    .cost("about 20 small files per port")
    .reads(&["/sys/class/fc_host/host*/*", "/sys/class/fc_host/host*/statistics/*"])
    .metrics(&[&INFO, &STATISTICS]);

static INFO: Desc<11> = Desc::gauge(
    "node_fibrechannel_info",
    "What a port is and how it is connected; always 1.",
    [
        "fc_host",
        "speed",
        "port_state",
        "port_type",
        "port_id",
        "port_name",
        "fabric_name",
        "symbolic_name",
        "supported_classes",
        "supported_speeds",
        "dev_loss_tmo",
    ],
);

static STATISTICS: Attributes<1, 14> = Attributes([
    attribute(
        "dumped_frames",
        Desc::counter("node_fibrechannel_dumped_frames_total", "Frames dumped.", HOST),
    ),
    attribute(
        "error_frames",
        Desc::counter("node_fibrechannel_error_frames_total", "Frames with errors.", HOST),
    ),
    attribute(
        "fcp_packet_aborts",
        Desc::counter("node_fibrechannel_fcp_packet_aborts_total", "Packets aborted.", HOST),
    ),
    attribute(
        "invalid_crc_count",
        Desc::counter("node_fibrechannel_invalid_crc_total", "Frames with a wrong CRC.", HOST),
    ),
    attribute(
        "invalid_tx_word_count",
        Desc::counter(
            "node_fibrechannel_invalid_tx_words_total",
            "Invalid transmission words received.",
            HOST,
        ),
    ),
    attribute(
        "link_failure_count",
        Desc::counter("node_fibrechannel_link_failure_total", "Failures of the link.", HOST),
    ),
    attribute(
        "loss_of_signal_count",
        Desc::counter("node_fibrechannel_loss_of_signal_total", "Times the signal was lost.", HOST),
    ),
    attribute(
        "loss_of_sync_count",
        Desc::counter(
            "node_fibrechannel_loss_of_sync_total",
            "Times synchronisation was lost.",
            HOST,
        ),
    ),
    attribute(
        "nos_count",
        Desc::counter("node_fibrechannel_nos_total", "Not-operational sequences received.", HOST),
    ),
    attribute(
        "rx_frames",
        Desc::counter("node_fibrechannel_rx_frames_total", "Frames received.", HOST),
    ),
    attribute(
        "rx_words",
        Desc::counter("node_fibrechannel_rx_words_total", "Words of four bytes received.", HOST),
    ),
    attribute(
        "seconds_since_last_reset",
        Desc::counter(
            "node_fibrechannel_seconds_since_last_reset_total",
            "Seconds since the statistics were reset.",
            HOST,
        ),
    ),
    attribute(
        "tx_frames",
        Desc::counter("node_fibrechannel_tx_frames_total", "Frames sent.", HOST),
    ),
    attribute(
        "tx_words",
        Desc::counter("node_fibrechannel_tx_words_total", "Words of four bytes sent.", HOST),
    ),
]);

const HOST: [&str; 1] = ["fc_host"];

struct FibreChannel(Host);

impl Collector for FibreChannel {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let devices = self.0.devices("class/fc_host").or_absent("Fibre Channel adapter")?;
        let (ports, result) =
            each(devices, |name, device| Ok((info(name, device)?, statistics(device)?)));
        let mut info = out.family(&INFO);
        for (_, (labels, _)) in &ports {
            info.sample(as_strs(labels), 1.0);
        }
        let rows: Vec<_> =
            ports.iter().map(|(name, (_, statistics))| ([name.as_str()], *statistics)).collect();
        STATISTICS.expose(out, &rows);
        result
    }
}

/// The labels of [`INFO`]; empty if the driver does not provide them.
fn info(name: &str, device: &Device) -> Result<[String; 11], Error> {
    labels(name, &INFO, |file| {
        let text = if_supported(device.string(file))?.unwrap_or_default();
        let hexadecimal = matches!(file, "fabric_name" | "port_id" | "port_name");
        Ok(match text.strip_prefix("0x") {
            Some(digits) if hexadecimal => digits.to_owned(),
            _ => text,
        })
    })
}

fn statistics(device: &Device) -> Result<Values<14>, Error> {
    let Some(directory) = if_supported(device.device("statistics"))? else { return Ok([None; 14]) };
    STATISTICS.values(|name| {
        let Some(text) = if_supported(directory.string(name))? else { return Ok(None) };
        match count(&text) {
            // All bits are set if the driver does not keep this count.
            Some(count) => Ok((count != u64::MAX).then_some(count as f64)),
            None => Err(directory.parse_error(name, "a hexadecimal count such as 0x1f", &text)),
        }
    })
}

fn count(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_hexadecimal() {
        for (text, expected) in [
            ("0x0", Some(0)),
            ("0x1f", Some(31)),
            ("0xffffffffffffffff", Some(u64::MAX)),
            ("0x10000000000000000", None),
            ("31", None),
            ("0x", None),
            ("", None),
        ] {
            assert_eq!(count(text), expected, "{text}");
        }
    }
}
