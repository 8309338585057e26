//! Generic netlink: services with names, whose numbers the kernel assigns.

use exporter_core::collector::Error;

use super::{Attributes, Netlink, Request, short, text};

/// The size of a `genlmsghdr`.
pub(super) const HEADER: usize = 4;

/// The number of a service, valid until a restart or until the module is reloaded; `None` if this
/// kernel does not have the service.
pub(crate) fn service(netlink: &mut Netlink, name: &str) -> Result<Option<u16>, Error> {
    const CONTROL: u16 = 16;
    const GET_FAMILY: u8 = 3;
    const FAMILY_ID: u16 = 1;
    const FAMILY_NAME: u16 = 2;
    let body = [GET_FAMILY, 1, 0, 0];
    let request = Request { name: "CTRL_CMD_GETFAMILY", kind: CONTROL, body: &body };
    netlink.dump(request, |service: &mut Option<u16>, entry| {
        let (mut id, mut found) = (None, false);
        for (kind, value) in Attributes(entry.get(HEADER..).unwrap_or_default()) {
            match kind {
                FAMILY_ID => id = short(value),
                FAMILY_NAME => found = text(value) == name,
                _ => {}
            }
        }
        if found {
            *service = id;
        }
    })
}
