//! Runs the collectors of one scrape: in order, isolated, within the deadline.

mod dropped;
mod outcome;
mod slot;
#[cfg(test)]
mod tests;
mod worker;

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, Shared};
use futures_util::{FutureExt, StreamExt, future, stream};
use tokio::time::{Instant, timeout_at};

#[cfg(feature = "testing")]
pub(crate) use self::dropped::DROPPED;
use self::dropped::Dropped;
pub use self::outcome::Outcome;
use self::outcome::{Failure, Run};
use self::slot::{Seat, Slot};
use self::worker::Lane;
use crate::collector::{Definition, Error, Source};
use crate::exposition;
use crate::exposition::desc::Desc;
use crate::exposition::families::Families;
use crate::exposition::format::{Escaping, Format};
use crate::flags::Flags;

/// The collectors of this process, in the order they are exposed.
pub struct Registry {
    /// The collectors, and behind them the precheck if there is one.
    slots: Vec<Slot>,
    precheck: Option<usize>,
    settings: Settings,
    /// Blocking collectors run one after another on one worker thread; scrapes that cannot share
    /// a collection take turns on it.
    lane: tokio::sync::Mutex<Lane>,
    flights: Mutex<HashMap<Key, Flight>>,
    /// The collectors that the program has and that are off.
    off: HashSet<&'static str>,
    dropped: Dropped,
}

/// What a registry is told beside its collectors.
pub struct Settings {
    /// The family of how long each collector took: a gauge in seconds.
    pub duration: &'static Desc<'static, 1>,
    /// The family of whether each collector succeeded: 0 or 1.
    pub success: &'static Desc<'static, 1>,
    /// What stands before a collector's name in the label of these.
    pub label: &'static str,
    /// How long one collector may take.
    pub limit: Duration,
    /// How many collectors may wait for a network at once.
    pub concurrency: usize,
    /// Whether `OpenMetrics` has `_created` lines.
    pub created_lines: bool,
    /// Writes what the program exposes of itself, after the collectors.
    pub own: Box<dyn Fn(&mut Families) + Send + Sync>,
}

/// What has to succeed before the collectors of a scrape run: where it fails, as with a server
/// that is down, they do not run and are not told of.
#[expect(missing_debug_implementations, reason = "holds a boxed trait object")]
pub struct Precheck {
    /// Its label, as that of a collector.
    pub name: &'static str,
    pub about: &'static str,
    pub source: Source,
}

impl Debug for Settings {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// One scrape, as far as collectors are concerned.
#[derive(Clone, Debug)]
pub struct ScrapeRequest {
    pub format: Format,
    pub escaping: Escaping,
    pub selection: Selection,
    /// When the answer must be ready: what is not done by then is left out.
    pub deadline: Instant,
}

/// Which collectors a scrape asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    #[default]
    All,
    Except(Vec<String>),
    Only(Vec<String>),
}

/// Why a scrape has no answer at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScrapeError {
    #[error("collector {0:?} is switched off on this exporter")]
    Disabled(String),
    #[error("the collection that this scrape shares was not done in time")]
    Late,
    #[error("there is no collector named {0:?}")]
    Unknown(String),
}

/// Scrapes with equal keys share one collection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    form: Form,
    slots: Vec<usize>,
}

/// How a scrape wants its samples written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Form {
    format: Format,
    escaping: Escaping,
    created_lines: bool,
}

impl Form {
    fn families(self, deadline: Instant) -> Families {
        let mut families = Families::new(self.format, self.escaping);
        families.created_lines = self.created_lines;
        families.deadline = Some(deadline.into_std());
        families
    }
}

/// A collection under way.
struct Flight {
    deadline: Instant,
    page: Shared<BoxFuture<'static, Bytes>>,
}

/// A scrape may join a collection whose deadline is this much earlier than its own.
const JOIN_SLACK: Duration = Duration::from_millis(500);

