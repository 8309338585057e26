//! Graphics cards with the amdgpu driver: `/sys/class/drm/card*/device`.
//!
//! See `Documentation/gpu/amdgpu`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Device, EMPTY_PAGE, Host, if_exists};

pub(super) static DEFINITION: Definition =
    Definition::new("drm", "AMD graphics cards", |host, _| Ok(Source::blocking(Drm(host.clone()))))
        .cost("about 12 small files per card")
        .off_by_default()
        .reads(&["/sys/class/drm/card*/device/*"])
        .metrics(&[&INFO, &COLUMNS]);

static INFO: Desc<5> = Desc::gauge(
    "node_drm_card_info",
    "Properties of a graphics card; always 1.",
    ["card", "memory_vendor", "power_performance_level", "unique_id", "vendor"],
);

const CARD: [&str; 1] = ["card"];

static COLUMNS: [Column<Usage, 1>; 7] = [
    Desc::gauge("node_drm_gpu_busy_percent", "How busy the GPU is, in percent.", CARD)
        .column(|card| Some(card.busy)),
    Desc::gauge("node_drm_memory_gtt_size_bytes", "Size of the graphics translation table.", CARD)
        .column(|card| Some(card.gtt_size)),
    Desc::gauge("node_drm_memory_gtt_used_bytes", "How much of the GTT is in use.", CARD)
        .column(|card| Some(card.gtt_used)),
    Desc::gauge("node_drm_memory_vis_vram_size_bytes", "Size of the visible VRAM.", CARD)
        .column(|card| Some(card.visible_size)),
    Desc::gauge("node_drm_memory_vis_vram_used_bytes", "How much visible VRAM is in use.", CARD)
        .column(|card| Some(card.visible_used)),
    Desc::gauge("node_drm_memory_vram_size_bytes", "Size of the VRAM.", CARD)
        .column(|card| Some(card.vram_size)),
    Desc::gauge("node_drm_memory_vram_used_bytes", "How much VRAM is in use.", CARD)
        .column(|card| Some(card.vram_used)),
];

struct Drm(Host);

impl Collector for Drm {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let names = if_exists(self.0.list_sys("class/drm"))?.unwrap_or_default();
        let mut cards = Vec::new();
        let mut result = Ok(());
        for name in names.into_iter().filter(|name| is_card(name)) {
            // A card that fails does not hide the others.
            match Card::read(&self.0, name) {
                Ok(card) => cards.extend(card),
                Err(error) => result = result.and(Err(error)),
            }
        }
        let mut family = out.family(&INFO);
        for Card { name, memory_vendor, performance_level, unique_id, .. } in &cards {
            family.sample([name, memory_vendor, performance_level, unique_id, "amd"], 1.0);
        }
        let rows: Vec<_> = cards.iter().map(|card| ([card.name.as_str()], card.usage)).collect();
        out.table(&COLUMNS, &rows);
        result
    }
}

/// Whether a name in the directory belongs to a card, not to a connector.
fn is_card(name: &str) -> bool {
    let number = name.strip_prefix("card").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[derive(Debug)]
struct Card {
    name: String,
    memory_vendor: String,
    performance_level: String,
    unique_id: String,
    usage: Usage,
}

/// In percent and bytes; 0 for values that the card does not provide.
#[derive(Clone, Copy, Debug)]
struct Usage {
    busy: f64,
    gtt_size: f64,
    gtt_used: f64,
    visible_size: f64,
    visible_used: f64,
    vram_size: f64,
    vram_used: f64,
}

impl Card {
    /// `None` for other drivers than amdgpu.
    fn read(host: &Host, name: String) -> Result<Option<Self>, Error> {
        // A virtual card has no device.
        let Some(device) = if_exists(host.device(format!("class/drm/{name}/device")))? else {
            return Ok(None);
        };
        let mut page = EMPTY_PAGE;
        let uevent = device.text("uevent", &mut page)?;
        if !uevent.lines().any(|line| line == "DRIVER=amdgpu") {
            return Ok(None);
        }
        let usage = Usage {
            busy: number(&device, "gpu_busy_percent")?,
            gtt_size: number(&device, "mem_info_gtt_total")?,
            gtt_used: number(&device, "mem_info_gtt_used")?,
            visible_size: number(&device, "mem_info_vis_vram_total")?,
            visible_used: number(&device, "mem_info_vis_vram_used")?,
            vram_size: number(&device, "mem_info_vram_total")?,
            vram_used: number(&device, "mem_info_vram_used")?,
        };
        let mut text = |name| {
            device.read(name, &mut page).map(std::borrow::Cow::into_owned).unwrap_or_default()
        };
        Ok(Some(Self {
            name,
            memory_vendor: text("mem_info_vram_vendor"),
            performance_level: text("power_dpm_force_performance_level"),
            unique_id: text("unique_id"),
            usage,
        }))
    }
}

/// A number, or 0 if the card does not have the attribute or cannot read it at the moment.
fn number(device: &Device, name: &str) -> Result<f64, Error> {
    let mut page = EMPTY_PAGE;
    let Ok(text) = device.read(name, &mut page) else { return Ok(0.0) };
    match text.parse::<u64>() {
        Ok(number) => Ok(number as f64),
        Err(_) => Err(device.parse_error(name, "a number", &text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_distinguished_from_connectors() {
        for (name, expected) in [
            ("card0", true),
            ("card12", true),
            ("card0-HDMI-A-1", false),
            ("renderD128", false),
            ("card", false),
        ] {
            assert_eq!(is_card(name), expected, "{name}");
        }
    }
}
