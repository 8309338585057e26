//! All counters of a network interface, each in its own family.

use exporter_core::desc::{Column, Desc};

use super::DEVICE;
use crate::netlink::link::Stats;

pub(in crate::collectors) static COLUMNS: [Column<Stats, 1>; 24] = [
    Desc::counter("node_network_receive_packets_total", "Packets received.", DEVICE)
        .column(|row| Some(row.rx_packets as f64)),
    Desc::counter("node_network_transmit_packets_total", "Packets sent.", DEVICE)
        .column(|row| Some(row.tx_packets as f64)),
    Desc::counter("node_network_receive_bytes_total", "Bytes received.", DEVICE)
        .column(|row| Some(row.rx_bytes as f64)),
    Desc::counter("node_network_transmit_bytes_total", "Bytes sent.", DEVICE)
        .column(|row| Some(row.tx_bytes as f64)),
    Desc::counter("node_network_receive_errors_total", "Errors on receiving.", DEVICE)
        .column(|row| Some(row.rx_errors as f64)),
    Desc::counter("node_network_transmit_errors_total", "Errors on sending.", DEVICE)
        .column(|row| Some(row.tx_errors as f64)),
    Desc::counter("node_network_receive_dropped_total", "Packets dropped on receiving.", DEVICE)
        .column(|row| Some(row.rx_dropped as f64)),
    Desc::counter("node_network_transmit_dropped_total", "Packets dropped on sending.", DEVICE)
        .column(|row| Some(row.tx_dropped as f64)),
    Desc::counter("node_network_multicast_total", "Multicasts received.", DEVICE)
        .column(|row| Some(row.multicast as f64)),
    Desc::counter("node_network_collisions_total", "Collisions.", DEVICE)
        .column(|row| Some(row.collisions as f64)),
    Desc::counter("node_network_receive_length_errors_total", "Frames of a bad length.", DEVICE)
        .column(|row| Some(row.rx_length_errors as f64)),
    Desc::counter("node_network_receive_over_errors_total", "Overflows on receiving.", DEVICE)
        .column(|row| Some(row.rx_over_errors as f64)),
    Desc::counter("node_network_receive_crc_errors_total", "Frames with a bad CRC.", DEVICE)
        .column(|row| Some(row.rx_crc_errors as f64)),
    Desc::counter("node_network_receive_frame_errors_total", "Frames ill aligned.", DEVICE)
        .column(|row| Some(row.rx_frame_errors as f64)),
    Desc::counter("node_network_receive_fifo_errors_total", "Receive queue overruns.", DEVICE)
        .column(|row| Some(row.rx_fifo_errors as f64)),
    Desc::counter("node_network_receive_missed_errors_total", "Missed by the host.", DEVICE)
        .column(|row| Some(row.rx_missed_errors as f64)),
    Desc::counter("node_network_transmit_aborted_errors_total", "Sending aborted.", DEVICE)
        .column(|row| Some(row.tx_aborted_errors as f64)),
    Desc::counter("node_network_transmit_carrier_errors_total", "Losses of carrier.", DEVICE)
        .column(|row| Some(row.tx_carrier_errors as f64)),
    Desc::counter("node_network_transmit_fifo_errors_total", "Send queue overruns.", DEVICE)
        .column(|row| Some(row.tx_fifo_errors as f64)),
    Desc::counter("node_network_transmit_heartbeat_errors_total", "No heartbeat.", DEVICE)
        .column(|row| Some(row.tx_heartbeat_errors as f64)),
    Desc::counter("node_network_transmit_window_errors_total", "Late collisions.", DEVICE)
        .column(|row| Some(row.tx_window_errors as f64)),
    Desc::counter("node_network_receive_compressed_total", "Compressed packets received.", DEVICE)
        .column(|row| Some(row.rx_compressed as f64)),
    Desc::counter("node_network_transmit_compressed_total", "Compressed packets sent.", DEVICE)
        .column(|row| Some(row.tx_compressed as f64)),
    Desc::counter(
        "node_network_receive_nohandler_total",
        "Packets without a protocol handler.",
        DEVICE,
    )
    .column(|row| row.rx_nohandler.map(|count| count as f64)),
];
