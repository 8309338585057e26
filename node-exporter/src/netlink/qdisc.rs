//! Queueing disciplines from `RTM_GETQDISC`: `rtnetlink(7)`.

use exporter_core::collector::Error;

use super::{Attributes, Netlink, Request, c_string, read_u32};

/// A queueing discipline with its counters.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Qdisc {
    /// The index of the interface.
    pub(crate) interface: u32,
    /// The name of its type, such as `fq_codel`.
    pub(crate) kind: String,
    pub(crate) counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Counts {
    pub(crate) bytes: u64,
    pub(crate) packets: u64,
    pub(crate) drops: u32,
    pub(crate) requeues: u32,
    pub(crate) overlimits: u32,
    /// Packets in the queue.
    pub(crate) length: u32,
    /// Bytes in the queue.
    pub(crate) backlog: u32,
}

/// The root queueing disciplines of all interfaces.
pub(crate) fn roots(netlink: &mut Netlink) -> Result<Vec<Qdisc>, Error> {
    const GETQDISC: u16 = 38;
    let request = Request { name: "RTM_GETQDISC", kind: GETQDISC, body: &[0; HEADER_LENGTH] };
    netlink.dump(request, |qdiscs: &mut Vec<Qdisc>, entry| qdiscs.extend(root(entry)))
}

/// The size of a `tcmsg`.
const HEADER_LENGTH: usize = 20;

const KIND: u16 = 1;
const STATS2: u16 = 7;
/// Nested in [`STATS2`], as are the next two.
const BASIC: u16 = 1;
const QUEUE: u16 = 3;
/// A 64-bit packet count, since Linux 5.5. The count in [`BASIC`] has 32 bits.
const PACKETS64: u16 = 8;

fn root(entry: &[u8]) -> Option<Qdisc> {
    const ROOT: u32 = u32::MAX;
    if !matches!(read_u32(entry.get(12..)?)?, 0 | ROOT) {
        return None;
    }
    let mut qdisc = Qdisc { interface: read_u32(entry.get(4..)?)?, ..Qdisc::default() };
    for (kind, value) in Attributes(entry.get(HEADER_LENGTH..)?) {
        match kind {
            KIND => qdisc.kind = c_string(value),
            STATS2 => qdisc.counts = Counts::parse(value)?,
            _ => {}
        }
    }
    Some(qdisc)
}

impl Counts {
    fn parse(statistics: &[u8]) -> Option<Self> {
        let mut counts = Self::default();
        let mut packets64 = None;
        for (kind, value) in Attributes(statistics) {
            match kind {
                BASIC => {
                    counts.bytes = read_u64(value)?;
                    counts.packets = read_u32(value.get(8..)?)?.into();
                }
                QUEUE => {
                    counts.length = read_u32(value)?;
                    counts.backlog = read_u32(value.get(4..)?)?;
                    counts.drops = read_u32(value.get(8..)?)?;
                    counts.requeues = read_u32(value.get(12..)?)?;
                    counts.overlimits = read_u32(value.get(16..)?)?;
                }
                PACKETS64 => packets64 = read_u64(value),
                _ => {}
            }
        }
        counts.packets = packets64.unwrap_or(counts.packets);
        Some(counts)
    }
}

fn read_u64(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::tests::attribute;

    fn entry(parent: u32, statistics: &[u8]) -> Vec<u8> {
        let header = [&[0; 4][..], &7_u32.to_ne_bytes(), &[0; 4], &parent.to_ne_bytes(), &[0; 4]];
        [&header.concat()[..], &attribute(KIND, b"fq\0"), &attribute(STATS2, statistics)].concat()
    }

    fn statistics() -> Vec<u8> {
        let basic = [&1000_u64.to_ne_bytes()[..], &10_u32.to_ne_bytes(), &[0; 4]].concat();
        let queue: Vec<u8> = [1_u32, 2, 3, 4, 5].into_iter().flat_map(u32::to_ne_bytes).collect();
        [attribute(BASIC, &basic), attribute(QUEUE, &queue)].concat()
    }

    #[test]
    fn queueing_disciplines_are_parsed() {
        let counts = Counts {
            bytes: 1000,
            packets: 10,
            drops: 3,
            requeues: 4,
            overlimits: 5,
            length: 1,
            backlog: 2,
        };
        let expected = Qdisc { interface: 7, kind: "fq".to_owned(), counts };
        assert_eq!(root(&entry(u32::MAX, &statistics())), Some(expected.clone()));
        assert_eq!(root(&entry(0, &statistics())), Some(expected));
        assert_eq!(root(&entry(0x1_0001, &statistics())), None);
        let more = [statistics(), attribute(PACKETS64, &(1_u64 << 33).to_ne_bytes())].concat();
        assert_eq!(root(&entry(0, &more)).unwrap().counts.packets, 1 << 33);
    }

    #[test]
    fn malformed_entries_do_not_panic() {
        let whole = entry(u32::MAX, &statistics());
        for end in 0..whole.len() {
            if let Some(found) = root(&whole[..end]) {
                assert_eq!(found.counts, Counts::default(), "{end}");
            }
        }
        assert_eq!(root(&entry(u32::MAX, &attribute(BASIC, &[1, 2, 3]))), None);
    }
}