impl Registry {
    /// Builds the collectors of `enabled`. `known` are all that the program has, to tell a
    /// collector that is off from one that does not exist.
    pub fn build<Env>(
        enabled: &[&Definition<Env>],
        known: &[&Definition<Env>],
        env: &Env,
        flags: &Flags,
        settings: Settings,
    ) -> Result<Self, Error> {
        let mut slots = Vec::with_capacity(enabled.len() + 1);
        for def in enabled {
            let label = format!("{}{}", settings.label, def.name);
            slots.push(Slot::new(def.name, label, def.about, (def.build)(env, flags)?));
        }
        let off = known
            .iter()
            .map(|def| def.name)
            .filter(|name| enabled.iter().all(|def| def.name != *name));
        let off = off.collect();
        let lane = tokio::sync::Mutex::new(Lane::default());
        Ok(Self {
            slots,
            precheck: None,
            settings,
            lane,
            flights: Mutex::default(),
            off,
            dropped: Dropped::default(),
        })
    }

    /// This registry, each of its collections behind `precheck`.
    #[must_use]
    pub fn with_precheck(mut self, precheck: Precheck) -> Self {
        self.precheck = Some(self.slots.len());
        self.slots.push(Slot::new(
            precheck.name,
            precheck.name.to_owned(),
            precheck.about,
            precheck.source,
        ));
        self
    }

    /// One scrape. What failed in it shows in the success family, never in the status.
    pub async fn scrape(self: &Arc<Self>, request: ScrapeRequest) -> Result<Bytes, ScrapeError> {
        let slots = self.select(&request.selection)?;
        let ScrapeRequest { format, escaping, .. } = request;
        let created_lines = self.settings.created_lines;
        let key = Key { form: Form { format, escaping, created_lines }, slots };
        let deadline = request.deadline;
        let page = self.flight(key, deadline);
        // The collection itself ends at its own deadline; some time to write it down.
        timeout_at(deadline + JOIN_SLACK, page).await.map_err(|_| ScrapeError::Late)
    }

