//! Generic netlink: services that go by a name, each under a number that the kernel gives it.

use exporter_core::collector::Error;

use super::{Attributes, Netlink, Request, short, text};

/// The size of a `genlmsghdr`.
pub(super) const HEADER: usize = 4;

/// The number of a service, which holds until the machine is restarted or the service's module
/// is loaded anew; none if this kernel has no such service.
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
