//! The servers that are watched: that of the configuration, and those that probes name.

use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::exporter::{CheckLine, Exporter, Opened, Query};
use exporter_core::families::Families;
use exporter_core::registry::{Precheck, Registry};
use exporter_core::run::Plan;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::check;
use crate::config::{self, Config, Login};
use crate::db::{Db, Limits};
use crate::options;
use crate::target::{Address, Allowed};

/// What all servers have in common, and those that were asked for.
pub(crate) struct Targets {
    plan: Plan<Db>,
    limits: Limits,
    allowed: Allowed,
    warned: AtomicBool,
    state: Mutex<State>,
}

/// What a reload makes anew.
struct State {
    config: Config,
    /// By address and section.
    servers: HashMap<(Address, String), Watched>,
}

/// A server and its two registries, which share its connections.
struct Watched {
    db: Db,
    /// With what the exporter exposes of itself.
    page: Arc<Registry>,
    probe: Arc<Registry>,
    used: Instant,
}

/// A server that nobody has asked for since is forgotten, and its connections closed.
const FORGOTTEN: Duration = Duration::from_secs(900);
/// Servers that are remembered at most.
const MOST: usize = 1000;

static UP: Desc = Desc::gauge("mysql_up", "Whether the server answered.", []);

impl Targets {
    pub(crate) fn open(plan: Plan<Db>) -> Opened {
        let config = options::config(&plan.flags)?;
        let limits = options::limits(&plan.flags, plan.limit)?;
        let allowed = options::allowed(&plan.flags);
        let state = State { config, servers: HashMap::new() };
        let warned = AtomicBool::new(false);
        let targets = Self { plan, limits, allowed, warned, state: Mutex::new(state) };
        // What is wrong with a collector's flags shows now, not in a scrape.
        let login = targets.state().config.any().cloned();
        login.map(|login| targets.watch(login)).transpose()?;
        Ok(Arc::new(targets))
    }

    /// The server that a query names; without a target, the one of the section.
    fn find(&self, query: &Query, probe: bool) -> Result<Arc<Registry>, String> {
        let module = query.value("auth_module").filter(|module| !module.is_empty());
        let module = module.unwrap_or(config::DEFAULT);
        let mut state = self.state();
        let login = state.config.login(module).cloned().ok_or_else(|| {
            let known: Vec<_> = state.config.modules().collect();
            format!("There is no auth_module {module:?}; there are: {}.", known.join(", "))
        })?;
        let login = match query.value("target").filter(|target| !target.is_empty()) {
            None if probe => {
                return Err("A probe needs a target: host:port or unix:///path.".into());
            }
            None => login,
            Some(target) => {
                self.warn_of_openness();
                let address = target.parse().map_err(|error| format!("target: {error}"))?;
                if !self.allowed.allows(&address) {
                    return Err(format!("The target {address} is not allowed to be probed."));
                }
                login.at(address).map_err(|problem| format!("auth_module {module:?}: {problem}"))?
            }
        };
        let key = (login.address.clone(), module.to_owned());
        if !state.servers.contains_key(&key) {
            state.servers.retain(|_, server| server.used.elapsed() < FORGOTTEN);
            if state.servers.len() >= MOST {
                return Err(format!("{MOST} other targets were asked for of late."));
            }
            let watched = self.watch(login).map_err(|error| error.to_string())?;
            state.servers.insert(key.clone(), watched);
        }
        let Some(server) = state.servers.get_mut(&key) else {
            return Err("The target is gone.".into());
        };
        server.used = Instant::now();
        Ok(Arc::clone(if probe { &server.probe } else { &server.page }))
    }

    /// Once: it is how the predecessor is, and how nobody should run it.
    fn warn_of_openness(&self) {
        if self.allowed.everything() && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!("any target may be asked for; --probe.allow-target says which may");
        }
    }

    fn watch(&self, login: Login) -> Result<Watched, Error> {
        let db = Db::new(login, self.limits.clone());
        let registry = |whole: bool| {
            let mut settings = self.plan.settings();
            let (own, server) = (settings.own, db.clone());
            settings.own = Box::new(move |out| {
                out.family(&UP).sample([], f64::from(u8::from(server.is_up())));
                if whole {
                    own(out);
                }
            });
            // Each has a connection, so that none waits for another's.
            settings.concurrency = self.limits.connections;
            let gate = Precheck {
                name: "connection",
                about: "An answer from the server",
                source: Source::asynchronous(Connection(db.clone())),
            };
            Ok::<_, Error>(Arc::new(self.plan.registry(&db, settings)?.with_precheck(gate)))
        };
        let (page, probe) = (registry(true)?, registry(false)?);
        Ok(Watched { db, page, probe, used: Instant::now() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exporter for Targets {
    fn registry(&self, query: &Query) -> Result<Arc<Registry>, String> {
        self.find(query, false)
    }

    fn probe(&self, query: &Query) -> Option<Result<Arc<Registry>, String>> {
        Some(self.find(query, true))
    }

    /// Servers are forgotten with the configuration they were logged in by.
    fn reload(&self) -> Result<(), String> {
        match options::config(&self.plan.flags) {
            Ok(config) => {
                *self.state() = State { config, servers: HashMap::new() };
                tracing::info!("option file read again");
                Ok(())
            }
            Err(error) => {
                let error = exporter_core::collector::chain(&error);
                tracing::error!(error, "option file is bad, the last good one stays in force");
                Err(error)
            }
        }
    }

    fn check(&self) -> BoxFuture<'_, Vec<CheckLine>> {
        async {
            // The one that the collectors were just tried on.
            let db = {
                let state = self.state();
                state.servers.values().next().map(|server| server.db.clone())
            };
            match db {
                Some(db) => check::grants(&db, &self.plan).await,
                None => Vec::new(),
            }
        }
        .boxed()
    }
}

impl Debug for Targets {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Targets").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

/// What the collectors wait for: a server that answers.
struct Connection(Db);

#[async_trait]
impl AsyncCollector for Connection {
    async fn collect(&mut self, _: &mut Families) -> Result<(), Error> {
        Ok(self.0.check().await?)
    }
}
