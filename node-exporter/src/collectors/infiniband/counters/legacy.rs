//! The counters of older drivers: `counters_ext`.

use exporter_core::desc::Desc;

use super::super::LABELS;
use super::port::bytes;
use crate::attributes::{Attributes, attribute};

pub(in super::super) static LEGACY: Attributes<2, 8> = Attributes([
    attribute(
        "port_multicast_rcv_packets",
        Desc::counter(
            "node_infiniband_legacy_multicast_packets_received_total",
            "Multicast packets received, by older drivers.",
            LABELS,
        ),
    ),
    attribute(
        "port_multicast_xmit_packets",
        Desc::counter(
            "node_infiniband_legacy_multicast_packets_transmitted_total",
            "Multicast packets sent, by older drivers.",
            LABELS,
        ),
    ),
    attribute(
        "port_rcv_data_64",
        Desc::counter(
            "node_infiniband_legacy_data_received_bytes_total",
            "Bytes received on all virtual lanes, by older drivers.",
            LABELS,
        ),
    )
    .scaled(bytes),
    attribute(
        "port_rcv_packets_64",
        Desc::counter(
            "node_infiniband_legacy_packets_received_total",
            "Packets received on all virtual lanes, by older drivers.",
            LABELS,
        ),
    ),
    attribute(
        "port_unicast_rcv_packets",
        Desc::counter(
            "node_infiniband_legacy_unicast_packets_received_total",
            "Unicast packets received, by older drivers.",
            LABELS,
        ),
    ),
    attribute(
        "port_unicast_xmit_packets",
        Desc::counter(
            "node_infiniband_legacy_unicast_packets_transmitted_total",
            "Unicast packets sent, by older drivers.",
            LABELS,
        ),
    ),
    attribute(
        "port_xmit_data_64",
        Desc::counter(
            "node_infiniband_legacy_data_transmitted_bytes_total",
            "Bytes sent on all virtual lanes, by older drivers.",
            LABELS,
        ),
    )
    .scaled(bytes),
    attribute(
        "port_xmit_packets_64",
        Desc::counter(
            "node_infiniband_legacy_packets_transmitted_total",
            "Packets sent on all virtual lanes, by older drivers.",
            LABELS,
        ),
    ),
]);
