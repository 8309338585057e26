//! The servers: those of the configuration, and the targets of `/probe`.

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
use crate::queries::Queries;
use crate::targets::{self, Targets};

/// The servers, and the settings that they share.
pub(crate) struct Servers {
    plan: Plan<Db>,
    limits: Limits,
    allow_list: AllowList,
    state: Mutex<State>,
}

/// The state that a reload replaces.
struct State {
    config: Config,
    queries: Queries,
    targets: Option<Targets>,
    /// By address and section of the option file.
    servers: HashMap<(Address, String), Instance>,
}

/// A server with its two registries, which share its connections.
struct Instance {
    db: Db,
    /// The registry of the telemetry path. It includes the metrics of the exporter itself.
    metrics: Arc<Registry>,
    probe: Arc<Registry>,
    /// Whether the server is in the option file. Such servers are never removed.
    is_configured: bool,
    last_used: Instant,
}

/// The time without a probe after which a server is removed and its connections are closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(900);
/// The maximum number of probed servers. The least recently probed one is removed first.
const MAX_PROBED: usize = targets::MAX_TARGETS;

static UP: Desc = Desc::gauge("mysql_up", "Whether the server responded.", []);

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
        // Builds the collectors once, so that their invalid flags are errors at startup.
        let login = servers.state().config.first_login().cloned();
        login.map(|login| servers.connect(login, true, &Queries::default())).transpose()?;
        Ok(servers)
    }

    /// The registry of the target that the query names, or else of the server in the section.
    fn find(&self, query: &Query, is_probe: bool) -> Result<Arc<Registry>, String> {
        let module = query.value("auth_module").filter(|module| !module.is_empty());
        let module = module.unwrap_or(config::DEFAULT_SECTION);
        let mut state = self.state();
        // The error does not list the other sections, because the client may be anyone.
        let unknown = || format!("There is no auth_module {module:?}.");
        let login = state.config.login(module).cloned().ok_or_else(unknown)?;
        let login = match query.value("target").filter(|target| !target.is_empty()) {
            None if is_probe => {
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
                        "The target {address} is not a configured server, and neither --config.targets \
                         nor --probe.allow-target allows it."
                    ));
                }
                login
                    .with_address(address)
                    .map_err(|problem| format!("auth_module {module:?}: {problem}"))?
            }
        };
        let key = (login.address.clone(), module.to_owned());
        if !state.servers.contains_key(&key) {
            let is_configured = state.config.has_server(&login.address);
            let instance = self.connect(login, is_configured, &state.queries);
            let instance = instance.map_err(|error| error.to_string())?;
            state.evict();
            state.servers.insert(key.clone(), instance);
        }
        let Some(server) = state.servers.get_mut(&key) else {
            return Err("The target was removed.".into());
        };
        server.last_used = Instant::now();
        Ok(Arc::clone(if is_probe { &server.probe } else { &server.metrics }))
    }

    fn connect(
        &self,
        login: Login,
        is_configured: bool,
        queries: &Queries,
    ) -> Result<Instance, Error> {
        let db = Db::new(login, self.limits.clone());
        let registry = |with_own_metrics: bool| {
            let mut settings = self.plan.settings();
            let (own, server) = (settings.own, db.clone());
            settings.own = Box::new(move |out| {
                out.family(&UP).sample([], f64::from(u8::from(server.is_up())));
                if with_own_metrics {
                    own(out);
                }
            });
            // Each running collector uses one connection.
            settings.concurrency = self.limits.connections;
            // As in mysqld_exporter: scrape configurations name collectors for all servers.
            settings.ignores_unavailable = true;
            let precheck = Precheck::new(
                "connection",
                "A response of the server",
                Source::asynchronous(Ping(db.clone())),
            );
            let registry = self.plan.registry(&db, settings)?.with_precheck(precheck);
            queries.register(&registry, &db);
            Ok::<_, Error>(Arc::new(registry))
        };
        let (metrics, probe) = (registry(true)?, registry(false)?);
        Ok(Instance { db, metrics, probe, is_configured, last_used: Instant::now() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Removes servers that are no longer probed. If there are still too many, removes the least
    /// recently probed one.
    fn evict(&mut self) {
        self.servers
            .retain(|_, server| server.is_configured || server.last_used.elapsed() < IDLE_TIMEOUT);
        let probed = || self.servers.iter().filter(|(_, server)| !server.is_configured);
        if probed().count() >= MAX_PROBED {
            let least_recent = probed().min_by_key(|(_, server)| server.last_used);
            if let Some(key) = least_recent.map(|(key, _)| key.clone()) {
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

    /// The page is disabled without a file of targets, because it shows the names of servers to all
    /// clients.
    fn discovery(&self) -> Option<String> {
        let state = self.state();
        let targets = state.targets.as_ref()?;
        Some(targets.discovery(&state.config))
    }

    /// Removes all servers together with their configuration.
    fn reload(&self) -> Result<(), String> {
        let rejected = |file: &'static str| {
            move |error: Error| {
                let error = exporter_core::collector::chain(&error);
                tracing::error!(error, "{file} is invalid, the previous one stays in use");
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
        tracing::info!("configuration reloaded");
        Ok(())
    }

    async fn check(&self) -> Vec<CheckLine> {
        // The server whose collectors have just been checked.
        let (db, queries) = {
            let state = self.state();
            let db = state.servers.values().next().map(|server| server.db.clone());
            (db, state.queries.clone())
        };
        let Some(db) = db else { return Vec::new() };
        let mut lines = check::grants(&db, &self.plan).await;
        lines.extend(queries.check(&db).await);
        lines
    }
}

impl Debug for Servers {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Servers").field("allow_list", &self.allow_list).finish_non_exhaustive()
    }
}

/// Succeeds if the server responds.
struct Ping(Db);

#[async_trait]
impl AsyncCollector for Ping {
    async fn collect(&mut self, _: &mut Families) -> Result<(), Error> {
        Ok(self.0.check().await?)
    }
}
