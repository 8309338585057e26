//! Speed and duplex of network interfaces, from the netlink service of ethtool:
//! `Documentation/networking/ethtool-netlink.rst` (Linux 5.6).

use exporter_core::collector::Error;

use super::generic::HEADER;
use super::{Attributes, Netlink, Request, number};

/// The link mode of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) index: u32,
    /// In Mb/s; all bits are set if unknown.
    pub(crate) speed: Option<u32>,
    pub(crate) duplex: Option<u8>,
}

/// The modes of all interfaces that have any.
pub(crate) fn modes(netlink: &mut Netlink, service: u16) -> Result<Vec<Mode>, Error> {
    const LINKMODES_GET: u8 = 4;
    let body = [LINKMODES_GET, 1, 0, 0];
    let request = Request { name: "ETHTOOL_MSG_LINKMODES_GET", kind: service, body: &body };
    netlink.dump(request, |modes: &mut Vec<Mode>, entry| modes.extend(mode(entry)))
}

fn mode(entry: &[u8]) -> Option<Mode> {
    const LINKMODES_HEADER: u16 = 1;
    const LINKMODES_SPEED: u16 = 5;
    const LINKMODES_DUPLEX: u16 = 6;
    const HEADER_DEV_INDEX: u16 = 1;
    let mut mode = Mode::default();
    for (kind, value) in Attributes(entry.get(HEADER..)?) {
        match kind {
            LINKMODES_HEADER => {
                let mut header = Attributes(value);
                mode.index = number(header.find(|(kind, _)| *kind == HEADER_DEV_INDEX)?.1)?;
            }
            LINKMODES_SPEED => mode.speed = number(value),
            LINKMODES_DUPLEX => mode.duplex = value.first().copied(),
            _ => {}
        }
    }
    Some(mode)
}
