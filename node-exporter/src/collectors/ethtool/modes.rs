//! Link modes: speeds, ports and flow control that a device supports and offers.

use exporter_core::desc::Desc;
use exporter_core::families::Families;

use crate::system::ethtool::Link;

/// The families of a set of link modes.
pub(super) struct Modes {
    pub(super) speed: Desc<'static, 3>,
    pub(super) autonegotiate: Desc<'static, 1>,
    pub(super) pause: Desc<'static, 1>,
    pub(super) asymmetric_pause: Desc<'static, 1>,
}

const SPEED_LABELS: [&str; 3] = ["device", "duplex", "mode"];
const DEVICE: [&str; 1] = ["device"];

pub(super) static SUPPORTED: Modes = Modes {
    speed: Desc::gauge(
        "node_network_supported_speed_bytes",
        "Speeds in bytes per second that a device supports.",
        SPEED_LABELS,
    ),
    autonegotiate: Desc::gauge(
        "node_network_autonegotiate_supported",
        "Whether a device supports autonegotiation.",
        DEVICE,
    ),
    pause: Desc::gauge(
        "node_network_pause_supported",
        "Whether a device supports pause frames.",
        DEVICE,
    ),
    asymmetric_pause: Desc::gauge(
        "node_network_asymmetricpause_supported",
        "Whether a device supports asymmetric pause frames.",
        DEVICE,
    ),
};
pub(super) static ADVERTISED: Modes = Modes {
    speed: Desc::gauge(
        "node_network_advertised_speed_bytes",
        "Speeds in bytes per second that a device offers its peer.",
        SPEED_LABELS,
    ),
    autonegotiate: Desc::gauge(
        "node_network_autonegotiate_advertised",
        "Whether a device offers its peer autonegotiation.",
        DEVICE,
    ),
    pause: Desc::gauge(
        "node_network_pause_advertised",
        "Whether a device offers its peer pause frames.",
        DEVICE,
    ),
    asymmetric_pause: Desc::gauge(
        "node_network_asymmetricpause_advertised",
        "Whether a device offers its peer asymmetric pause frames.",
        DEVICE,
    ),
};
pub(super) static SUPPORTED_PORT: Desc<2> = Desc::gauge(
    "node_network_supported_port_info",
    "Kind of port that a device supports, in the label; always 1.",
    ["device", "type"],
);
pub(super) static AUTONEGOTIATE: Desc<1> = Desc::gauge(
    "node_network_autonegotiate",
    "Whether a device negotiates its speed with its peer.",
    DEVICE,
);

const AUTONEGOTIATE_BIT: u32 = 6;
const PAUSE_BIT: u32 = 13;
const ASYMMETRIC_PAUSE_BIT: u32 = 14;

/// Bits of ports, as `linux/ethtool.h` numbers them.
const PORTS: [(u32, &str); 6] =
    [(7, "TP"), (8, "AUI"), (9, "MII"), (10, "FIBRE"), (11, "BNC"), (16, "Backplane")];

/// Bits of speeds: megabits per second, duplex, and the name that the original gives the mode.
/// The legacy settings end with bit 31.
const SPEEDS: [(u32, f64, &str, &str); 23] = [
    (0, 10.0, "half", "10baseT"),
    (1, 10.0, "full", "10baseT"),
    (2, 100.0, "half", "100baseT"),
    (3, 100.0, "full", "100baseT"),
    (4, 1e3, "half", "1000baseT"),
    (5, 1e3, "full", "1000baseT"),
    (12, 10e3, "full", "10000baseT"),
    (15, 2500.0, "full", "2500baseT"),
    (17, 1e3, "full", "1000baseKX"),
    (18, 10e3, "full", "10000baseKX4"),
    (19, 10e3, "full", "10000baseKR"),
    (20, 10e3, "full", "10000baseR_FEC"),
    (21, 20e3, "full", "20000baseMLD2"),
    (22, 20e3, "full", "20000baseKR2"),
    (23, 40e3, "full", "40000baseKR4"),
    (24, 40e3, "full", "40000baseCR4"),
    (25, 40e3, "full", "40000baseSR4"),
    (26, 40e3, "full", "40000baseLR4"),
    (27, 56e3, "full", "56000baseKR4"),
    (28, 56e3, "full", "56000baseCR4"),
    (29, 56e3, "full", "56000baseSR4"),
    (30, 56e3, "full", "56000baseLR4"),
    (31, 25e3, "full", "25000baseCR"),
];
const BYTES_PER_MEGABIT: f64 = 1e6 / 8.0;

