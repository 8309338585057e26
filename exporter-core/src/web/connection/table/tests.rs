use std::time::Duration;

use super::*;
use crate::web::connection::state::{RequestInProgress, Stage};
use crate::web::limits::Limits;

struct Fixture {
    table: Arc<ConnectionTable>,
    known: Arc<KnownAddresses>,
    metrics: Arc<ServerMetrics>,
}

struct Open {
    state: Arc<ConnectionState>,
    _entry: TableEntry,
    request: Option<RequestInProgress>,
}

fn fixture(connections: usize, per_address: usize, handshakes: usize) -> Fixture {
    let (known, metrics) = (Arc::<KnownAddresses>::default(), Arc::<ServerMetrics>::default());
    let limits = TableLimits { connections, per_address, handshakes };
    let table = ConnectionTable::new(limits, Arc::clone(&known), Arc::clone(&metrics));
    Fixture { table, known, metrics }
}

fn address(n: u32) -> ClientAddress {
    ClientAddress::Unix { uid: Some(n) }
}

impl Fixture {
    fn connect_in(&self, n: u32, first: Stage) -> Option<Open> {
        // Each is a moment later than the previous one.
        std::thread::sleep(Duration::from_micros(10));
        let state = ConnectionState::new(first, address(n), &Limits::default());
        let entry = self.table.admit(&state)?;
        Some(Open { state, _entry: entry, request: None })
    }

    fn connect(&self, n: u32) -> Option<Open> {
        self.connect_in(n, Stage::FirstByte)
    }

    fn authenticated(&self, n: u32) -> Option<Open> {
        let open = self.connect(n)?;
        open.state.authenticated();
        Some(open)
    }

    /// With a request in progress.
    fn busy(&self, n: u32) -> Option<Open> {
        let open = self.authenticated(n)?;
        let request = Some(open.state.request());
        Some(Open { request, ..open })
    }

    fn is_open(&self, open: &Open) -> bool {
        self.table.lock().connections.values().any(|state| Arc::ptr_eq(state, &open.state))
    }

    fn which_are_open(&self, all: &[Open]) -> Vec<usize> {
        all.iter().enumerate().filter(|(_, open)| self.is_open(open)).map(|(n, _)| n).collect()
    }
}

#[test]
fn the_address_with_most_connections_loses_one() {
    let fixture = fixture(6, 6, 6);
    let one = fixture.connect(1).unwrap();
    let many: Vec<_> = (0..5).map(|_| fixture.connect(2).unwrap()).collect();
    let third = fixture.connect(3).unwrap();
    assert!(fixture.is_open(&one) && fixture.is_open(&third));
    assert_eq!(fixture.which_are_open(&many), [1, 2, 3, 4]);
    // An address also makes room for its own connections.
    let fourth = fixture.connect(2).unwrap();
    assert!(fixture.is_open(&one) && fixture.is_open(&third) && fixture.is_open(&fourth));
    assert_eq!(fixture.which_are_open(&many), [2, 3, 4]);
    assert_eq!(fixture.metrics.evictions(Eviction::ConnectionLimit), 2);
}

#[test]
fn unauthenticated_then_longest_idle_connections_are_closed_first() {
    let fixture = fixture(4, 4, 4);
    let all: Vec<_> =
        [fixture.authenticated(1), fixture.authenticated(1), fixture.busy(1), fixture.connect(1)]
            .into_iter()
            .map(Option::unwrap)
            .collect();
    let next = fixture.busy(1).unwrap();
    assert_eq!(fixture.which_are_open(&all), [0, 1, 2]);
    let after = fixture.busy(1).unwrap();
    assert_eq!(fixture.which_are_open(&all), [1, 2]);
    let last = fixture.busy(1).unwrap();
    assert_eq!(fixture.which_are_open(&all), [2]);
    // Requests are in progress on all of them, and all are of this address.
    assert!(fixture.connect(1).is_none());
    // But one address must not block others.
    let other = fixture.connect(2).unwrap();
    assert_eq!(fixture.which_are_open(&all), [0; 0]);
    assert!([next, after, last, other].iter().all(|open| fixture.is_open(open)));
}

