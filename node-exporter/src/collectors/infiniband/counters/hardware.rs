//! The counters of the hardware: `hw_counters`.

use exporter_core::desc::Desc;

use super::super::LABELS;
use crate::attributes::{Attributes, attribute};

pub(in super::super) static HARDWARE: Attributes<2, 30> = Attributes([
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
            "Maximum age of the hardware counters.",
            LABELS,
        ),
    )
    .scaled(whole_seconds),
    attribute(
        "local_ack_timeout_err",
        Desc::counter(
            "node_infiniband_local_ack_timeout_errors_total",
            "Acknowledgements that were late.",
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
            "Negative acknowledgements received for sequence errors.",
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
            "Requests rejected by the remote side for lack of access.",
            LABELS,
        ),
    ),
    attribute(
        "req_remote_invalid_request",
        Desc::counter(
            "node_infiniband_req_remote_invalid_request_errors_total",
            "Requests rejected by the remote side as invalid.",
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
            "Responses with a length error.",
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

fn whole_seconds(milliseconds: f64) -> f64 {
    (milliseconds / 1000.0).floor()
}