pub(super) fn write(out: &mut Families, links: &[(&str, Link)]) {
    write_modes(out, &SUPPORTED, links, |link| link.supported);
    write_modes(out, &ADVERTISED, links, |link| link.advertised);
    let mut family = out.family(&SUPPORTED_PORT);
    for (device, link) in links {
        for (_, port) in PORTS.iter().filter(|(bit, _)| has(link.supported, *bit)) {
            family.sample([device, port], 1.0);
        }
    }
    let mut family = out.family(&AUTONEGOTIATE);
    for (device, link) in links {
        family.sample([device], link.autonegotiation.into());
    }
}

fn write_modes(
    out: &mut Families,
    families: &Modes,
    links: &[(&str, Link)],
    modes: fn(&Link) -> u32,
) {
    let mut family = out.family(&families.speed);
    for (device, link) in links {
        for (_, megabits, duplex, mode) in SPEEDS.iter().filter(|(bit, ..)| has(modes(link), *bit))
        {
            family.sample([device, duplex, mode], megabits * BYTES_PER_MEGABIT);
        }
    }
    for (desc, bit) in [
        (&families.autonegotiate, AUTONEGOTIATE_BIT),
        (&families.pause, PAUSE_BIT),
        (&families.asymmetric_pause, ASYMMETRIC_PAUSE_BIT),
    ] {
        let mut family = out.family(desc);
        for (device, link) in links {
            family.sample([device], has(modes(link), bit).into());
        }
    }
}

fn has(modes: u32, bit: u32) -> bool {
    modes >> bit & 1 == 1
}

#[cfg(test)]
mod tests {
    use exporter_core::testing;

    use super::*;

    #[test]
    fn bits_are_speeds_and_ports() {
        let link = Link { supported: 0x22cf, advertised: 0x4023, autonegotiation: true };
        let mut out = Families::default();
        write(&mut out, &[("eth0", link)]);
        let page = String::from_utf8(testing::page(&[out])).unwrap();
        let samples: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
        let expected = "\
node_network_supported_speed_bytes{device=\"eth0\",duplex=\"half\",mode=\"10baseT\"} 1.25e+06
node_network_supported_speed_bytes{device=\"eth0\",duplex=\"full\",mode=\"10baseT\"} 1.25e+06
node_network_supported_speed_bytes{device=\"eth0\",duplex=\"half\",mode=\"100baseT\"} 1.25e+07
node_network_supported_speed_bytes{device=\"eth0\",duplex=\"full\",mode=\"100baseT\"} 1.25e+07
node_network_autonegotiate_supported{device=\"eth0\"} 1
node_network_pause_supported{device=\"eth0\"} 1
node_network_asymmetricpause_supported{device=\"eth0\"} 0
node_network_advertised_speed_bytes{device=\"eth0\",duplex=\"half\",mode=\"10baseT\"} 1.25e+06
node_network_advertised_speed_bytes{device=\"eth0\",duplex=\"full\",mode=\"10baseT\"} 1.25e+06
node_network_advertised_speed_bytes{device=\"eth0\",duplex=\"full\",mode=\"1000baseT\"} 1.25e+08
node_network_autonegotiate_advertised{device=\"eth0\"} 0
node_network_pause_advertised{device=\"eth0\"} 0
node_network_asymmetricpause_advertised{device=\"eth0\"} 1
node_network_supported_port_info{device=\"eth0\",type=\"TP\"} 1
node_network_supported_port_info{device=\"eth0\",type=\"MII\"} 1
node_network_autonegotiate{device=\"eth0\"} 1";
        assert_eq!(samples, expected.lines().collect::<Vec<_>>());
    }
}
