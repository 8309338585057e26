//! The counters of a port: those of the specification, those that older drivers had in their place,
//! and those of the hardware.

use exporter_core::collector::Error;
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::LABELS;
use crate::attributes::{Attributes, Values, attribute};
use crate::host::{Device, if_supported};

pub(super) static PORT: Attributes<2, 22> = Attributes([
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
            "Ticks in which there was something to send and no credit for it.",
            LABELS,
        ),
    ),
    attribute(
        "symbol_error",
        Desc::counter(
            "node_infiniband_symbol_error_total",
            "Errors of symbols on the link.",
            LABELS,
        ),
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

pub(super) static LEGACY: Attributes<2, 8> = Attributes([
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

pub(super) static HARDWARE: Attributes<2, 30> = Attributes([
    attribute(
        "duplicate_request",
        Desc::counter(
            "node_infiniband_duplicate_requests_packets_total",
            "Requests received twice.",
            LABELS,
        ),
    ),
    attribute(
        "implied_nak_seq_err",
        Desc::counter(
            "node_infiniband_implied_nak_seq_errors_total",
            "Responses out of sequence that implied a lost one.",
            LABELS,
        ),
    ),
    attribute(
        "lifespan",
        Desc::gauge(
            "node_infiniband_lifespan_seconds",
            "How old the hardware counters may be.",
            LABELS,
        ),
    )
    .scaled(whole_seconds),
    attribute(
        "local_ack_timeout_err",
        Desc::counter(
            "node_infiniband_local_ack_timeout_errors_total",
            "Times that no acknowledgement came in time.",
            LABELS,
        ),
    ),
    attribute(
        "np_cnp_sent",
        Desc::counter(
            "node_infiniband_np_cnp_packets_sent_total",
            "Congestion notifications sent.",
            LABELS,
        ),
    ),
    attribute(
        "np_ecn_marked_roce_packets",
        Desc::counter(
            "node_infiniband_np_ecn_marked_roce_packets_received_total",
            "RoCE packets received that were marked for congestion.",
            LABELS,
        ),
    ),
    attribute(
        "out_of_buffer",
        Desc::counter(
            "node_infiniband_out_of_buffer_drops_total",
            "Packets dropped for lack of receive buffers.",
            LABELS,
        ),
    ),
    attribute(
        "out_of_sequence",
        Desc::counter(
            "node_infiniband_out_of_sequence_packets_received_total",
            "Packets received out of sequence.",
            LABELS,
        ),
    ),
    attribute(
        "packet_seq_err",
        Desc::counter(
            "node_infiniband_packet_sequence_errors_total",
            "Negative acknowledgements received for errors of sequence.",
            LABELS,
        ),
    ),
    attribute(
        "req_cqe_error",
        Desc::counter(
            "node_infiniband_req_cqes_errors_total",
            "Completions of requests with an error.",
            LABELS,
        ),
    ),
    attribute(
        "req_cqe_flush_error",
        Desc::counter(
            "node_infiniband_req_cqes_flush_errors_total",
            "Completions of requests that were flushed.",
            LABELS,
        ),
    ),
    attribute(
        "req_remote_access_errors",
        Desc::counter(
            "node_infiniband_req_remote_access_errors_total",
            "Requests that the remote side had no access for.",
            LABELS,
        ),
    ),
    attribute(
        "req_remote_invalid_request",
        Desc::counter(
            "node_infiniband_req_remote_invalid_request_errors_total",
            "Requests that the remote side found invalid.",
            LABELS,
        ),
    ),
    attribute(
        "resp_cqe_error",
        Desc::counter(
            "node_infiniband_resp_cqes_errors_total",
            "Completions of responses with an error.",
            LABELS,
        ),
    ),
    attribute(
        "resp_cqe_flush_error",
        Desc::counter(
            "node_infiniband_resp_cqes_flush_errors_total",
            "Completions of responses that were flushed.",
            LABELS,
        ),
    ),
    attribute(
        "resp_local_length_error",
        Desc::counter(
            "node_infiniband_resp_local_length_errors_total",
            "Responses with an error of length.",
            LABELS,
        ),
    ),
    attribute(
        "resp_remote_access_errors",
        Desc::counter(
            "node_infiniband_resp_remote_access_errors_total",
            "Responses to requests without access.",
            LABELS,
        ),
    ),
    attribute(
        "rnr_nak_retry_err",
        Desc::counter(
            "node_infiniband_rnr_nak_retry_packets_received_total",
            "Negative acknowledgements received because a receiver was not ready.",
            LABELS,
        ),
    ),
    attribute(
        "roce_adp_retrans",
        Desc::counter(
            "node_infiniband_roce_adp_retransmits_total",
            "Adaptive retransmissions.",
            LABELS,
        ),
    ),
    attribute(
        "roce_adp_retrans_to",
        Desc::counter(
            "node_infiniband_roce_adp_retransmits_timeout_total",
            "Adaptive retransmissions that timed out.",
            LABELS,
        ),
    ),
    attribute(
        "roce_slow_restart",
        Desc::counter(
            "node_infiniband_roce_slow_restart_used_total",
            "Times that slow restart was used.",
            LABELS,
        ),
    ),
    attribute(
        "roce_slow_restart_cnps",
        Desc::counter(
            "node_infiniband_roce_slow_restart_cnps_total",
            "Congestion notifications that slow restart caused.",
            LABELS,
        ),
    ),
    attribute(
        "roce_slow_restart_trans",
        Desc::counter(
            "node_infiniband_roce_slow_restart_total",
            "Times that slow restart began.",
            LABELS,
        ),
    ),
    attribute(
        "rp_cnp_handled",
        Desc::counter(
            "node_infiniband_rp_cnp_packets_handled_total",
            "Congestion notifications handled.",
            LABELS,
        ),
    ),
    attribute(
        "rp_cnp_ignored",
        Desc::counter(
            "node_infiniband_rp_cnp_ignored_packets_received_total",
            "Congestion notifications ignored.",
            LABELS,
        ),
    ),
    attribute(
        "rx_atomic_requests",
        Desc::counter(
            "node_infiniband_rx_atomic_requests_total",
            "Atomic requests received.",
            LABELS,
        ),
    ),
    attribute(
        "rx_dct_connect",
        Desc::counter(
            "node_infiniband_rx_dct_connect_requests_total",
            "Connection requests of dynamic transport received.",
            LABELS,
        ),
    ),
    attribute(
        "rx_icrc_encapsulated",
        Desc::counter(
            "node_infiniband_rx_icrc_encapsulated_errors_total",
            "RoCE packets received with a wrong invariant CRC.",
            LABELS,
        ),
    ),
    attribute(
        "rx_read_requests",
        Desc::counter("node_infiniband_rx_read_requests_total", "Read requests received.", LABELS),
    ),
    attribute(
        "rx_write_requests",
        Desc::counter(
            "node_infiniband_rx_write_requests_total",
            "Write requests received.",
            LABELS,
        ),
    ),
]);

/// Data is counted in words of four bytes.
fn bytes(words: f64) -> f64 {
    words * 4.0
}

fn whole_seconds(milliseconds: f64) -> f64 {
    (milliseconds / 1000.0).floor()
}

pub(super) struct Counters {
    port: Values<22>,
    legacy: Values<8>,
    hardware: Values<30>,
}

impl Counters {
    pub(super) fn read(port: &Device) -> Result<Self, Error> {
        Ok(Self {
            port: read(&PORT, port, "counters")?,
            legacy: read(&LEGACY, port, "counters_ext")?,
            hardware: read(&HARDWARE, port, "hw_counters")?,
        })
    }

    pub(super) fn expose(out: &mut Families, ports: &[([&str; 2], &Self)]) {
        let rows = ports.iter().map(|(labels, counters)| (*labels, counters.port));
        PORT.expose(out, &rows.collect::<Vec<_>>());
        let rows = ports.iter().map(|(labels, counters)| (*labels, counters.legacy));
        LEGACY.expose(out, &rows.collect::<Vec<_>>());
        let rows = ports.iter().map(|(labels, counters)| (*labels, counters.hardware));
        HARDWARE.expose(out, &rows.collect::<Vec<_>>());
    }
}

fn read<const M: usize>(
    counters: &Attributes<2, M>,
    port: &Device,
    directory: &str,
) -> Result<Values<M>, Error> {
    let Some(directory) = if_supported(port.device(directory))? else { return Ok([None; M]) };
    counters.values(|name| {
        let Some(text) = if_supported(directory.string(name))? else { return Ok(None) };
        // What some drivers say of all counters: `N/A (no PMA)`.
        if text.starts_with("N/A") {
            return Ok(None);
        }
        let count = text.parse::<u64>().map_err(|_| directory.unlike(name, "a count", &text))?;
        Ok(Some(count as f64))
    })
}
