//! The counters of the InfiniBand specification: `counters`.

use exporter_core::desc::Desc;

use super::super::LABELS;
use crate::attributes::{Attributes, attribute};

pub(in super::super) static PORT: Attributes<2, 22> = Attributes([
    attribute(
        "VL15_dropped",
        Desc::counter(
            "node_infiniband_vl15_dropped_total",
            "Management packets dropped for lack of buffers.",
            LABELS,
        ),
    ),
    attribute(
        "excessive_buffer_overrun_errors",
        Desc::counter(
            "node_infiniband_excessive_buffer_overrun_errors_total",
            "Times that buffers overran for longer than allowed.",
            LABELS,
        ),
    ),
    attribute(
        "link_downed",
        Desc::counter(
            "node_infiniband_link_downed_total",
            "Times the link failed to recover and went down.",
            LABELS,
        ),
    ),
    attribute(
        "link_error_recovery",
        Desc::counter(
            "node_infiniband_link_error_recovery_total",
            "Times the link recovered from errors.",
            LABELS,
        ),
    ),
    attribute(
        "local_link_integrity_errors",
        Desc::counter(
            "node_infiniband_local_link_integrity_errors_total",
            "Times that local errors passed their threshold.",
            LABELS,
        ),
    ),
    attribute(
        "multicast_rcv_packets",
        Desc::counter(
            "node_infiniband_multicast_packets_received_total",
            "Multicast packets received.",
            LABELS,
        ),
    ),
    attribute(
        "multicast_xmit_packets",
        Desc::counter(
            "node_infiniband_multicast_packets_transmitted_total",
            "Multicast packets sent.",
            LABELS,
        ),
    ),
    attribute(
        "port_rcv_constraint_errors",
        Desc::counter(
            "node_infiniband_port_constraint_errors_received_total",
            "Packets dropped on reception by partition or filter.",
            LABELS,
        ),
    ),
    attribute(
        "port_rcv_data",
        Desc::counter(
            "node_infiniband_port_data_received_bytes_total",
            "Bytes received on all virtual lanes.",
            LABELS,
        ),
    )
    .scaled(bytes),
    attribute(
        "port_rcv_discards",
        Desc::counter(
            "node_infiniband_port_discards_received_total",
            "Packets discarded on reception.",
            LABELS,
        ),
    ),
    attribute(
        "port_rcv_errors",
        Desc::counter(
            "node_infiniband_port_errors_received_total",
            "Packets received with errors.",
            LABELS,
        ),
    ),
    attribute(
        "port_rcv_packets",
        Desc::counter(
            "node_infiniband_port_packets_received_total",
            "Packets received on all virtual lanes.",
            LABELS,
        ),
    ),
    attribute(
        "port_rcv_remote_physical_errors",
        Desc::counter(
            "node_infiniband_port_receive_remote_physical_errors_total",
            "Packets received that were marked bad on their way.",
            LABELS,
        ),
    ),
    attribute(
        "port_rcv_switch_relay_errors",
        Desc::counter(
            "node_infiniband_port_receive_switch_relay_errors_total",
            "Packets that the switch could not forward.",
            LABELS,
        ),
    ),
    attribute(
        "port_xmit_constraint_errors",
        Desc::counter(
            "node_infiniband_port_constraint_errors_transmitted_total",
            "Packets not sent by partition or filter.",
            LABELS,
        ),
    ),
    attribute(
        "port_xmit_data",
        Desc::counter(
            "node_infiniband_port_data_transmitted_bytes_total",
            "Bytes sent on all virtual lanes.",
            LABELS,
        ),
    )
    .scaled(bytes),
    attribute(
        "port_xmit_discards",
        Desc::counter(
            "node_infiniband_port_discards_transmitted_total",
            "Packets discarded before they were sent.",
            LABELS,
        ),
    ),
    attribute(
        "port_xmit_packets",
        Desc::counter(
            "node_infiniband_port_packets_transmitted_total",
            "Packets sent on all virtual lanes.",
            LABELS,
        ),
    ),
    attribute(
        "port_xmit_wait",
        Desc::counter(
            "node_infiniband_port_transmit_wait_total",
            "Ticks in which data was waiting without credit to send it.",
            LABELS,
        ),
    ),
    attribute(
        "symbol_error",
        Desc::counter("node_infiniband_symbol_error_total", "Symbol errors on the link.", LABELS),
    ),
    attribute(
        "unicast_rcv_packets",
        Desc::counter(
            "node_infiniband_unicast_packets_received_total",
            "Unicast packets received.",
            LABELS,
        ),
    ),
    attribute(
        "unicast_xmit_packets",
        Desc::counter(
            "node_infiniband_unicast_packets_transmitted_total",
            "Unicast packets sent.",
            LABELS,
        ),
    ),
]);

/// The counters of data count words of four bytes.
pub(super) fn bytes(words: f64) -> f64 {
    words * 4.0
}
