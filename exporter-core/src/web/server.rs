//! What all connections of a site share.

use std::sync::Arc;

use rustix::process::{Resource, getrlimit};
use tokio::sync::watch;

use super::connection::known_addresses::KnownAddresses;
use super::connection::table::Table;
use super::http::compress::Compressor;
use super::site::Site;
use super::tls::refusals::Refusals;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) site: Arc<Site>,
    pub(crate) compressor: Compressor,
    pub(crate) refusals: Refusals,
    pub(crate) known_addresses: KnownAddresses,
    pub(crate) table: Arc<Table>,
    pub(crate) running: watch::Sender<bool>,
}

impl Server {
    pub(super) fn new(site: Arc<Site>) -> Arc<Self> {
        let limits = &site.limits;
        let connections = affordable(limits.connections);
        let table = Table::new(connections, limits.handshakes, Arc::clone(&site.metrics));
        Arc::new(Self {
            compressor: Compressor::default(),
            refusals: Refusals::default(),
            known_addresses: KnownAddresses::default(),
            running: watch::Sender::new(true),
            site,
            table,
        })
    }
}

/// As many connections as are allowed, but never so many that no descriptors are left for what
/// collectors read.
fn affordable(connections: usize) -> usize {
    match getrlimit(Resource::Nofile).current.map(usize::try_from) {
        Some(Ok(descriptors)) => connections.min(descriptors / 2).max(1),
        _ => connections,
    }
}
