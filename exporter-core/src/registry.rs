//! Runs the collectors of a scrape: in order, isolated from each other, within the deadline.

mod builder;
mod collect;
mod dropped;
mod encoding;
mod ignored;
mod interval;
mod member;
mod outcome;
mod page;
mod request;
mod settings;
#[cfg(test)]
mod tests;
mod worker;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Debug, Formatter};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::timeout_at;

pub use self::builder::Builder;
#[cfg(feature = "testing")]
pub(crate) use self::dropped::DROPPED;
use self::dropped::Dropped;
use self::encoding::Encoding;
use self::ignored::Ignored;
use self::interval::Interval;
use self::member::Member;
pub use self::outcome::{Last, Outcome};
pub(crate) use self::page::Page;
pub use self::request::{ScrapeError, ScrapeRequest, Selection};
pub use self::settings::Settings;
use self::worker::Worker;
use crate::collector::{Definition, Error, Source};
use crate::flags::Flags;

/// Collectors, in the order in which they are exposed.
///
/// A program with a command line gets its registry from [`Plan`](crate::run::Plan); others build
/// one with [`Registry::builder`].
pub struct Registry {
    members: RwLock<Vec<Arc<Member>>>,
    next_id: AtomicU64,
    precheck: Option<Arc<Member>>,
    settings: Settings,
    /// Blocking collectors run one after another on one worker thread. Scrapes that cannot share a
    /// collection take turns.
    worker: tokio::sync::Mutex<Worker>,
    in_flight: Mutex<HashMap<Key, InFlight>>,
    /// Collectors of the program that are switched off.
    disabled: HashSet<&'static str>,
    dropped: Dropped,
    ignored: Ignored,
}

/// A collector that runs before all others, such as a connection test. If it fails, the others do
/// not run and are not exposed.
#[expect(missing_debug_implementations, reason = "holds a boxed trait object")]
pub struct Precheck {
    name: &'static str,
    about: &'static str,
    source: Source,
}

impl Precheck {
    /// A precheck with its name, which is that of a collector, and one line about it.
    pub const fn new(name: &'static str, about: &'static str, source: Source) -> Self {
        Self { name, about, source }
    }
}

/// Scrapes with equal keys share one collection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    encoding: Encoding,
    /// The IDs of the members that run.
    members: Vec<u64>,
}

impl Key {
    fn new(members: &[Arc<Member>], encoding: Encoding) -> Self {
        Self { encoding, members: members.iter().map(|member| member.id).collect() }
    }
}

/// A collection that has not finished.
struct InFlight {
    deadline: Instant,
    page: Shared<BoxFuture<'static, Page>>,
}

impl InFlight {
    /// Whether a scrape with this deadline may share it.
    fn can_serve(&self, deadline: Instant) -> bool {
        self.deadline + MAX_JOIN_SLACK >= deadline
    }
}

/// A scrape may share a collection whose deadline is at most this much earlier than its own.
const MAX_JOIN_SLACK: Duration = Duration::from_millis(500);

impl Registry {
    fn new(settings: Settings) -> Self {
        Self {
            members: RwLock::default(),
            next_id: AtomicU64::new(0),
            precheck: None,
            settings,
            worker: tokio::sync::Mutex::new(Worker::default()),
            in_flight: Mutex::default(),
            disabled: HashSet::new(),
            dropped: Dropped::default(),
            ignored: Ignored::default(),
        }
    }

    /// Builds a registry without a command line.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Builds the collectors of `enabled`. `known` are all collectors of the program, so that a
    /// disabled one is distinguished from an unknown one.
    pub fn build<Env>(
        enabled: &[&Definition<Env>],
        known: &[&Definition<Env>],
        env: &Env,
        flags: &Flags,
        settings: Settings,
    ) -> Result<Self, Error> {
        let mut registry = Self::new(settings);
        for def in enabled {
            let source = (def.build)(env, flags)?;
            let interval = flags.interval(def.name);
            registry.add(def.name.into(), def.about.into(), source, interval);
        }
        let is_enabled = |name: &&str| enabled.iter().any(|def| def.name == *name);
        let names = known.iter().map(|def| def.name);
        registry.disabled = names.filter(|name| !is_enabled(name)).collect();
        Ok(registry)
    }

    /// Adds a collector that has to succeed before the others run.
    #[must_use]
    pub fn with_precheck(mut self, precheck: Precheck) -> Self {
        let Precheck { name, about, source } = precheck;
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let label = name.to_owned();
        let member = Member::new(id, name.into(), label, about.into(), source, None);
        self.precheck = Some(Arc::new(member));
        self
    }

    /// Adds a collector after the others, or replaces one of the same name. Scrapes in progress are
    /// not affected.
    pub fn register(&self, name: impl Into<Cow<'static, str>>, source: Source) {
        self.add(name.into(), "".into(), source, None);
    }

