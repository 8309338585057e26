use std::time::Duration;

use super::*;
use crate::web::connection::state::{RequestInProgress, Stage};
use crate::web::limits::Limits;

struct Scene {
    table: Arc<ConnectionTable>,
    known: Arc<KnownAddresses>,
    metrics: Arc<ServerMetrics>,
}

struct Open {
    state: Arc<ConnectionState>,
    _entry: TableEntry,
    request: Option<RequestInProgress>,
}

fn scene(connections: usize, per_address: usize, handshakes: usize) -> Scene {
    let (known, metrics) = (Arc::<KnownAddresses>::default(), Arc::<ServerMetrics>::default());
    let limits = TableLimits { connections, per_address, handshakes };
    let table = ConnectionTable::new(limits, Arc::clone(&known), Arc::clone(&metrics));
    Scene { table, known, metrics }
}

fn address(n: u32) -> ClientAddress {
    ClientAddress::Unix { uid: Some(n) }
}

impl Scene {
    fn connect_in(&self, n: u32, first: Stage) -> Option<Open> {
        // Each a moment later than the one before.
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

    /// Being answered.
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
fn the_address_with_most_makes_room() {
    let scene = scene(6, 6, 6);
    let one = scene.connect(1).unwrap();
    let many: Vec<_> = (0..5).map(|_| scene.connect(2).unwrap()).collect();
    let third = scene.connect(3).unwrap();
    assert!(scene.is_open(&one) && scene.is_open(&third));
    assert_eq!(scene.which_are_open(&many), [1, 2, 3, 4]);
    // It makes room for itself, too.
    let fourth = scene.connect(2).unwrap();
    assert!(scene.is_open(&one) && scene.is_open(&third) && scene.is_open(&fourth));
    assert_eq!(scene.which_are_open(&many), [2, 3, 4]);
    assert_eq!(scene.metrics.evictions(Eviction::ConnectionLimit), 2);
}

#[test]
fn those_without_credentials_go_first_then_the_longest_idle() {
    let scene = scene(4, 4, 4);
    let all: Vec<_> =
        [scene.authenticated(1), scene.authenticated(1), scene.busy(1), scene.connect(1)]
            .into_iter()
            .map(Option::unwrap)
            .collect();
    let next = scene.busy(1).unwrap();
    assert_eq!(scene.which_are_open(&all), [0, 1, 2]);
    let after = scene.busy(1).unwrap();
    assert_eq!(scene.which_are_open(&all), [1, 2]);
    let last = scene.busy(1).unwrap();
    assert_eq!(scene.which_are_open(&all), [2]);
    // All are being answered, and all are of this address.
    assert!(scene.connect(1).is_none());
    // But one address must not keep out others.
    let other = scene.connect(2).unwrap();
    assert_eq!(scene.which_are_open(&all), [0; 0]);
    assert!([next, after, last, other].iter().all(|open| scene.is_open(open)));
}

#[test]
fn requests_without_credentials_are_no_reason_to_stay() {
    let scene = scene(2, 2, 2);
    let all: Vec<_> = (0..2).map(|_| scene.connect(1).unwrap()).collect();
    let _requests: Vec<_> = all.iter().map(|open| open.state.request()).collect();
    assert!(scene.connect(2).is_some());
    assert!(scene.connect(1).is_some());
}

/// One connection of each of many addresses must not push out a scraper that has several.
#[test]
fn known_addresses_keep_a_reserve() {
    let scene = scene(20, 8, 20);
    scene.known.insert(address(1));
    let scraper: Vec<_> = (0..3).map(|_| scene.authenticated(1).unwrap()).collect();
    let crowd: Vec<_> = (100..150).map(|n| scene.connect(n).unwrap()).collect();
    assert_eq!(scene.which_are_open(&scraper), [0, 1, 2]);
    assert_eq!(scene.which_are_open(&crowd).len(), 17);
    // Also for what is only beginning.
    let next = scene.connect(1).unwrap();
    let _more: Vec<_> = (200..250).map(|n| scene.connect(n).unwrap()).collect();
    assert!(scene.is_open(&next));
}

#[test]
fn one_address_has_a_limit_of_its_own() {
    let scene = scene(100, 4, 100);
    let all: Vec<_> = (0..6).map(|_| scene.connect(1).unwrap()).collect();
    assert_eq!(scene.which_are_open(&all), [2, 3, 4, 5]);
    assert_eq!(scene.metrics.evictions(Eviction::AddressLimit), 2);
    assert!(scene.connect(2).is_some());
    let _busy: Vec<_> = (0..4).map(|_| scene.busy(3).unwrap()).collect();
    assert!(scene.connect(3).is_none());
}

#[test]
fn handshakes_have_a_limit_and_are_shared_out_as_well() {
    let scene = scene(100, 100, 4);
    let honest = scene.connect_in(1, Stage::Handshake).unwrap();
    let flood: Vec<_> = (0..50).map(|_| scene.connect_in(2, Stage::Handshake).unwrap()).collect();
    assert!(scene.is_open(&honest));
    assert_eq!(scene.which_are_open(&flood), [47, 48, 49]);
    assert_eq!(scene.metrics.evictions(Eviction::HandshakeLimit), 47);
    assert!(scene.connect(3).is_some());
}

#[test]
fn unsent_answers_go_of_the_address_that_has_most() {
    let scene = scene(100, 100, 4);
    let unsent = |n, bytes| {
        let mut open = scene.busy(n).unwrap();
        open.request.as_mut().unwrap().answered(bytes);
        open
    };
    let one = unsent(1, 300);
    let many: Vec<_> = (0..5).map(|_| unsent(2, 100)).collect();
    scene.table.evict_unsent(150);
    assert!(scene.is_open(&one));
    assert_eq!(scene.which_are_open(&many), [2, 3, 4]);
    // Those are about to be freed.
    scene.table.evict_unsent(200);
    assert_eq!(scene.which_are_open(&many), [2, 3, 4]);
    scene.table.evict_unsent(usize::MAX);
    assert_eq!(scene.metrics.evictions(Eviction::UnsentAnswers), 6);
}

#[test]
fn without_descriptors_nothing_that_is_being_answered_goes() {
    let scene = scene(100, 100, 4);
    let _busy = scene.busy(1).unwrap();
    assert!(!scene.table.evict_one(Eviction::Descriptors));
    let idle = scene.authenticated(2).unwrap();
    assert!(scene.table.evict_one(Eviction::Descriptors));
    assert!(!scene.is_open(&idle));
}
