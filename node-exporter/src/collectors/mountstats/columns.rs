//! The families of the collector, as tables over mounts, transports and operations.

use exporter_core::desc::{Column, Desc};

use super::parse::{Operation, Totals, Transport};

const EXPORT: [&str; 3] = ["export", "protocol", "mountaddr"];
const TRANSPORT: [&str; 4] = ["export", "protocol", "mountaddr", "transport"];
const OPERATION: [&str; 4] = ["export", "protocol", "mountaddr", "operation"];

pub(super) static MOUNTPOINT: Desc<4> = Desc::gauge(
    "node_mountstats_nfs_mountpoint_info",
    "Where an NFS export is mounted. Always 1.",
    ["export", "protocol", "mountaddr", "mountpoint"],
);

#[rustfmt::skip] // a line each
pub(super) static MOUNTS: [Column<Totals, 3>; 35] = [
    Desc::counter("node_mountstats_nfs_age_seconds_total", "How long ago the export was mounted.", EXPORT).column(|row| Some(row.age as f64)),
    Desc::counter("node_mountstats_nfs_read_bytes_total", "Bytes read by read().", EXPORT).column(|row| Some(row.bytes[0] as f64)),
    Desc::counter("node_mountstats_nfs_write_bytes_total", "Bytes written by write().", EXPORT).column(|row| Some(row.bytes[1] as f64)),
    Desc::counter("node_mountstats_nfs_direct_read_bytes_total", "Bytes read by read() with O_DIRECT.", EXPORT).column(|row| Some(row.bytes[2] as f64)),
    Desc::counter("node_mountstats_nfs_direct_write_bytes_total", "Bytes written by write() with O_DIRECT.", EXPORT).column(|row| Some(row.bytes[3] as f64)),
    Desc::counter("node_mountstats_nfs_total_read_bytes_total", "Bytes read from the server.", EXPORT).column(|row| Some(row.bytes[4] as f64)),
    Desc::counter("node_mountstats_nfs_total_write_bytes_total", "Bytes written to the server.", EXPORT).column(|row| Some(row.bytes[5] as f64)),
    Desc::counter("node_mountstats_nfs_read_pages_total", "Pages read, including those of mappings.", EXPORT).column(|row| Some(row.bytes[6] as f64)),
    Desc::counter("node_mountstats_nfs_write_pages_total", "Pages written, including those of mappings.", EXPORT).column(|row| Some(row.bytes[7] as f64)),
    Desc::counter("node_mountstats_nfs_event_inode_revalidate_total", "Cached attributes checked with the server.", EXPORT).column(|row| Some(row.events[0] as f64)),
    Desc::counter("node_mountstats_nfs_event_dnode_revalidate_total", "Cached directory entries checked with the server.", EXPORT).column(|row| Some(row.events[1] as f64)),
    Desc::counter("node_mountstats_nfs_event_data_invalidate_total", "Invalidations of cached file data.", EXPORT).column(|row| Some(row.events[2] as f64)),
    Desc::counter("node_mountstats_nfs_event_attribute_invalidate_total", "Cached attributes dropped.", EXPORT).column(|row| Some(row.events[3] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_open_total", "Files and directories opened.", EXPORT).column(|row| Some(row.events[4] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_lookup_total", "Lookups in a directory.", EXPORT).column(|row| Some(row.events[5] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_access_total", "Checks of permissions.", EXPORT).column(|row| Some(row.events[6] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_update_page_total", "Updates of pages, which may lead to writes.", EXPORT).column(|row| Some(row.events[7] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_read_page_total", "Pages read through a mapping or one at a time.", EXPORT).column(|row| Some(row.events[8] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_read_pages_total", "Groups of pages read.", EXPORT).column(|row| Some(row.events[9] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_write_page_total", "Pages written through a mapping or one at a time.", EXPORT).column(|row| Some(row.events[10] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_write_pages_total", "Groups of pages written.", EXPORT).column(|row| Some(row.events[11] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_getdents_total", "Reads of directory entries.", EXPORT).column(|row| Some(row.events[12] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_setattr_total", "Changes of attributes.", EXPORT).column(|row| Some(row.events[13] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_flush_total", "Flushes of pending writes.", EXPORT).column(|row| Some(row.events[14] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_fsync_total", "Calls of fsync on files and directories.", EXPORT).column(|row| Some(row.events[15] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_lock_total", "Attempts to lock a file.", EXPORT).column(|row| Some(row.events[16] as f64)),
    Desc::counter("node_mountstats_nfs_event_vfs_file_release_total", "Files closed and released.", EXPORT).column(|row| Some(row.events[17] as f64)),
    Desc::counter("node_mountstats_nfs_event_truncation_total", "Files truncated.", EXPORT).column(|row| Some(row.events[19] as f64)),
    Desc::counter("node_mountstats_nfs_event_write_extension_total", "Files grown by a write beyond their end.", EXPORT).column(|row| Some(row.events[20] as f64)),
    Desc::counter("node_mountstats_nfs_event_silly_rename_total", "Files removed while open, and so renamed.", EXPORT).column(|row| Some(row.events[21] as f64)),
    Desc::counter("node_mountstats_nfs_event_short_read_total", "Reads with less data than requested.", EXPORT).column(|row| Some(row.events[22] as f64)),
    Desc::counter("node_mountstats_nfs_event_short_write_total", "Writes with less data accepted than sent.", EXPORT).column(|row| Some(row.events[23] as f64)),
    Desc::counter("node_mountstats_nfs_event_jukebox_delay_total", "Delays because data is on slow storage.", EXPORT).column(|row| Some(row.events[24] as f64)),
    Desc::counter("node_mountstats_nfs_event_pnfs_read_total", "Reads by pNFS.", EXPORT).column(|row| Some(row.events[25] as f64)),
    Desc::counter("node_mountstats_nfs_event_pnfs_write_total", "Writes by pNFS.", EXPORT).column(|row| Some(row.events[26] as f64)),
];

#[rustfmt::skip] // a line each
pub(super) static TRANSPORTS: [Column<Transport, 4>; 10] = [
    Desc::counter("node_mountstats_nfs_transport_bind_total", "Times a connection to the server was set up from scratch.", TRANSPORT).column(|row| Some(row.bind as f64)),
    Desc::counter("node_mountstats_nfs_transport_connect_total", "TCP connections made to the server.", TRANSPORT).column(|row| Some(row.connect as f64)),
    Desc::gauge("node_mountstats_nfs_transport_idle_time_seconds", "Time since there was any traffic.", TRANSPORT).column(|row| Some(row.idle as f64)),
    Desc::counter("node_mountstats_nfs_transport_sends_total", "Requests sent to the server.", TRANSPORT).column(|row| Some(row.sends as f64)),
    Desc::counter("node_mountstats_nfs_transport_receives_total", "Answers received from the server.", TRANSPORT).column(|row| Some(row.receives as f64)),
    Desc::counter("node_mountstats_nfs_transport_bad_transaction_ids_total", "Answers with an unknown transaction ID.", TRANSPORT).column(|row| Some(row.bad_ids as f64)),
    Desc::counter("node_mountstats_nfs_transport_backlog_queue_total", "Sum of the length of the backlog queue at each request.", TRANSPORT).column(|row| Some(row.backlog as f64)),
    Desc::gauge("node_mountstats_nfs_transport_maximum_rpc_slots", "Maximum number of concurrent requests.", TRANSPORT).column(|row| Some(row.slots as f64)),
    Desc::counter("node_mountstats_nfs_transport_sending_queue_total", "Sum of the length of the sending queue at each request.", TRANSPORT).column(|row| Some(row.sending as f64)),
    Desc::counter("node_mountstats_nfs_transport_pending_queue_total", "Sum of the length of the pending queue at each request.", TRANSPORT).column(|row| Some(row.pending as f64)),
];

#[rustfmt::skip] // a line each
pub(super) static OPERATIONS: [Column<Operation, 4>; 9] = [
    Desc::counter("node_mountstats_nfs_operations_requests_total", "Requests.", OPERATION).column(|row| Some(row.requests as f64)),
    Desc::counter("node_mountstats_nfs_operations_transmissions_total", "Transmissions of requests.", OPERATION).column(|row| Some(row.transmissions as f64)),
    Desc::counter("node_mountstats_nfs_operations_major_timeouts_total", "Requests that ran into a major timeout.", OPERATION).column(|row| Some(row.timeouts as f64)),
    Desc::counter("node_mountstats_nfs_operations_sent_bytes_total", "Bytes sent, headers included.", OPERATION).column(|row| Some(row.sent as f64)),
    Desc::counter("node_mountstats_nfs_operations_received_bytes_total", "Bytes received, headers included.", OPERATION).column(|row| Some(row.received as f64)),
    Desc::counter("node_mountstats_nfs_operations_queue_time_seconds_total", "Total time that requests waited to be sent.", OPERATION).column(|row| Some(wrapped(row.queue_ms) / 1000.0)),
    Desc::counter("node_mountstats_nfs_operations_response_time_seconds_total", "Total time from sending a request to its response.", OPERATION).column(|row| Some(wrapped(row.response_ms) / 1000.0)),
    Desc::counter("node_mountstats_nfs_operations_request_time_seconds_total", "Total time from queueing a request to its completion.", OPERATION).column(|row| Some(wrapped(row.request_ms) / 1000.0)),
    Desc::counter("node_mountstats_nfs_operations_errors_total", "Requests that completed with an error. Since Linux 5.3.", OPERATION).column(|row| row.errors.map(wrapped)),
];

/// Some kernels write negative times as large unsigned numbers, which an f64 cannot represent
/// exactly.
fn wrapped(value: u64) -> f64 {
    const EXACT: u64 = 1 << 53;
    (value % EXACT) as f64
}
