//! `NVMe` subsystems and the paths to them: `/sys/class/nvme-subsystem`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{EMPTY_PAGE, Host, OrAbsent};

pub(super) static DEFINITION: Definition =
    Definition::new("nvmesubsystem", "NVMe subsystems and their paths", |host, _| {
        Ok(Source::blocking(NvmeSubsystems(host.clone())))
    })
    .cost("a few small files per subsystem and path")
    .off_by_default()
    .reads(&["/sys/class/nvme-subsystem/*"])
    .metrics(&[&INFO, &NAMESPACE, &PATHS, &PATHS_LIVE, &PATH_STATE]);

static INFO: Desc<5> = Desc::gauge(
    "node_nvmesubsystem_info",
    "What an NVMe subsystem is. Always 1.",
    ["subsystem", "nqn", "model", "serial", "iopolicy"],
);
static NAMESPACE: Desc<2> = Desc::gauge(
    "node_nvmesubsystem_namespace_info",
    "A namespace of the subsystem: a block device. Always 1.",
    ["subsystem", "device"],
);
static PATHS: Desc<1> =
    Desc::gauge("node_nvmesubsystem_paths", "Controllers: paths to the subsystem.", ["subsystem"]);
static PATHS_LIVE: Desc<1> =
    Desc::gauge("node_nvmesubsystem_paths_live", "Paths in the state `live`.", ["subsystem"]);
static PATH_STATE: Desc<4> = Desc::gauge(
    "node_nvmesubsystem_path_state",
    "Whether a path is in the state.",
    ["subsystem", "controller", "transport", "state"],
);

/// The states of the kernel, and one for unknown states.
const STATES: [&str; 8] =
    ["live", "connecting", "resetting", "dead", "deleting", "deleting (no IO)", "new", UNKNOWN];
const UNKNOWN: &str = "unknown";

const DIRECTORY: &str = "class/nvme-subsystem";

struct NvmeSubsystems(Host);

impl Collector for NvmeSubsystems {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let names = self.0.list_sys(DIRECTORY).or_absent("NVMe subsystem")?;
        let mut subsystems = Vec::new();
        let mut result = Ok(());
        for name in names.into_iter().filter(|name| name.starts_with("nvme-subsys")) {
            // A subsystem that fails does not hide the others.
            match Subsystem::read(&self.0, name) {
                Ok(subsystem) => subsystems.push(subsystem),
                Err(error) => result = result.and(Err(error)),
            }
        }
        let mut family = out.family(&INFO);
        for Subsystem { name, nqn, model, serial, iopolicy, .. } in &subsystems {
            family.sample([name, nqn, model, serial, iopolicy], 1.0);
        }
        let mut family = out.family(&NAMESPACE);
        for Subsystem { name, namespaces, .. } in &subsystems {
            for namespace in namespaces {
                family.sample([name, namespace], 1.0);
            }
        }
        let mut family = out.family(&PATH_STATE);
        for Subsystem { name, controllers, .. } in &subsystems {
            for Controller { name: controller, transport, state } in controllers {
                for known in STATES {
                    let is_in = f64::from(u8::from(known == *state));
                    family.sample([name, controller, transport, known], is_in);
                }
            }
        }
        let mut family = out.family(&PATHS);
        for Subsystem { name, controllers, .. } in &subsystems {
            family.sample([name], controllers.len() as f64);
        }
        let mut family = out.family(&PATHS_LIVE);
        for Subsystem { name, controllers, .. } in &subsystems {
            let live = controllers.iter().filter(|controller| controller.state == "live");
            family.sample([name], live.count() as f64);
        }
        result
    }
}

#[derive(Debug)]
struct Subsystem {
    name: String,
    nqn: String,
    model: String,
    serial: String,
    iopolicy: String,
    namespaces: Vec<String>,
    controllers: Vec<Controller>,
}

#[derive(Debug)]
struct Controller {
    name: String,
    transport: String,
    state: &'static str,
}

impl Subsystem {
    fn read(host: &Host, name: String) -> Result<Self, Error> {
        let directory = format!("{DIRECTORY}/{name}");
        let device = host.device(&directory)?;
        let mut page = EMPTY_PAGE;
        let mut text = |attribute| Ok(device.text(attribute, &mut page)?.into_owned());
        let (nqn, model, serial) = (text("subsysnqn")?, text("model")?, text("serial")?);
        // Only if the kernel supports multipath.
        let iopolicy = text("iopolicy").unwrap_or_else(|_: Error| String::new());
        let (mut controllers, mut namespaces) = (Vec::new(), Vec::new());
        for entry in host.list_sys(&directory)? {
            match Kind::from_name(&entry) {
                Some(Kind::Controller) => {
                    controllers.push(Controller::read(host, &directory, entry)?);
                }
                Some(Kind::Namespace) => namespaces.push(entry),
                None => {}
            }
        }
        Ok(Self { name, nqn, model, serial, iopolicy, namespaces, controllers })
    }
}

impl Controller {
    fn read(host: &Host, subsystem: &str, name: String) -> Result<Self, Error> {
        let device = host.device(format!("{subsystem}/{name}"))?;
        let mut page = EMPTY_PAGE;
        let transport = device.text("transport", &mut page)?.into_owned();
        let state = device.text("state", &mut page)?;
        let state = STATES.into_iter().find(|known| *known == state).unwrap_or(UNKNOWN);
        Ok(Self { name, transport, state })
    }
}

/// The kind of object that a name in the directory of a subsystem belongs to.
#[derive(Debug, PartialEq)]
enum Kind {
    /// Such as `nvme0`.
    Controller,
    /// Such as `nvme0n1`.
    Namespace,
}

impl Kind {
    fn from_name(name: &str) -> Option<Self> {
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let rest = name.strip_prefix("nvme")?;
        match rest.split_once('n') {
            None if is_number(rest) => Some(Self::Controller),
            Some((controller, namespace)) if is_number(controller) && is_number(namespace) => {
                Some(Self::Namespace)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_classified() {
        for (name, expected) in [
            ("nvme0", Some(Kind::Controller)),
            ("nvme12", Some(Kind::Controller)),
            ("nvme0n1", Some(Kind::Namespace)),
            ("nvme0c1n1", None),
            ("nvme", None),
            ("nvme0n", None),
            ("power", None),
        ] {
            assert_eq!(Kind::from_name(name), expected, "{name}");
        }
    }
}
