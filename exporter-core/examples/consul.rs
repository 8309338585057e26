//! An exporter of a program that has an HTTP API: what Consul knows of nodes and services.
//!
//! `cargo run --example consul -- --consul.url=http://localhost:8500`, then
//! `curl localhost:9993/metrics`.

use std::process::ExitCode;

use exporter_core::collector::{Collector, Context, Error};
use exporter_core::{desc::Desc, families::Families, flags::Flag, run::Program};
use serde_json::Value;
use ureq::Agent;

static URL: Flag = Flag::text("consul.url", "http://localhost:8500", "URL of the Consul agent.");

static UP: Desc = Desc::gauge("consul_up", "Whether the agent responds.", []);
static NODES: Desc = Desc::gauge("consul_nodes", "Nodes in the catalog.", []);
/// Checks of nodes have no service.
static CHECK: Desc<4> =
    Desc::gauge("consul_check_status", "State of a check.", ["node", "check", "service", "status"]);

static PROGRAM: Program<()> = Program::new("consul-exporter", env!("CARGO_PKG_VERSION"), 9993)
    .about("Exposes the health of nodes and services in Consul")
    .flags(&[&URL]);

struct Consul {
    agent: Agent,
    url: String,
    /// From `CONSUL_HTTP_TOKEN`: a command line can be read by every user of the machine.
    token: String,
}

impl Consul {
    /// A list, see <https://developer.hashicorp.com/consul/api-docs/health>.
    fn get(&self, path: &str) -> Result<Vec<Value>, Error> {
        let request = self.agent.get(format!("{}{path}", self.url));
        let response = request.header("X-Consul-Token", &self.token).call().context(path)?;
        let body = response.into_body().into_with_config().limit(64 << 20);
        serde_json::from_reader(body.reader()).context(path)
    }
}

impl Collector for Consul {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let checks = self.get("/v1/health/state/any");
        out.family(&UP).sample([], f64::from(checks.is_ok()));
        for check in checks? {
            let field = |key| check.get(key).and_then(Value::as_str).unwrap_or_default();
            for status in ["passing", "warning", "critical"] {
                let labels = [field("Node"), field("CheckID"), field("ServiceName"), status];
                out.family(&CHECK).sample(labels, f64::from(field("Status") == status));
            }
        }
        out.family(&NODES).sample([], self.get("/v1/catalog/nodes")?.len() as f64);
        Ok(())
    }
}

fn main() -> ExitCode {
    PROGRAM.run(|plan| {
        let agent = Agent::config_builder().timeout_global(Some(plan.limit)).build().into();
        let url = plan.flags.text(&URL).trim_end_matches('/').to_owned();
        let token = std::env::var("CONSUL_HTTP_TOKEN").unwrap_or_default();
        Ok(plan.builder().collector("consul", Consul { agent, url, token }).build())
    })
}
