//! The two sources of interface counters.

use exporter_core::collector::Error;

use super::{Counters, Device};
use crate::host::{EMPTY_PAGE, Fields, Host};
use crate::netlink::link::{self, InterfaceCounters, Link, LinkStats, Stats};
use crate::netlink::{Netlink, c_string};

/// All interfaces with counters, over netlink.
pub(super) fn from_netlink<Row>(
    host: &Host,
    netlink: &mut Netlink,
    row: fn(Stats) -> Row,
) -> Result<Vec<Device<Row>>, Error> {
    if let Some(counters) = host.shared_counters.take() {
        let device =
            |InterfaceCounters { name, alias, stats }| Device { name, alias, row: row(stats) };
        return Ok(counters.into_iter().map(device).collect());
    }
    link::links(netlink, LinkStats::Include, |link| device(link, row))
}

fn device<Row>(link: Link<'_>, row: fn(Stats) -> Row) -> Option<Device<Row>> {
    let (mut name, mut alias, mut stats) = (None, String::new(), None);
    for (kind, value) in link.attributes {
        match kind {
            link::NAME => name = Some(c_string(value)),
            link::ALIAS => alias = c_string(value),
            link::STATS64 => stats = Stats::parse(value),
            _ => {}
        }
    }
    Some(Device { name: name?, alias, row: row(stats?) })
}

/// The sums that the kernel writes to `/proc/net/dev`.
impl From<Stats> for Counters {
    fn from(stats: Stats) -> Self {
        let sum =
            |parts: &[u64]| parts.iter().fold(0_u64, |sum, part| sum.wrapping_add(*part)) as f64;
        Self {
            receive_bytes: stats.rx_bytes as f64,
            receive_packets: stats.rx_packets as f64,
            receive_errs: stats.rx_errors as f64,
            receive_drop: sum(&[stats.rx_dropped, stats.rx_missed_errors]),
            receive_fifo: stats.rx_fifo_errors as f64,
            receive_frame: sum(&[
                stats.rx_frame_errors,
                stats.rx_length_errors,
                stats.rx_over_errors,
                stats.rx_crc_errors,
            ]),
            receive_compressed: stats.rx_compressed as f64,
            receive_multicast: stats.multicast as f64,
            receive_nohandler: stats.rx_nohandler.map(|count| count as f64),
            transmit_bytes: stats.tx_bytes as f64,
            transmit_packets: stats.tx_packets as f64,
            transmit_errs: stats.tx_errors as f64,
            transmit_drop: stats.tx_dropped as f64,
            transmit_fifo: stats.tx_fifo_errors as f64,
            transmit_colls: stats.collisions as f64,
            transmit_carrier: sum(&[
                stats.tx_carrier_errors,
                stats.tx_aborted_errors,
                stats.tx_heartbeat_errors,
                stats.tx_window_errors,
            ]),
            transmit_compressed: stats.tx_compressed as f64,
        }
    }
}

/// All interfaces of `/proc/net/dev`.
pub(super) fn from_proc(host: &Host, with_alias: bool) -> Result<Vec<Device<Counters>>, Error> {
    let file = host.proc("net/dev")?;
    let mut lines = file.lines();
    let headings = [lines.next(), lines.next()];
    if !headings.iter().flatten().any(|line| line.line().contains("|bytes")) {
        return Err(file.parse_error("two lines of headings"));
    }
    let mut devices = Vec::new();
    for line in lines {
        let (name, row) = parse(&line)?;
        let alias = if with_alias { alias_of(host, name) } else { String::new() };
        devices.push(Device { name: name.to_owned(), alias, row });
    }
    Ok(devices)
}

fn alias_of(host: &Host, device: &str) -> String {
    let mut page = EMPTY_PAGE;
    let interface = host.device(format!("class/net/{device}"));
    let alias =
        interface.and_then(|interface| Ok(interface.text("ifalias", &mut page)?.into_owned()));
    // A removed interface has no alias, as most interfaces.
    alias.unwrap_or_default()
}

