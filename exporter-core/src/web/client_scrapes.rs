//! Scrapes by client.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::exposition::desc::Desc;
use crate::exposition::families::Families;

pub(super) static SCRAPES: Desc<1> = Desc::counter(
    "exporter_client_scrapes_total",
    "Scrapes answered, by the verified name in the client certificate, or else the user name; empty without either. \
     Names after the first 20 count as other.",
    ["client"],
);
pub(super) static DURATION: Desc<1> = Desc::counter(
    "exporter_client_scrape_duration_seconds_total",
    "Time from the requests of scrapes to their responses, by client as in exporter_client_scrapes_total.",
    ["client"],
);

/// How many clients have series of their own.
const CLIENTS: usize = 20;

/// The client that stands for all further ones.
const OTHER: &str = "other";

/// The scrapes of each client since the start.
#[derive(Debug, Default)]
pub(super) struct ClientScrapes(Mutex<BTreeMap<String, Scrapes>>);

#[derive(Debug, Default)]
struct Scrapes {
    count: u64,
    duration: Duration,
}

impl ClientScrapes {
    /// Counts a scrape. `client` has been authenticated, or is empty.
    pub(super) fn add(&self, client: &str, duration: Duration) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = !clients.contains_key(client);
        let client = if is_new && clients.len() >= CLIENTS { OTHER } else { client };
        let scrapes = match clients.get_mut(client) {
            Some(scrapes) => scrapes,
            None => clients.entry(client.to_owned()).or_default(),
        };
        scrapes.count += 1;
        scrapes.duration += duration;
    }

    pub(super) fn write(&self, out: &mut Families) {
        let clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut family = out.family(&SCRAPES);
            for (client, scrapes) in &*clients {
                family.sample([client], scrapes.count as f64);
            }
        }
        let mut family = out.family(&DURATION);
        for (client, scrapes) in &*clients {
            family.sample([client], scrapes.duration.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_clients_is_limited() {
        let scrapes = ClientScrapes::default();
        for nth in 0..30 {
            scrapes.add(&format!("client{nth:02}"), Duration::from_secs(1));
        }
        scrapes.add("client05", Duration::from_secs(2));
        let clients = scrapes.0.lock().unwrap();
        assert_eq!(clients.len(), CLIENTS + 1);
        assert_eq!((clients["client05"].count, clients["client05"].duration.as_secs()), (2, 3));
        assert_eq!(clients[OTHER].count, 10);
    }
}
