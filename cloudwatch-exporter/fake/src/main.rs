//! Serves a model as CloudWatch does: `fake-cloudwatch [ADDRESS] [MODEL.json | NAMESPACE:NAMES:SETS]`.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use fake_cloudwatch::{Fake, Model, Values};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            _ = writeln!(io::stderr(), "fake-cloudwatch: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let address: SocketAddr = match arguments.next() {
        Some(address) => address.parse().map_err(|error| format!("{address}: {error}"))?,
        None => ([127, 0, 0, 1], 0).into(),
    };
    let model = arguments.next().map_or_else(|| Ok(Model::new()), |source| model(&source))?;
    let fake = Fake::bind(address, model)?;
    writeln!(io::stdout(), "{}", fake.url())?;
    fake.wait();
    Ok(())
}

fn model(source: &str) -> Result<Model, Box<dyn Error>> {
    if let Some((rest, sets)) = source.rsplit_once(':')
        && let Some((namespace, names)) = rest.rsplit_once(':')
    {
        return Ok(Model::new().grid(
            namespace,
            names.parse()?,
            sets.parse()?,
            &Values::Samples(vec![1.0, 2.0, 3.0]),
        ));
    }
    let text = fs::read(source).map_err(|error| format!("{source}: {error}"))?;
    Ok(serde_json::from_slice(&text).map_err(|error| format!("{source}: {error}"))?)
}
