//! The servers that the exporter watches: those of the configuration, and those that `/probe` is
//! pointed at.

use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::exporter::{CheckLine, Exporter, Query};
use exporter_core::families::Families;
use exporter_core::registry::{Precheck, Registry};
use exporter_core::run::Plan;

use crate::address::Address;
use crate::allow_list::AllowList;
use crate::check;
use crate::config::{self, Config, Login};
use crate::db::{Db, Limits};
use crate::options;
use crate::queries::{self, Queries};
use crate::targets::{self, Targets};

/// The servers, and what their collectors have in common.
pub(crate) struct Servers {
    plan: Plan<Db>,
    limits: Limits,
    allow_list: AllowList,
    state: Mutex<State>,
}

/// What a reload replaces.
struct State {
    config: Config,
    queries: Queries,
    targets: Option<Targets>,
    /// By address and section of the option file.
    servers: HashMap<(Address, String), Watched>,
}

/// A server and its two registries, which share its connections.
struct Watched {
    db: Db,
    /// That of the telemetry path, with the exporter's own metrics.
    metrics: Arc<Registry>,
    probe: Arc<Registry>,
    /// A server of the configuration, which is never forgotten.
    is_configured: bool,
    used: Instant,
}

/// A probed server is forgotten, and its connections are closed, when it was not asked for so long.
const IDLE: Duration = Duration::from_secs(900);
/// The most probed servers that are remembered. The one that was not asked for longest goes first.
const MOST: usize = targets::MOST;

static UP: Desc = Desc::gauge("mysql_up", "Whether the server answered.", []);

impl Servers {
    pub(crate) fn open(mut plan: Plan<Db>) -> Result<Self, Error> {
        plan.limit = options::collector_limit(&plan);
        let config = options::config(&plan.flags)?;
        let limits = options::limits(&plan.flags, plan.limit)?;
        let allow_list = options::allow_list(&plan.flags)?;
        let queries = options::queries(&plan.flags, plan.limit)?;
        let targets = options::targets(&plan.flags, &config)?;
        let state = Mutex::new(State { config, queries, targets, servers: HashMap::new() });
        let servers = Self { plan, limits, allow_list, state };
        // What is wrong with a collector's flags shows now, not in a scrape.
        let login = servers.state().config.any().cloned();
        login.map(|login| servers.watch(login, true, &Queries::default())).transpose()?;
        Ok(servers)
    }

    /// The registry of the server that a query names; without a target, of the section's.
    fn find(&self, query: &Query, probe: bool) -> Result<Arc<Registry>, String> {
        let module = query.value("auth_module").filter(|module| !module.is_empty());
        let module = module.unwrap_or(config::DEFAULT);
        let mut state = self.state();
        // The others are not named: whoever asks may be a stranger.
        let unknown = || format!("There is no auth_module {module:?}.");
        let login = state.config.login(module).cloned().ok_or_else(unknown)?;
        let login = match query.value("target").filter(|target| !target.is_empty()) {
            None if probe => {
                return Err("A probe needs a target: host:port or unix:///path.".into());
            }
            None => login,
            Some(target) => {
                let address = target.parse().map_err(|error| format!("target: {error}"))?;
                if !state.config.has_server(&address)
                    && !state.targets.as_ref().is_some_and(|targets| targets.contains(&address))
                    && !self.allow_list.allows(&address)
                {
                    return Err(format!(
                        "The target {address} is not one of the configured servers, and neither \
                         --config.targets nor --probe.allow-target allows it."
                    ));
                }
                login.at(address).map_err(|problem| format!("auth_module {module:?}: {problem}"))?
            }
        };
        let key = (login.address.clone(), module.to_owned());
        if !state.servers.contains_key(&key) {
            let is_configured = state.config.has_server(&login.address);
            let watched = self.watch(login, is_configured, &state.queries);
            let watched = watched.map_err(|error| error.to_string())?;
            state.make_room();
            state.servers.insert(key.clone(), watched);
        }
        let Some(server) = state.servers.get_mut(&key) else {
            return Err("The target is gone.".into());
        };
        server.used = Instant::now();
        Ok(Arc::clone(if probe { &server.probe } else { &server.metrics }))
    }

    fn watch(
        &self,
        login: Login,
        is_configured: bool,
        queries: &Queries,
    ) -> Result<Watched, Error> {
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
            // As mysqld_exporter, whose scrape configurations name collectors for all servers.
            settings.ignores_unavailable = true;
            let gate = Precheck::new(
                "connection",
                "An answer from the server",
                Source::asynchronous(Connection(db.clone())),
            );
            let registry = self.plan.registry(&db, settings)?.with_precheck(gate);
            queries.register(&registry, &db);
            Ok::<_, Error>(Arc::new(registry))
        };
        let (metrics, probe) = (registry(true)?, registry(false)?);
        Ok(Watched { db, metrics, probe, is_configured, used: Instant::now() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets servers that are no longer asked for, and one more if there is no room.
    fn make_room(&mut self) {
        self.servers.retain(|_, server| server.is_configured || server.used.elapsed() < IDLE);
        let probed = || self.servers.iter().filter(|(_, server)| !server.is_configured);
        if probed().count() >= MOST {
            let oldest = probed().min_by_key(|(_, server)| server.used);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                self.servers.remove(&key);
            }
        }
    }
}

#[async_trait]
impl Exporter for Servers {
    fn registry(&self, query: &Query) -> Result<Arc<Registry>, String> {
        self.find(query, false)
    }

    fn probe(&self, query: &Query) -> Option<Result<Arc<Registry>, String>> {
        Some(self.find(query, true))
    }

    /// Without a file of targets there is no such path: it names servers to all clients.
    fn discovery(&self) -> Option<String> {
        let state = self.state();
        let targets = state.targets.as_ref()?;
        Some(targets.discovery(&state.config))
    }

    /// Servers are forgotten with the configuration they were logged in by.
    fn reload(&self) -> Result<(), String> {
        let rejected = |file: &'static str| {
            move |error: Error| {
                let error = exporter_core::collector::chain(&error);
                tracing::error!(error, "{file} is bad, the last good one stays in force");
                error
            }
        };
        let config = options::config(&self.plan.flags).and_then(|config| {
            let weaker = self.state().config.check_replacement(&config);
            weaker.map(|()| config).map_err(|error| Error::Other(Box::new(error)))
        });
        let config = config.map_err(rejected("option file"))?;
        let queries = options::queries(&self.plan.flags, self.plan.limit)
            .map_err(rejected("file of queries"))?;
        let targets =
            options::targets(&self.plan.flags, &config).map_err(rejected("file of targets"))?;
        *self.state() = State { config, queries, targets, servers: HashMap::new() };
        tracing::info!("option file read again");
        Ok(())
    }

    async fn check(&self) -> Vec<CheckLine> {
        // The one that the collectors were just tried on.
        let (db, queries) = {
            let state = self.state();
            let db = state.servers.values().next().map(|server| server.db.clone());
            (db, state.queries.clone())
        };
        let Some(db) = db else { return Vec::new() };
        let mut lines = check::grants(&db, &self.plan).await;
        lines.extend(queries::check(&queries, &db).await);
        lines
    }
}

impl Debug for Servers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").field("allow_list", &self.allow_list).finish_non_exhaustive()
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
