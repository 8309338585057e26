//! Speed and duplex of network interfaces, from the generic netlink family of ethtool:
//! `Documentation/networking/ethtool-netlink.rst` (Linux 5.6).

use exporter_core::collector::Error;

use super::generic::HEADER_LENGTH;
use super::{Attributes, Netlink, Request, read_u32};

/// The link mode of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) index: u32,
    /// In Mb/s. All bits are set if the speed is unknown.
    pub(crate) speed: Option<u32>,
    pub(crate) duplex: Option<u8>,
}

/// The link modes of all interfaces that have any.
pub(crate) fn modes(netlink: &mut Netlink, family_id: u16) -> Result<Vec<Mode>, Error> {
    const LINKMODES_GET: u8 = 4;
    let body = [LINKMODES_GET, 1, 0, 0];
    let request = Request { name: "ETHTOOL_MSG_LINKMODES_GET", kind: family_id, body: &body };
    netlink.dump(request, |modes: &mut Vec<Mode>, entry| modes.extend(mode(entry)))
}

fn mode(entry: &[u8]) -> Option<Mode> {
    const LINKMODES_HEADER: u16 = 1;
    const LINKMODES_SPEED: u16 = 5;
    const LINKMODES_DUPLEX: u16 = 6;
    const HEADER_DEV_INDEX: u16 = 1;
    let mut mode = Mode::default();
    for (kind, value) in Attributes(entry.get(HEADER_LENGTH..)?) {
        match kind {
            LINKMODES_HEADER => {
                let mut header = Attributes(value);
                mode.index = read_u32(header.find(|(kind, _)| *kind == HEADER_DEV_INDEX)?.1)?;
            }
            LINKMODES_SPEED => mode.speed = read_u32(value),
            LINKMODES_DUPLEX => mode.duplex = value.first().copied(),
            _ => {}
        }
    }
    Some(mode)
}
