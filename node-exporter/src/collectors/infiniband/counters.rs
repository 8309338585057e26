//! The counters of a port: those of the specification, of older drivers, and of the hardware.

mod hardware;
mod legacy;
mod port;

use exporter_core::collector::Error;
use exporter_core::families::Families;

pub(super) use self::hardware::HARDWARE;
pub(super) use self::legacy::LEGACY;
pub(super) use self::port::PORT;
use crate::attributes::{Attributes, Values};
use crate::host::{Device, if_supported};

pub(super) struct Counters {
    port: Values<22>,
    legacy: Values<8>,
    hardware: Values<30>,
}

impl Counters {
    pub(super) fn read(port: &Device) -> Result<Self, Error> {
        Ok(Self {
            port: read(&PORT, port, "counters")?,
            legacy: read(&LEGACY, port, "counters_ext")?,
            hardware: read(&HARDWARE, port, "hw_counters")?,
        })
    }

    pub(super) fn expose(out: &mut Families, ports: &[([&str; 2], &Self)]) {
        let rows = ports.iter().map(|(labels, counters)| (*labels, counters.port));
        PORT.expose(out, &rows.collect::<Vec<_>>());
        let rows = ports.iter().map(|(labels, counters)| (*labels, counters.legacy));
        LEGACY.expose(out, &rows.collect::<Vec<_>>());
        let rows = ports.iter().map(|(labels, counters)| (*labels, counters.hardware));
        HARDWARE.expose(out, &rows.collect::<Vec<_>>());
    }
}

fn read<const M: usize>(
    counters: &Attributes<2, M>,
    port: &Device,
    directory: &str,
) -> Result<Values<M>, Error> {
    let Some(directory) = if_supported(port.device(directory))? else { return Ok([None; M]) };
    counters.values(|name| {
        let Some(text) = if_supported(directory.string(name))? else { return Ok(None) };
        // Some drivers have `N/A (no PMA)` in all counters.
        if text.starts_with("N/A") {
            return Ok(None);
        }
        let count =
            text.parse::<u64>().map_err(|_| directory.parse_error(name, "a count", &text))?;
        Ok(Some(count as f64))
    })
}
