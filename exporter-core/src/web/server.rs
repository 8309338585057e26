//! The state that all connections of a site share.

use std::sync::Arc;

use rustix::process::{Resource, getrlimit};
use tokio::sync::watch;

use super::connection::known_addresses::KnownAddresses;
use super::connection::table::{ConnectionTable, TableLimits};
use super::connection::unsent::UnsentResponses;
use super::http::compress::Compressor;
use super::rejection_log::RejectionLog;
use super::site::Site;

/// The state that all connections share.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) site: Arc<Site>,
    pub(crate) compressor: Arc<Compressor>,
    pub(crate) rejections: RejectionLog,
    pub(crate) known_addresses: Arc<KnownAddresses>,
    pub(crate) table: Arc<ConnectionTable>,
    pub(crate) unsent: Arc<UnsentResponses>,
    pub(crate) shutdown: watch::Sender<bool>,
}

impl Server {
    pub(super) fn new(site: Arc<Site>) -> Arc<Self> {
        let limits = &site.limits;
        let connections = affordable(limits.connections);
        let known_addresses = Arc::<KnownAddresses>::default();
        let table = ConnectionTable::new(
            TableLimits {
                connections,
                per_address: limits.connections_per_address.min(connections),
                handshakes: limits.handshakes,
            },
            Arc::clone(&known_addresses),
            Arc::clone(&site.metrics),
        );
        Arc::new(Self {
            compressor: Arc::default(),
            rejections: RejectionLog::default(),
            shutdown: watch::Sender::new(false),
            unsent: UnsentResponses::new(limits.unsent),
            known_addresses,
            site,
            table,
        })
    }
}

/// The limit of connections, lowered so that collectors have enough file descriptors.
fn affordable(connections: usize) -> usize {
    match getrlimit(Resource::Nofile).current.map(usize::try_from) {
        Some(Ok(descriptors)) => connections.min(descriptors / 2).max(1),
        _ => connections,
    }
}
