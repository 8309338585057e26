//! Corrected and uncorrected memory errors: `/sys/devices/system/edac/mc`, see
//! `Documentation/admin-guide/RAS/main.rst`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::attributes::{Attributes, Values, attribute};
use crate::host::{Device, Host, if_exists, if_supported};

pub(super) static DEFINITION: Definition =
    Definition::new("edac", "Memory errors", |host, _| Ok(Source::blocking(Edac(host.clone()))))
        .cost("a few small files per memory controller and row")
        .reads(&[
            "/sys/devices/system/edac/mc/mc*/{ce,ue}_{count,noinfo_count}",
            "/sys/devices/system/edac/mc/mc*/csrow*/*",
        ])
        .metrics(&[&CONTROLLER, &ROW, &CHANNEL]);

static CONTROLLER: Attributes<1, 2> = Attributes([
    attribute(
        "ce_count",
        Desc::counter(
            "node_edac_correctable_errors_total",
            "Errors of a memory controller that were corrected.",
            ["controller"],
        ),
    ),
    attribute(
        "ue_count",
        Desc::counter(
            "node_edac_uncorrectable_errors_total",
            "Errors of a memory controller that were not corrected.",
            ["controller"],
        ),
    ),
]);

static ROW: Attributes<2, 2> = Attributes([
    attribute(
        "ce_count",
        Desc::counter(
            "node_edac_csrow_correctable_errors_total",
            "Errors of a row that were corrected; `unknown` if the row is unknown.",
            ["controller", "csrow"],
        ),
    ),
    attribute(
        "ue_count",
        Desc::counter(
            "node_edac_csrow_uncorrectable_errors_total",
            "Errors of a row that were not corrected; `unknown` if the row is unknown.",
            ["controller", "csrow"],
        ),
    ),
]);

const CHANNEL_LABELS: [&str; 4] = ["controller", "csrow", "channel", "dimm_label"];

static CHANNEL: Attributes<4, 2> = Attributes([
    attribute(
        "ce_count",
        Desc::counter(
            "node_edac_channel_correctable_errors_total",
            "Errors of a channel of a row that were corrected.",
            CHANNEL_LABELS,
        ),
    ),
    attribute(
        "ue_count",
        Desc::counter(
            "node_edac_channel_uncorrectable_errors_total",
            "Errors of a channel of a row that were not corrected.",
            CHANNEL_LABELS,
        ),
    ),
]);

struct Edac(Host);

impl Collector for Edac {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut rows = Rows::default();
        let result = rows.read(&self.0);
        CONTROLLER.expose_owned(out, &rows.controllers);
        ROW.expose_owned(out, &rows.csrows);
        CHANNEL.expose_owned(out, &rows.channels);
        result
    }
}

type Counts<const N: usize> = ([String; N], Values<2>);

#[derive(Default)]
struct Rows {
    controllers: Vec<Counts<1>>,
    csrows: Vec<Counts<2>>,
    channels: Vec<Counts<4>>,
}

impl Rows {
    /// Without a memory controller that counts errors, there is nothing to report.
    fn read(&mut self, host: &Host) -> Result<(), Error> {
        let Some(devices) = if_exists(host.devices("devices/system/edac/mc"))? else {
            return Ok(());
        };
        for (name, device) in &devices {
            if let Some(controller) = number_after(name, "mc") {
                self.read_controller(controller, device)?;
            }
        }
        Ok(())
    }

    fn read_controller(&mut self, controller: &str, device: &Device) -> Result<(), Error> {
        self.controllers.push(([controller.to_owned()], CONTROLLER.read(device)?));
        let unknown = ROW.values(|name| count(device, &name.replace("count", "noinfo_count")))?;
        self.csrows.push(([controller.to_owned(), "unknown".to_owned()], unknown));
        for (name, device) in &device.devices()? {
            if let Some(row) = number_after(name, "csrow") {
                self.csrows.push(([controller.to_owned(), row.to_owned()], ROW.read(device)?));
                self.read_channels(controller, row, device)?;
            }
        }
        Ok(())
    }

    fn read_channels(&mut self, controller: &str, row: &str, device: &Device) -> Result<(), Error> {
        for name in device.names()? {
            let Some(channel) =
                number_after(&name, "ch").and_then(|rest| rest.strip_suffix("_ce_count"))
            else {
                continue;
            };
            let label = if_supported(device.string(&format!("ch{channel}_dimm_label")))?;
            let labels = [controller, row, channel, &normalized_label(&label.unwrap_or_default())];
            let values = CHANNEL.values(|name| count(device, &format!("ch{channel}_{name}")))?;
            self.channels.push((labels.map(str::to_owned), values));
        }
        Ok(())
    }
}

/// The part of a name after the prefix, if it is a number.
fn number_after<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let number = name.strip_prefix(prefix)?;
    number.starts_with(|first: char| first.is_ascii_digit()).then_some(number)
}

fn count(device: &Device, name: &str) -> Result<Option<f64>, Error> {
    Ok(if_supported(device.number::<u64>(name, "a count"))?.map(|count| count as f64))
}

/// `mc#0csrow#1channel#0`, used by drivers without slot names, becomes
/// `mc0_csrow1_channel0`.
fn normalized_label(label: &str) -> String {
    label.replace('#', "").replace("csrow", "_csrow").replace("channel", "_channel")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slot_names_are_normalized() {
        for (label, expected) in [
            ("mc#0csrow#1channel#0", "mc0_csrow1_channel0"),
            ("CPU_SrcID#0_MC#0_Chan#1_DIMM#0", "CPU_SrcID0_MC0_Chan1_DIMM0"),
            ("DIMM_A1", "DIMM_A1"),
            ("", ""),
        ] {
            assert_eq!(normalized_label(label), expected);
        }
    }

    #[test]
    fn numbers_are_taken_from_names() {
        for (name, expected) in [
            ("mc0", Some("0")),
            ("mc12", Some("12")),
            ("mc", None),
            ("mcp0", None),
            ("power", None),
        ] {
            assert_eq!(number_after(name, "mc"), expected, "{name}");
        }
    }
}
