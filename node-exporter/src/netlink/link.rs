//! Network interfaces from `RTM_GETLINK`: `rtnetlink(7)`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use exporter_core::collector::Error;

use super::{Attributes, Netlink, Request, read_u16, read_u32};

/// A network interface.
#[derive(Clone, Debug)]
pub(crate) struct Link<'a> {
    /// `ARPHRD_*`
    pub(crate) kind: u16,
    pub(crate) index: u32,
    /// `IFF_*`
    pub(crate) flags: u32,
    pub(crate) attributes: Attributes<'a>,
}

/// Whether the kernel includes the statistics of interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkStats {
    Include,
    /// Saves the kernel from computing them; supported since Linux 4.6.
    Skip,
}

/// The results of `row` for all interfaces.
pub(crate) fn links<T>(
    netlink: &mut Netlink,
    stats: LinkStats,
    mut row: impl FnMut(Link<'_>) -> Option<T>,
) -> Result<Vec<T>, Error> {
    const GETLINK: u16 = 18;
    const IFLA_EXT_MASK: u16 = 29;
    const SKIP_STATS: u32 = 1 << 3;
    let mask: u32 = if stats == LinkStats::Skip { SKIP_STATS } else { 0 };
    let attribute = [8, IFLA_EXT_MASK].map(u16::to_ne_bytes);
    let body = [&[0; HEADER_LENGTH][..], attribute.as_flattened(), &mask.to_ne_bytes()].concat();
    let request = Request { name: "RTM_GETLINK", kind: GETLINK, body: &body };
    netlink.dump(request, |rows: &mut Vec<T>, entry| {
        rows.extend(Link::parse(entry).and_then(&mut row));
    })
}

/// The counters of all interfaces. A collector that dumps the links stores them for another
/// collector that needs them in the same scrape.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedCounters(Arc<Mutex<Option<StoredCounters>>>);

#[derive(Debug)]
struct StoredCounters {
    stored_at: Instant,
    counters: Vec<InterfaceCounters>,
}

/// An interface and its counters.
#[derive(Clone, Debug)]
pub(crate) struct InterfaceCounters {
    pub(crate) name: String,
    pub(crate) alias: String,
    pub(crate) stats: Stats,
}

impl SharedCounters {
    pub(crate) fn store(&self, counters: Vec<InterfaceCounters>) {
        let stored = StoredCounters { stored_at: Instant::now(), counters };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stored);
    }

    /// Takes the counters if they are less than 100 ms old.
    pub(crate) fn take(&self) -> Option<Vec<InterfaceCounters>> {
        const SAME_SCRAPE: Duration = Duration::from_millis(100);
        let stored = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        stored
            .filter(|stored| stored.stored_at.elapsed() < SAME_SCRAPE)
            .map(|stored| stored.counters)
    }
}

/// The size of an `ifinfomsg`.
const HEADER_LENGTH: usize = 16;

impl<'a> Link<'a> {
    pub(crate) fn parse(entry: &'a [u8]) -> Option<Self> {
        Some(Self {
            kind: read_u16(entry.get(2..)?)?,
            index: read_u32(entry.get(4..)?)?,
            flags: read_u32(entry.get(8..)?)?,
            attributes: Attributes(entry.get(HEADER_LENGTH..)?),
        })
    }
}

/// Attributes of a link.
pub(crate) const ADDRESS: u16 = 1;
pub(crate) const BROADCAST: u16 = 2;
pub(crate) const NAME: u16 = 3;
pub(crate) const MTU: u16 = 4;
pub(crate) const LOWER: u16 = 5;
pub(crate) const QUEUE_LENGTH: u16 = 13;
pub(crate) const OPERSTATE: u16 = 16;
pub(crate) const LINK_MODE: u16 = 17;
pub(crate) const ALIAS: u16 = 20;
pub(crate) const STATS64: u16 = 23;
pub(crate) const GROUP: u16 = 27;
/// The number of programs that receive all packets of the interface.
pub(crate) const PROMISCUITY: u16 = 30;
pub(crate) const CARRIER: u16 = 33;
pub(crate) const CARRIER_CHANGES: u16 = 35;
pub(crate) const CARRIER_UP_COUNT: u16 = 47;
pub(crate) const CARRIER_DOWN_COUNT: u16 = 48;
pub(crate) const PROPERTIES: u16 = 52;
/// The number of programs that receive all multicasts of the interface (Linux 6.0).
pub(crate) const ALL_MULTICAST: u16 = 61;
/// Nested in [`PROPERTIES`].
pub(crate) const ALTERNATIVE_NAME: u16 = 53;

/// The counters of an interface: `struct rtnl_link_stats64`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Stats {
    pub(crate) rx_packets: u64,
    pub(crate) tx_packets: u64,
    pub(crate) rx_bytes: u64,
    pub(crate) tx_bytes: u64,
    pub(crate) rx_errors: u64,
    pub(crate) tx_errors: u64,
    pub(crate) rx_dropped: u64,
    pub(crate) tx_dropped: u64,
    pub(crate) multicast: u64,
    pub(crate) collisions: u64,
    pub(crate) rx_length_errors: u64,
    pub(crate) rx_over_errors: u64,
    pub(crate) rx_crc_errors: u64,
    pub(crate) rx_frame_errors: u64,
    pub(crate) rx_fifo_errors: u64,
    pub(crate) rx_missed_errors: u64,
    pub(crate) tx_aborted_errors: u64,
    pub(crate) tx_carrier_errors: u64,
    pub(crate) tx_fifo_errors: u64,
    pub(crate) tx_heartbeat_errors: u64,
    pub(crate) tx_window_errors: u64,
    pub(crate) rx_compressed: u64,
    pub(crate) tx_compressed: u64,
    /// Since Linux 4.6.
    pub(crate) rx_nohandler: Option<u64>,
}

impl Stats {
    /// Parses the attribute [`STATS64`], which is longer in newer kernels.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let (words, _) = value.as_chunks();
        let mut words = words.iter().map(|word| u64::from_ne_bytes(*word));
        Some(Self {
            rx_packets: words.next()?,
            tx_packets: words.next()?,
            rx_bytes: words.next()?,
            tx_bytes: words.next()?,
            rx_errors: words.next()?,
            tx_errors: words.next()?,
            rx_dropped: words.next()?,
            tx_dropped: words.next()?,
            multicast: words.next()?,
            collisions: words.next()?,
            rx_length_errors: words.next()?,
            rx_over_errors: words.next()?,
            rx_crc_errors: words.next()?,
            rx_frame_errors: words.next()?,
            rx_fifo_errors: words.next()?,
            rx_missed_errors: words.next()?,
            tx_aborted_errors: words.next()?,
            tx_carrier_errors: words.next()?,
            tx_fifo_errors: words.next()?,
            tx_heartbeat_errors: words.next()?,
            tx_window_errors: words.next()?,
            rx_compressed: words.next()?,
            tx_compressed: words.next()?,
            rx_nohandler: words.next(),
        })
    }
}
