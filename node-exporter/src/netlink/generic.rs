//! Generic netlink: the kernel assigns an ID to each family.

use exporter_core::collector::Error;

use super::{Attributes, Netlink, Request, c_string, read_u16};

/// The size of a `genlmsghdr`.
pub(super) const HEADER_LENGTH: usize = 4;

/// The ID of a family, valid until the module is reloaded. `None` if this kernel does not have the
/// family.
pub(crate) fn family_id(netlink: &mut Netlink, name: &str) -> Result<Option<u16>, Error> {
    const GENL_ID_CTRL: u16 = 16;
    const GET_FAMILY: u8 = 3;
    const FAMILY_ID: u16 = 1;
    const FAMILY_NAME: u16 = 2;
    let body = [GET_FAMILY, 1, 0, 0];
    let request = Request { name: "CTRL_CMD_GETFAMILY", kind: GENL_ID_CTRL, body: &body };
    netlink.dump(request, |family_id: &mut Option<u16>, entry| {
        let (mut id, mut found) = (None, false);
        for (kind, value) in Attributes(entry.get(HEADER_LENGTH..).unwrap_or_default()) {
            match kind {
                FAMILY_ID => id = read_u16(value),
                FAMILY_NAME => found = c_string(value) == name,
                _ => {}
            }
        }
        if found {
            *family_id = id;
        }
    })
}