    /// How each collector did when it last ran.
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.slots.iter().map(Slot::outcome).collect()
    }

    /// The collection that a scrape joins, or else starts. It runs in a task of its own: a scraper
    /// that hangs up takes nothing from the others.
    fn flight(self: &Arc<Self>, key: Key, deadline: Instant) -> Shared<BoxFuture<'static, Bytes>> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(&key)
            && flight.deadline + JOIN_SLACK >= deadline
        {
            return flight.page.clone();
        }
        let registry = Arc::clone(self);
        let started = key.clone();
        let task = tokio::spawn(async move {
            let page = registry.collect(&started, deadline).await;
            let mut flights = registry.flights.lock().unwrap_or_else(PoisonError::into_inner);
            if flights.get(&started).is_some_and(|flight| flight.deadline == deadline) {
                flights.remove(&started);
            }
            page
        });
        let page = async { task.await.unwrap_or_default() }.boxed().shared();
        flights.insert(key, Flight { deadline, page: page.clone() });
        page
    }

    fn select(&self, selection: &Selection) -> Result<Vec<usize>, ScrapeError> {
        match selection {
            Selection::All => Ok((0..self.collectors().len()).collect()),
            Selection::Except(names) => {
                let is_named = |slot: &Slot| names.iter().any(|name| name == slot.name);
                let slots = self.collectors().iter().enumerate();
                Ok(slots.filter(|(_, slot)| !is_named(slot)).map(|(index, _)| index).collect())
            }
            Selection::Only(names) => {
                let mut slots =
                    names.iter().map(|name| self.find(name)).collect::<Result<Vec<_>, _>>()?;
                slots.sort_unstable();
                slots.dedup();
                Ok(slots)
            }
        }
    }

    fn find(&self, name: &str) -> Result<usize, ScrapeError> {
        let slot = self.collectors().iter().position(|slot| slot.name == name);
        slot.ok_or_else(|| {
            let is_off = self.off.contains(name);
            if is_off {
                ScrapeError::Disabled(name.into())
            } else {
                ScrapeError::Unknown(name.into())
            }
        })
    }

    fn collectors(&self) -> &[Slot] {
        let end = self.precheck.unwrap_or(self.slots.len());
        self.slots.get(..end).unwrap_or_default()
    }

    async fn collect(&self, key: &Key, deadline: Instant) -> Bytes {
        let precheck = self.precheck.and_then(|index| Some((index, self.slots.get(index)?)));
        let passed = match precheck {
            Some((index, slot)) => Some(self.run_waiting(index, slot, key, deadline).await),
            None => None,
        };
        if passed.as_ref().is_some_and(|run| run.failure.is_some()) {
            return self.page(passed.into_iter().collect(), key.form, deadline);
        }
        let (blocking, waiting): (Vec<_>, Vec<_>) = key
            .slots
            .iter()
            .filter_map(|&index| Some((index, self.slots.get(index)?)))
            .partition(|(_, slot)| matches!(slot.seat, Seat::Blocking(_)));
        let waiting: Vec<_> = waiting
            .into_iter()
            .map(|(index, slot)| self.run_waiting(index, slot, key, deadline))
            .collect();
        let waiting = stream::iter(waiting).buffer_unordered(self.settings.concurrency);
        let (mut runs, waited) =
            future::join(self.run_blocking(&blocking, key, deadline), waiting.collect::<Vec<_>>())
                .await;
        runs.extend(waited);
        runs.extend(passed);
        runs.sort_unstable_by_key(|run| run.slot);
        self.page(runs, key.form, deadline)
    }

    async fn run_blocking(
        &self,
        slots: &[(usize, &Slot)],
        key: &Key,
        deadline: Instant,
    ) -> Vec<Run> {
        if slots.is_empty() {
            return Vec::new();
        }
        let tasks = slots.iter().filter_map(|(index, slot)| Some((*index, slot.blocking()?)));
        let tasks: Vec<_> = tasks.collect();
        let missed = |slot| Run::failed(slot, Duration::ZERO, Failure::Deadline);
        match timeout_at(deadline, self.lane.lock()).await {
            Ok(mut lane) => lane.run(tasks, key.form, self.settings.limit, deadline).await,
            Err(_) => tasks.iter().map(|(slot, _)| missed(*slot)).collect(),
        }
    }

    async fn run_waiting(&self, index: usize, slot: &Slot, key: &Key, deadline: Instant) -> Run {
        let start = Instant::now();
        let deadline = deadline.min(start + self.settings.limit);
        let run = slot.wait(key.form.families(deadline));
        let result = timeout_at(deadline, run).await;
        let elapsed = start.elapsed();
        let late = |_| Err(Failure::late(elapsed, self.settings.limit));
        Run::new(index, elapsed, result.unwrap_or_else(late))
    }

    fn page(&self, runs: Vec<Run>, form: Form, deadline: Instant) -> Bytes {
        let mut own = form.families(deadline);
        let mut duration = own.family(self.settings.duration);
        for run in &runs {
            if let Some(slot) = self.slots.get(run.slot) {
                duration.sample([&slot.label], run.elapsed.as_secs_f64());
            }
        }
        let mut success = own.family(self.settings.success);
        for run in &runs {
            if let Some(slot) = self.slots.get(run.slot) {
                slot.note(run);
                success.sample([&slot.label], f64::from(u8::from(run.failure.is_none())));
                let refused = run.out.as_ref().map_or(0, |out| out.refused);
                self.dropped.refused(slot.name, refused);
            }
        }
        (self.settings.own)(&mut own);
        self.dropped.write(&mut own);
        let written = runs.into_iter().filter_map(|run| Some((run.out?, self.slots.get(run.slot))));
        let (parts, slots): (Vec<_>, Vec<_>) = written.chain([(own, None)]).unzip();
        let (page, conflicts) = exposition::join(&parts, form.format, form.escaping);
        for (part, slot) in parts.into_iter().zip(slots) {
            if let Some(slot) = slot {
                slot.recycle(part);
            }
        }
        self.dropped.note(conflicts);
        Bytes::from(page)
    }
}

impl Debug for Registry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = self.slots.iter().map(|slot| slot.name);
        f.debug_list().entries(names).finish()
    }
}