    /// As [`register`](Self::register), for a collector that runs once in each `interval` at most.
    /// Scrapes in between get its last result again, in whatever format, with its age as
    /// `exporter_collector_result_age_seconds`.
    pub fn register_with_interval(
        &self,
        name: impl Into<Cow<'static, str>>,
        source: Source,
        interval: Duration,
    ) {
        self.add(name.into(), "".into(), source, Some(interval));
    }

    /// Removes a collector. Returns whether it existed. Scrapes in progress still run it.
    pub fn unregister(&self, name: &str) -> bool {
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        let before = members.len();
        members.retain(|member| member.name != name);
        members.len() < before
    }

    fn add(
        &self,
        name: Cow<'static, str>,
        about: Cow<'static, str>,
        source: Source,
        interval: Option<Duration>,
    ) {
        let label = format!("{}{name}", self.settings.label);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let interval = interval.map(Interval::new);
        let member = Arc::new(Member::new(id, name, label, about, source, interval));
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        members.retain(|other| other.name != member.name);
        members.push(member);
    }

    /// Runs a scrape. A failed collector shows in the success family, not in the status.
    pub async fn scrape(self: &Arc<Self>, request: ScrapeRequest) -> Result<Bytes, ScrapeError> {
        self.scrape_page(request).await.map(|page| page.bytes)
    }

    pub(crate) async fn scrape_page(
        self: &Arc<Self>,
        request: ScrapeRequest,
    ) -> Result<Page, ScrapeError> {
        let (members, unavailable) = self.select(&request.selection)?;
        for problem in &unavailable {
            self.ignored.record(problem);
        }
        let deadline = request.deadline;
        let page = self.collection(members, self.encoding(&request), deadline);
        // The collection itself ends at its own deadline; writing the page takes some time more.
        let late = tokio::time::Instant::from_std(deadline + MAX_JOIN_SLACK);
        timeout_at(late, page).await.map_err(|_| ScrapeError::Late)
    }

    /// Whether a scrape would share a collection that is in progress.
    pub(crate) fn is_in_progress(&self, request: &ScrapeRequest) -> bool {
        let Ok((members, _)) = self.select(&request.selection) else { return false };
        let key = Key::new(&members, self.encoding(request));
        let all = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&key).is_some_and(|collection| collection.can_serve(request.deadline))
    }

    /// How the last run of each collector went.
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.members().iter().chain(&self.precheck).map(|member| member.outcome()).collect()
    }

    /// The collection that a scrape joins or starts. It runs in its own task, so that a client that
    /// disconnects does not cancel it for others.
    fn collection(
        self: &Arc<Self>,
        members: Vec<Arc<Member>>,
        encoding: Encoding,
        deadline: Instant,
    ) -> Shared<BoxFuture<'static, Page>> {
        let key = Key::new(&members, encoding);
        let mut all = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(collection) = all.get(&key)
            && collection.can_serve(deadline)
        {
            return collection.page.clone();
        }
        let registry = Arc::clone(self);
        let started = key.clone();
        let task = tokio::spawn(async move {
            let page = registry.collect(members, encoding, deadline).await;
            let mut all = registry.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
            if all.get(&started).is_some_and(|collection| collection.deadline == deadline) {
                all.remove(&started);
            }
            page
        });
        let page = async { task.await.unwrap_or_default() }.boxed().shared();
        all.insert(key, InFlight { deadline, page: page.clone() });
        page
    }

    fn encoding(&self, request: &ScrapeRequest) -> Encoding {
        let ScrapeRequest { format, escaping, .. } = *request;
        Encoding { format, escaping, created_lines: self.settings.created_lines }
    }

    /// The collectors of a selection, and an error for each other name in it.
    fn select(
        &self,
        selection: &Selection,
    ) -> Result<(Vec<Arc<Member>>, Vec<ScrapeError>), ScrapeError> {
        let mut members = self.members();
        let mut unavailable = Vec::new();
        match selection {
            Selection::All => {}
            Selection::Except(names) => {
                members.retain(|member| names.iter().all(|name| *name != member.name));
            }
            Selection::Only(names) => {
                unavailable
                    .extend(names.iter().filter_map(|name| self.require(&members, name).err()));
                members.retain(|member| names.iter().any(|name| *name == member.name));
                if !unavailable.is_empty()
                    && (members.is_empty() || !self.settings.ignores_unavailable)
                {
                    return Err(unavailable.swap_remove(0));
                }
            }
        }
        Ok((members, unavailable))
    }

    fn require(&self, members: &[Arc<Member>], name: &str) -> Result<(), ScrapeError> {
        if members.iter().any(|member| member.name == name) {
            Ok(())
        } else if self.disabled.contains(name) {
            Err(ScrapeError::Disabled(name.into()))
        } else {
            Err(ScrapeError::Unknown(name.into()))
        }
    }

    fn members(&self) -> Vec<Arc<Member>> {
        self.members.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Debug for Registry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let members = self.members();
        f.debug_list().entries(members.iter().map(|member| &member.name)).finish()
    }
}