#[test]
fn unauthenticated_requests_do_not_prevent_eviction() {
    let fixture = fixture(2, 2, 2);
    let all: Vec<_> = (0..2).map(|_| fixture.connect(1).unwrap()).collect();
    let _requests: Vec<_> = all.iter().map(|open| open.state.request()).collect();
    assert!(fixture.connect(2).is_some());
    assert!(fixture.connect(1).is_some());
}

/// One connection from each of many addresses must not evict a scraper with several connections.
#[test]
fn known_addresses_keep_a_reserve() {
    let fixture = fixture(20, 8, 20);
    fixture.known.insert(address(1));
    let scraper: Vec<_> = (0..3).map(|_| fixture.authenticated(1).unwrap()).collect();
    let crowd: Vec<_> = (100..150).map(|n| fixture.connect(n).unwrap()).collect();
    assert_eq!(fixture.which_are_open(&scraper), [0, 1, 2]);
    assert_eq!(fixture.which_are_open(&crowd).len(), 17);
    // Also for connections that have just begun.
    let next = fixture.connect(1).unwrap();
    let _more: Vec<_> = (200..250).map(|n| fixture.connect(n).unwrap()).collect();
    assert!(fixture.is_open(&next));
}

#[test]
fn each_address_has_a_limit() {
    let fixture = fixture(100, 4, 100);
    let all: Vec<_> = (0..6).map(|_| fixture.connect(1).unwrap()).collect();
    assert_eq!(fixture.which_are_open(&all), [2, 3, 4, 5]);
    assert_eq!(fixture.metrics.evictions(Eviction::AddressLimit), 2);
    assert!(fixture.connect(2).is_some());
    let _busy: Vec<_> = (0..4).map(|_| fixture.busy(3).unwrap()).collect();
    assert!(fixture.connect(3).is_none());
}

#[test]
fn handshakes_are_limited_by_address() {
    let fixture = fixture(100, 100, 4);
    let honest = fixture.connect_in(1, Stage::Handshake).unwrap();
    let flood: Vec<_> = (0..50).map(|_| fixture.connect_in(2, Stage::Handshake).unwrap()).collect();
    assert!(fixture.is_open(&honest));
    assert_eq!(fixture.which_are_open(&flood), [47, 48, 49]);
    assert_eq!(fixture.metrics.evictions(Eviction::HandshakeLimit), 47);
    assert!(fixture.connect(3).is_some());
}

#[test]
fn the_address_with_most_unsent_bytes_loses_a_connection() {
    let fixture = fixture(100, 100, 4);
    let unsent = |n, bytes| {
        let mut open = fixture.busy(n).unwrap();
        open.request.as_mut().unwrap().response_completed(bytes);
        open
    };
    let one = unsent(1, 300);
    let many: Vec<_> = (0..5).map(|_| unsent(2, 100)).collect();
    fixture.table.evict_unsent(150);
    assert!(fixture.is_open(&one));
    assert_eq!(fixture.which_are_open(&many), [2, 3, 4]);
    // Those are about to be freed.
    fixture.table.evict_unsent(200);
    assert_eq!(fixture.which_are_open(&many), [2, 3, 4]);
    fixture.table.evict_unsent(usize::MAX);
    assert_eq!(fixture.metrics.evictions(Eviction::UnsentResponses), 6);
}

#[test]
fn running_out_of_descriptors_spares_requests_in_progress() {
    let fixture = fixture(100, 100, 4);
    let _busy = fixture.busy(1).unwrap();
    assert!(!fixture.table.evict_one(Eviction::Descriptors));
    let idle = fixture.authenticated(2).unwrap();
    assert!(fixture.table.evict_one(Eviction::Descriptors));
    assert!(!fixture.is_open(&idle));
}
