//! Valid and malformed packets.

use super::link::{self, Link, LinkStats, Stats};
use super::*;

fn message(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER_LENGTH + body.len()).unwrap();
    let header = [length.to_ne_bytes(), [kind.to_ne_bytes(), [0, 0]].concat().try_into().unwrap()];
    let mut message = [header.as_flattened(), &1_u32.to_ne_bytes(), &[0; 4], body].concat();
    message.resize(message.len().next_multiple_of(4), 0);
    message
}

/// One attribute, padded to a multiple of four bytes.
pub(super) fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap();
    let mut bytes = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[test]
fn messages_of_a_packet_are_split() {
    let packet = [message(16, &[1, 2, 3]), message(DONE, &[0; 4])].concat();
    let found: Vec<_> = Messages(&packet).map(|m| (m.kind, m.sequence, m.body)).collect();
    assert_eq!(found, [(16, 1, &[1, 2, 3][..]), (DONE, 1, &[0; 4])]);
}

#[test]
fn parsing_ends_at_malformed_data() {
    let good = message(16, &[1, 2, 3, 4]);
    for end in 0..good.len() {
        assert_eq!(Messages(&good[..end]).count(), 0, "{end}");
    }
    for length in [0_u32, 1, 15, 21, u32::MAX] {
        let mut bad = good.clone();
        bad[..4].copy_from_slice(&length.to_ne_bytes());
        assert_eq!(Messages(&[bad, good.clone()].concat()).take(3).count() > 1, length == 21);
    }
}

#[test]
fn attributes_are_split() {
    let bytes = [[5, 0, 1, 0], [7, 0, 0, 0], [8, 0, 2, 0x80], [1, 2, 3, 4]].map(|bytes| {
        let [a, b, c, d] = bytes;
        // Lengths and types are in the byte order of the machine.
        let flip = cfg!(target_endian = "big") && a > 3;
        if flip { [b, a, d, c] } else { bytes }
    });
    let found: Vec<_> = Attributes(bytes.as_flattened()).collect();
    assert_eq!(found, [(1, &[7][..]), (2, &[1, 2, 3, 4])]);
    for length in [0_u16, 3, 17, u16::MAX] {
        let mut bad = bytes.as_flattened().to_vec();
        bad[..2].copy_from_slice(&length.to_ne_bytes());
        assert_eq!(Attributes(&bad).count(), 0, "{length}");
    }
}

#[test]
fn results_are_parsed() {
    assert!(result_of(&[]).is_ok());
    assert!(result_of(&0_i32.to_ne_bytes()).is_ok());
    let refused = result_of(&(-1_i32).to_ne_bytes()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    assert!(result_of(&i32::MIN.to_ne_bytes()).is_err());
}

#[test]
fn names_end_at_nul() {
    assert_eq!(c_string(b"eth0\0\0"), "eth0");
    assert_eq!(c_string(b"eth0"), "eth0");
    assert_eq!(c_string(b"\xff\0"), "\u{fffd}");
    assert_eq!(c_string(b""), "");
}

/// Every network namespace has a loopback interface.
#[test]
fn this_kernel_replies_to_each_request() {
    let mut netlink = Netlink::route();
    for mode in [LinkStats::Include, LinkStats::Skip, LinkStats::Include] {
        let links = link::links(&mut netlink, mode, |link: Link<'_>| {
            let name = link.attributes.clone().find(|(kind, _)| *kind == link::NAME)?;
            let mut rest = link.attributes;
            let stats = rest.find(|(kind, _)| *kind == link::STATS64);
            Some((link.index, c_string(name.1), stats.and_then(|(_, value)| Stats::parse(value))))
        });
        // A sandbox may deny it.
        let Ok(links) = links else { return };
        let (index, _, stats) = links.iter().find(|(_, name, _)| name == "lo").unwrap();
        assert!(mode == LinkStats::Skip || stats.is_some());
        assert_eq!(netlink.interface(*index).unwrap().as_str(), "lo");
    }
}

#[test]
fn an_error_does_not_affect_the_next_request() {
    let mut netlink = Netlink::route();
    let bad = Request { name: "nothing", kind: 9999, body: &[0; 16] };
    let error = netlink.dump(bad, |(): &mut (), _| {}).unwrap_err();
    assert_eq!(error.to_string(), "nothing failed");
    assert!(netlink.socket.is_none());
}