fn parse<'a>(line: &Fields<'a>) -> Result<(&'a str, Counters), Error> {
    // Old kernels write no space after the colon.
    let (name, rest) =
        line.line().rsplit_once(':').ok_or_else(|| line.parse_error("a device name"))?;
    let mut fields = rest.split_ascii_whitespace();
    let mut number = |expected| {
        let field = fields.next().and_then(|field| field.parse::<u64>().ok());
        field.map(|count| count as f64).ok_or_else(|| line.parse_error(expected))
    };
    let counters = Counters {
        receive_bytes: number("bytes received")?,
        receive_packets: number("packets received")?,
        receive_errs: number("receive errors")?,
        receive_drop: number("receive drops")?,
        receive_fifo: number("receive FIFO overruns")?,
        receive_frame: number("frame errors")?,
        receive_compressed: number("compressed packets received")?,
        receive_multicast: number("multicasts received")?,
        receive_nohandler: None,
        transmit_bytes: number("bytes sent")?,
        transmit_packets: number("packets sent")?,
        transmit_errs: number("send errors")?,
        transmit_drop: number("send drops")?,
        transmit_fifo: number("send FIFO overruns")?,
        transmit_colls: number("collisions")?,
        transmit_carrier: number("carrier losses")?,
        transmit_compressed: number("compressed packets sent")?,
    };
    Ok((name.trim_ascii(), counters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_all_kernels_are_parsed() {
        for line in [
            "  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
            "eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16",
        ] {
            let expected = Counters {
                receive_bytes: 1.0,
                receive_packets: 2.0,
                receive_errs: 3.0,
                receive_drop: 4.0,
                receive_fifo: 5.0,
                receive_frame: 6.0,
                receive_compressed: 7.0,
                receive_multicast: 8.0,
                receive_nohandler: None,
                transmit_bytes: 9.0,
                transmit_packets: 10.0,
                transmit_errs: 11.0,
                transmit_drop: 12.0,
                transmit_fifo: 13.0,
                transmit_colls: 14.0,
                transmit_carrier: 15.0,
                transmit_compressed: 16.0,
            };
            assert_eq!(parse(&Fields::from_line(line)).unwrap(), ("eth0", expected));
        }
    }

    #[test]
    fn invalid_lines_are_errors() {
        for (line, missing) in [
            ("", "a device name"),
            ("eth0 1 2 3", "a device name"),
            ("eth0: 1 2", "receive errors"),
            ("eth0: 1 2 3 x", "receive drops"),
            ("eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15", "compressed packets sent"),
        ] {
            let error = parse(&Fields::from_line(line)).unwrap_err().to_string();
            assert_eq!(error, format!("test: expected {missing}, found {line:?}"));
        }
    }

    /// The sums of the kernel: `dev_seq_printf_stats`.
    #[test]
    fn counters_are_summed_as_by_the_kernel() {
        let bytes: Vec<u8> = (1..=24).flat_map(|bit| (1_u64 << bit).to_ne_bytes()).collect();
        let bits = |bits: &[u32]| bits.iter().map(|bit| f64::from(1 << bit)).sum::<f64>();
        let expected = Counters {
            receive_bytes: bits(&[3]),
            receive_packets: bits(&[1]),
            receive_errs: bits(&[5]),
            receive_drop: bits(&[7, 16]),
            receive_fifo: bits(&[15]),
            receive_frame: bits(&[11, 12, 13, 14]),
            receive_compressed: bits(&[22]),
            receive_multicast: bits(&[9]),
            receive_nohandler: Some(bits(&[24])),
            transmit_bytes: bits(&[4]),
            transmit_packets: bits(&[2]),
            transmit_errs: bits(&[6]),
            transmit_drop: bits(&[8]),
            transmit_fifo: bits(&[19]),
            transmit_colls: bits(&[10]),
            transmit_carrier: bits(&[17, 18, 20, 21]),
            transmit_compressed: bits(&[23]),
        };
        assert_eq!(Counters::from(Stats::parse(&bytes).unwrap()), expected);
        let older = Stats::parse(&bytes[..23 * 8]).unwrap();
        assert_eq!(older.rx_nohandler, None);
        assert_eq!(Stats::parse(&bytes[..22 * 8]), None);
    }
}
