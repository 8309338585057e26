//! Link modes, driver and statistics of network devices, by
//! `ioctl(SIOCETHTOOL)`.

mod modes;
mod statistics;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::{Flag, Flags};
use regex::bytes::Regex;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::Definition;
use crate::filter::{self, Filter};
use crate::host::Host;
use crate::system::ethtool::{self, Driver, Link};

pub(super) static DEFINITION: Definition = Definition::new(
    "ethtool",
    "Link modes, drivers and driver statistics of network devices",
    |host, flags| Ok(Source::blocking(Ethtool::new(host, flags)?)),
)
.cost("about five ioctls per interface, and several hundred series for some drivers")
.off_by_default()
.reads(&["ioctl(SIOCETHTOOL)", "/sys/class/net"])
.flags(&[&INCLUDE, &EXCLUDE, &METRICS])
.metrics(&[
    &INFO,
    &modes::SUPPORTED_PORT,
    &modes::SUPPORTED.speed,
    &modes::SUPPORTED.autonegotiate,
    &modes::SUPPORTED.pause,
    &modes::SUPPORTED.asymmetric_pause,
    &modes::ADVERTISED.speed,
    &modes::ADVERTISED.autonegotiate,
    &modes::ADVERTISED.pause,
    &modes::ADVERTISED.asymmetric_pause,
    &modes::AUTONEGOTIATE,
    &statistics::Statistics,
]);

static INCLUDE: Flag =
    Flag::text("collector.ethtool.device-include", "", "Devices to expose: a regular expression.");
static EXCLUDE: Flag = Flag::text(
    "collector.ethtool.device-exclude",
    "",
    "Devices to leave out: a regular expression.",
);
static METRICS: Flag = Flag::text(
    "collector.ethtool.metrics-include",
    ".*",
    "Driver statistics to expose: a regular expression over their names, with `_` for each \
     character that a metric cannot have.",
);

static INFO: Desc<6> = Desc::gauge(
    "node_ethtool_info",
    "The driver of a device, in the labels; always 1.",
    ["bus_info", "device", "driver", "expansion_rom_version", "firmware_version", "version"],
);

struct Ethtool {
    host: Host,
    devices: Filter,
    metrics: Option<Regex>,
    socket: Option<OwnedFd>,
}

/// A device, with the data that its driver provides.
struct Device {
    name: String,
    link: Option<Link>,
    driver: Option<Driver>,
    statistics: Vec<(String, u64)>,
}

impl Ethtool {
    fn new(host: &Host, flags: &Flags) -> Result<Self, Error> {
        Ok(Self {
            host: host.clone(),
            devices: Filter::new(flags, &INCLUDE, &EXCLUDE)?.of_interfaces(flags)?,
            metrics: filter::pattern(flags, &METRICS)?,
            socket: None,
        })
    }

    fn device(&mut self, name: String) -> Result<Device, Error> {
        let socket = match &self.socket {
            Some(socket) => socket,
            None => self.socket.insert(socket()?),
        }
        .as_fd();
        let link = if_supported(ethtool::link(socket, &name), "ETHTOOL_GSET")?;
        let driver = if_supported(ethtool::driver(socket, &name), "ETHTOOL_GDRVINFO")?;
        let statistics = match &driver {
            Some(driver) => {
                if_supported(ethtool::statistics(socket, &name, driver), "ETHTOOL_GSTATS")?
            }
            None => None,
        };
        Ok(Device { name, link, driver, statistics: statistics.unwrap_or_default() })
    }
}

impl Collector for Ethtool {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut devices = Vec::new();
        let mut result = Ok(());
        for (name, _) in self.host.interfaces()? {
            if self.devices.ignores(&name) {
                continue;
            }
            match self.device(name) {
                Ok(device) => devices.push(device),
                Err(error) => result = result.and(Err(error)),
            }
        }
        let mut family = out.family(&INFO);
        for Device { name, driver, .. } in &devices {
            if let Some(driver) = driver {
                let labels = [
                    &driver.bus_info,
                    name,
                    &driver.name,
                    &driver.expansion_rom_version,
                    &driver.firmware_version,
                    &driver.version,
                ];
                family.sample(labels.map(String::as_str), 1.0);
            }
        }
        let links: Vec<_> = devices
            .iter()
            .filter_map(|device| Some((device.name.as_str(), device.link?)))
            .collect();
        modes::write(out, &links);
        let all = devices.iter().map(|device| (device.name.as_str(), &device.statistics[..]));
        statistics::write(out, all, self.metrics.as_ref());
        result
    }
}

fn socket() -> Result<OwnedFd, Error> {
    let (family, kind) = (AddressFamily::INET, SocketType::DGRAM);
    rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)
        .map_err(|errno| Error::System { call: "socket(AF_INET)", source: errno.into() })
}

/// `None` if the driver does not support the command, or if the device has been removed.
fn if_supported<T>(response: io::Result<T>, call: &'static str) -> Result<Option<T>, Error> {
    match response {
        Ok(response) => Ok(Some(response)),
        Err(source) => match Errno::from_io_error(&source) {
            Some(Errno::OPNOTSUPP | Errno::NODEV) => Ok(None),
            _ => Err(Error::System { call, source }),
        },
    }
}
