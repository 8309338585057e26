//! Serves a model as CloudWatch does: `fake-cloudwatch [ADDRESS] [MODEL.json | NAMESPACE:NAMES:SETS]`, or prints a
//! delivery of its metric stream: `fake-cloudwatch stream json|opentelemetry MODEL`.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use fake_cloudwatch::stream::{Datapoint, Format};
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
    let first = arguments.next();
    if first.as_deref() == Some("stream") {
        return stream(&arguments.collect::<Vec<_>>());
    }
    let address: SocketAddr = match first {
        Some(address) => address.parse().map_err(|error| format!("{address}: {error}"))?,
        None => ([127, 0, 0, 1], 0).into(),
    };
    let model = arguments.next().map_or_else(|| Ok(Model::new()), |source| read_model(&source))?;
    let fake = Fake::bind(address, model)?;
    writeln!(io::stdout(), "{}", fake.url())?;
    fake.wait();
    Ok(())
}

/// Prints the body that Firehose would deliver for the last full minute.
fn stream(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [format, source] = arguments else {
        return Err("usage: fake-cloudwatch stream json|opentelemetry MODEL".into());
    };
    let format = Format::parse(format).ok_or("the format is json or opentelemetry")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let start = i64::try_from(now / 60 * 60)? - 60;
    let metrics = read_model(source)?.metrics;
    let points = metrics.iter().filter_map(|metric| Datapoint::of(metric, start, &[]));
    let body = format.delivery("fake-delivery", &points.collect::<Vec<_>>());
    io::stdout().write_all(&body)?;
    Ok(())
}

fn read_model(source: &str) -> Result<Model, Box<dyn Error>> {
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
