//! An exporter with a command line, a web configuration and systemd integration.
//!
//! `cargo run --example exporter -- --help`

use std::process::ExitCode;

use exporter_core::collector::{AsyncCollector, Error, Source, async_trait};
use exporter_core::desc::Desc;
use exporter_core::families::Families;
use exporter_core::flags::Flag;
use exporter_core::run::Program;
use tokio::net::TcpStream;

static TARGET: Flag = Flag::list("target", &["localhost:22"], "Address to connect to; repeatable.");

static UP: Desc<1> = Desc::gauge("port_up", "Whether the port accepts connections.", ["target"]);

static PROGRAM: Program<()> = Program::new("port-exporter", env!("CARGO_PKG_VERSION"), 9992)
    .about("Exposes whether ports accept connections")
    .flags(&[&TARGET]);

struct Ports(Vec<String>);

#[async_trait]
impl AsyncCollector for Ports {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        for target in &self.0 {
            let is_up = TcpStream::connect(target).await.is_ok();
            out.family(&UP).sample([target], f64::from(is_up));
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    PROGRAM.run(|plan| {
        let targets = plan.flags.list(&TARGET).into_iter().map(str::to_owned).collect();
        let ports = Source::asynchronous(Ports(targets));
        Ok(plan.builder().source("ports", ports).build())
    })
}
