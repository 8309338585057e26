//! The queue for bcrypt: few at work, and nobody's flood in everybody's way.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// At most this many threads compare passwords; one where there is one processor.
const AT_WORK: usize = 2;
/// Lanes for addresses, and as many for names at an address.
const LANES: usize = 64;
/// Waiting in one lane. Beyond that there is no use in waiting.
const PLACES: usize = 128;
const PATIENCE: Duration = Duration::from_secs(5);

/// One login of each lane gets on at a time: first among those of the same name at the same
/// address, then among those of the address, then among all. A flood fills its own lane.
#[derive(Debug)]
pub(super) struct Gate {
    names: Box<[Lane]>,
    addresses: Box<[Lane]>,
    at_work: Arc<Semaphore>,
    /// Which lane is whose cannot be computed from outside.
    lanes: RandomState,
}

#[derive(Debug)]
struct Lane {
    places: Semaphore,
    next: Arc<Semaphore>,
}

/// Leave to compare one password. Dropped when done.
#[derive(Debug)]
pub(super) struct Place {
    _name: OwnedSemaphorePermit,
    _address: OwnedSemaphorePermit,
    _at_work: OwnedSemaphorePermit,
}

impl Gate {
    pub(super) fn new() -> Self {
        let lanes = || (0..LANES).map(|_| Lane::new()).collect();
        let at_work = available_parallelism().map_or(1, usize::from).min(AT_WORK);
        Self {
            names: lanes(),
            addresses: lanes(),
            at_work: Arc::new(Semaphore::new(at_work)),
            lanes: RandomState::new(),
        }
    }

    /// `None` when there are too many others, or it takes too long. Known and unknown names are
    /// treated alike.
    pub(super) async fn enter(&self, peer: Option<IpAddr>, name: &str) -> Option<Place> {
        let address = peer.map(network);
        let lane = self.lane(&self.names, (address, name))?;
        let _waiting = lane.places.try_acquire().ok()?;
        timeout(PATIENCE, async {
            Some(Place {
                _name: take(&lane.next).await?,
                _address: take(&self.lane(&self.addresses, address)?.next).await?,
                _at_work: take(&self.at_work).await?,
            })
        })
        .await
        .ok()?
    }

    fn lane<'a>(&self, lanes: &'a [Lane], whose: impl Hash) -> Option<&'a Lane> {
        let hash = self.lanes.hash_one(whose);
        lanes.get(usize::try_from(hash % LANES as u64).ok()?)
    }
}

impl Lane {
    fn new() -> Self {
        Self { places: Semaphore::new(PLACES), next: Arc::new(Semaphore::new(1)) }
    }
}

async fn take(semaphore: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    Arc::clone(semaphore).acquire_owned().await.ok()
}

/// Who holds one IPv6 address holds its network of 2^64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            std::net::Ipv6Addr::from_bits(network).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_keeps_to_its_lane() {
        let gate = Arc::new(Gate::new());
        let first = gate.enter(Some(address("10.0.0.1")), "a").await.unwrap();
        let mut waiting: Vec<_> = (0..PLACES + 40)
            .map(|_| {
                let gate = Arc::clone(&gate);
                tokio::spawn(
                    async move { gate.enter(Some(address("10.0.0.1")), "a").await.is_some() },
                )
            })
            .collect();
        tokio::task::yield_now().await;
        // Another address may fall into the same lane; of these some do not.
        if gate.at_work.available_permits() > 0 {
            let mut passed = 0;
            for other in ["10.0.0.2", "10.0.0.3", "10.0.0.4", "::1", "fd00::1"] {
                let place =
                    timeout(Duration::from_millis(1), gate.enter(Some(address(other)), "b"));
                passed += usize::from(matches!(place.await, Ok(Some(_))));
            }
            assert!(passed > 0);
        }
        // Those without a place are sent away at once, the others when their patience ends.
        tokio::time::sleep(PATIENCE * 2).await;
        for task in waiting.drain(..) {
            assert!(!task.await.unwrap());
        }
        drop(first);
        assert!(gate.enter(Some(address("10.0.0.1")), "a").await.is_some());
    }

    #[test]
    fn a_network_is_one_address() {
        for (one, other, is_one) in [
            ("fd00::1", "fd00::2:3", true),
            ("fd00:0:0:1::1", "fd00:0:0:2::1", false),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
        ] {
            let network = |text: &str| network(text.parse().unwrap());
            assert_eq!(network(one) == network(other), is_one, "{one} {other}");
        }
    }
}
