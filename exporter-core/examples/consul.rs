//! An exporter of a program that has an HTTP API: what Consul knows of nodes and services.
//!
//! `cargo run --example consul -- --consul.url=http://localhost:8500`, then
//! `curl localhost:9993/metrics`.

use std::env;
use std::process::ExitCode;

use exporter_core::collector::{Collector, Context, Error};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use exporter_core::run::Program;
use serde::{Deserialize, de::DeserializeOwned, de::IgnoredAny};
use ureq::Agent;

static URL: Flag = Flag::text("consul.url", "http://localhost:8500", "URL of the Consul agent.");

static UP: Desc = Desc::gauge("consul_up", "Whether the agent answers.", []);
static NODES: Desc = Desc::gauge("consul_nodes", "Nodes in the catalog.", []);
static HEALTH: Desc<5> = Desc::gauge(
    "consul_check_status",
    "Whether a check has this status. Checks of nodes have no service.",
    ["node", "check", "service", "service_id", "status"],
);
const STATUSES: [&str; 3] = ["passing", "warning", "critical"];

static PROGRAM: Program<()> = Program::new("consul-exporter", env!("CARGO_PKG_VERSION"), 9993)
    .about("Exposes the health of nodes and services in Consul")
    .flags(&[&URL]);

/// A check, of <https://developer.hashicorp.com/consul/api-docs/health>.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Check {
    node: String,
    #[serde(rename = "CheckID")]
    id: String,
    status: String,
    service_name: String,
    #[serde(rename = "ServiceID")]
    service_id: String,
}

struct Consul {
    agent: Agent,
    url: String,
    /// From `CONSUL_HTTP_TOKEN`: a command line can be read by every user of the machine.
    token: String,
}

impl Consul {
    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let response = request.header("X-Consul-Token", &self.token).call();
        let body = response.context(format!("GET {path}"))?.into_body();
        let reader = body.into_with_config().limit(64 << 20).reader();
        serde_json::from_reader(reader).context(format!("GET {path}"))
    }
}

impl Collector for Consul {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let checks = self.get::<Vec<Check>>("/v1/health/state/any");
        out.family(&UP).sample([], f64::from(checks.is_ok()));
        for Check { node, id, status, service_name, service_id } in &checks? {
            for known in STATUSES {
                let labels = [node, id, service_name, service_id, known];
                out.family(&HEALTH).sample(labels, f64::from(status == known));
            }
        }
        let nodes = self.get::<Vec<IgnoredAny>>("/v1/catalog/nodes")?;
        out.family(&NODES).sample([], nodes.len() as f64);
        Ok(())
    }
}

fn main() -> ExitCode {
    PROGRAM.run(|plan| {
        let agent = Agent::config_builder().timeout_global(Some(plan.limit)).build().into();
        let url = plan.flags.text(&URL).trim_end_matches('/').to_owned();
        let token = env::var("CONSUL_HTTP_TOKEN").unwrap_or_default();
        Ok(plan.builder().collector("consul", Consul { agent, url, token }).build())
    })
}
