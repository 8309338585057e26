//! Packets that `IPsec` has dropped, by reason: `/proc/net/xfrm_stat`.
//!
//! See `Documentation/networking/xfrm_proc.rst`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("xfrm", "Packets dropped by IPsec", |host, _| {
        Ok(Source::blocking(Xfrm(host.clone())))
    })
    .cost("one small file")
    .off_by_default()
    .reads(&["/proc/net/xfrm_stat"])
    .metrics(&[&COUNTERS]);

/// Families by the name of the counter in the file.
#[rustfmt::skip] // a line each
static COUNTERS: [(&str, Desc<'static>); 28] = [
    ("XfrmInError", Desc::counter("node_xfrm_in_error_packets_total", "Inbound: errors that no other counter has.", [])),
    ("XfrmInBufferError", Desc::counter("node_xfrm_in_buffer_error_packets_total", "Inbound: no buffer left.", [])),
    ("XfrmInHdrError", Desc::counter("node_xfrm_in_hdr_error_packets_total", "Inbound: bad header.", [])),
    ("XfrmInNoStates", Desc::counter("node_xfrm_in_no_states_packets_total", "Inbound: no state for the SPI, address or protocol.", [])),
    ("XfrmInStateProtoError", Desc::counter("node_xfrm_in_state_proto_error_packets_total", "Inbound: protocol error in the transformation, such as a wrong key.", [])),
    ("XfrmInStateModeError", Desc::counter("node_xfrm_in_state_mode_error_packets_total", "Inbound: mode error in the transformation.", [])),
    ("XfrmInStateSeqError", Desc::counter("node_xfrm_in_state_seq_error_packets_total", "Inbound: sequence number out of the window.", [])),
    ("XfrmInStateExpired", Desc::counter("node_xfrm_in_state_expired_packets_total", "Inbound: state expired.", [])),
    ("XfrmInStateMismatch", Desc::counter("node_xfrm_in_state_mismatch_packets_total", "Inbound: an option of the state does not match, such as the UDP encapsulation.", [])),
    ("XfrmInStateInvalid", Desc::counter("node_xfrm_in_state_invalid_packets_total", "Inbound: state invalid.", [])),
    ("XfrmInTmplMismatch", Desc::counter("node_xfrm_in_tmpl_mismatch_packets_total", "Inbound: no template for the states.", [])),
    ("XfrmInNoPols", Desc::counter("node_xfrm_in_no_pols_packets_total", "Inbound: no policy for the states.", [])),
    ("XfrmInPolBlock", Desc::counter("node_xfrm_in_pol_block_packets_total", "Inbound: discarded by policy.", [])),
    ("XfrmInPolError", Desc::counter("node_xfrm_in_pol_error_packets_total", "Inbound: policy error.", [])),
    ("XfrmOutError", Desc::counter("node_xfrm_out_error_packets_total", "Outbound: errors that no other counter has.", [])),
    ("XfrmOutBundleGenError", Desc::counter("node_xfrm_out_bundle_gen_error_packets_total", "Outbound: a bundle could not be made.", [])),
    ("XfrmOutBundleCheckError", Desc::counter("node_xfrm_out_bundle_check_error_packets_total", "Outbound: a bundle did not pass its check.", [])),
    ("XfrmOutNoStates", Desc::counter("node_xfrm_out_no_states_packets_total", "Outbound: no state.", [])),
    ("XfrmOutStateProtoError", Desc::counter("node_xfrm_out_state_proto_error_packets_total", "Outbound: protocol error in the transformation.", [])),
    ("XfrmOutStateModeError", Desc::counter("node_xfrm_out_state_mode_error_packets_total", "Outbound: mode error in the transformation.", [])),
    ("XfrmOutStateSeqError", Desc::counter("node_xfrm_out_state_seq_error_packets_total", "Outbound: sequence number overflow.", [])),
    ("XfrmOutStateExpired", Desc::counter("node_xfrm_out_state_expired_packets_total", "Outbound: state expired.", [])),
    ("XfrmOutPolBlock", Desc::counter("node_xfrm_out_pol_block_packets_total", "Outbound: discarded by policy.", [])),
    ("XfrmOutPolDead", Desc::counter("node_xfrm_out_pol_dead_packets_total", "Outbound: policy is dead.", [])),
    ("XfrmOutPolError", Desc::counter("node_xfrm_out_pol_error_packets_total", "Outbound: policy error.", [])),
    ("XfrmFwdHdrError", Desc::counter("node_xfrm_fwd_hdr_error_packets_total", "Forwarding: the packet may not be routed.", [])),
    ("XfrmOutStateInvalid", Desc::counter("node_xfrm_out_state_invalid_packets_total", "Outbound: state invalid.", [])),
    ("XfrmAcquireError", Desc::counter("node_xfrm_acquire_error_packets_total", "State was used before it was fully acquired.", [])),
];

struct Xfrm(Host);

impl Collector for Xfrm {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let file = self.0.proc("net/xfrm_stat").or_absent("IPsec statistics")?;
        let mut found = false;
        for mut line in file.lines() {
            let name = line.optional().unwrap_or_default();
            if let Some((_, desc)) = COUNTERS.iter().find(|(known, _)| *known == name) {
                out.family(desc).sample([], line.number("a number of packets")?);
                found = true;
            }
        }
        if found { Ok(()) } else { Err(file.parse_error("counters such as `XfrmInError 0`")) }
    }
}
