//! Families of a set of objects that is known only at run time.
//!
//! `cargo run --example operator`, then `curl localhost:9991/metrics`.

use std::collections::BTreeMap;
use std::error::Error;
use std::future;
use std::sync::{Arc, Mutex, PoisonError};

use exporter_core::collector::{self, Collector};
use exporter_core::desc::{DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::registry::Registry;
use exporter_core::web::{Listener, Site};

/// Objects by name, each with labels of its own.
type Objects = Arc<Mutex<BTreeMap<String, Vec<(&'static str, String)>>>>;

struct ObjectInfo(Objects);

impl Collector for ObjectInfo {
    fn collect(&mut self, out: &mut Families) -> Result<(), collector::Error> {
        for (name, labels) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let names: Vec<_> = ["object"].into_iter().chain(labels.iter().map(|l| l.0)).collect();
            let values: Vec<_> =
                [name.as_str()].into_iter().chain(labels.iter().map(|l| l.1.as_str())).collect();
            let help = "Labels of an object.";
            let desc = DynDesc::new("app_object_info", help, Kind::Gauge, &names);
            out.open(desc).sample(&values, 1.0);
        }
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let objects = Objects::default();
    let registry = Registry::builder().collector("objects", ObjectInfo(objects.clone())).build();
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:9991".to_owned());
    let listeners = Listener::bind(&[address])?;
    // As a controller would when it sees an object.
    let add = |name: &str, labels| {
        objects.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), labels)
    };
    add("api", vec![("team", "platform".to_owned())]);
    add("db", vec![("team", "data".to_owned()), ("tier", "1".to_owned())]);
    Site::new("operator", registry).serve(listeners, future::pending::<()>()).await;
    Ok(())
}
