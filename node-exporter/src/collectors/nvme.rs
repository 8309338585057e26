//! NVMe controllers and their namespaces: `/sys/class/nvme`, which the kernel's
//! `drivers/nvme/host/sysfs.c` fills.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Column, Desc};
use exporter_core::families::Families;

use super::Definition;
use crate::attributes::{as_strs, each, labels};
use crate::host::{Device, Host, OrAbsent, if_supported};

pub(super) static DEFINITION: Definition =
    Definition::new("nvme", "NVMe controllers and namespaces", |host, _| {
        Ok(Source::blocking(Nvme(host.clone())))
    })
    .cost("about 10 small files per controller and namespace")
    .reads(&[
        "/sys/class/nvme/nvme*/{cntlid,firmware_rev,model,serial,state}",
        "/sys/class/nvme/nvme*/nvme*n*/{ana_state,nuse,size,queue/logical_block_size}",
    ])
    .metrics(&[&INFO, &NAMESPACE_INFO, &COLUMNS]);

static INFO: Desc<6> = Desc::gauge(
    "node_nvme_info",
    "Model, firmware and state of a controller; always 1.",
    ["device", "firmware_revision", "model", "serial", "state", "cntlid"],
);
static NAMESPACE_INFO: Desc<3> = Desc::gauge(
    "node_nvme_namespace_info",
    "A namespace with the state of the path to it; always 1.",
    ["device", "nsid", "ana_state"],
);

const NAMESPACE: [&str; 2] = ["device", "nsid"];

// The size is computed in blocks, although the kernel provides it in sectors of 512 bytes: it is
// too large if blocks are larger. Rules and dashboards rely on it.
static COLUMNS: [Column<Namespace, 2>; 4] = [
    Desc::gauge(
        "node_nvme_namespace_capacity_bytes",
        "Size of a namespace, computed with its logical block size.",
        NAMESPACE,
    )
    .column(|namespace| Some(namespace.size * namespace.block)),
    Desc::gauge(
        "node_nvme_namespace_size_bytes",
        "Size of a namespace, computed with its logical block size.",
        NAMESPACE,
    )
    .column(|namespace| Some(namespace.size * namespace.block)),
    Desc::gauge("node_nvme_namespace_used_bytes", "How much of a namespace is in use.", NAMESPACE)
        .column(|namespace| Some(namespace.used * namespace.block)),
    Desc::gauge(
        "node_nvme_namespace_logical_block_size_bytes",
        "Size of the logical blocks of a namespace.",
        NAMESPACE,
    )
    .column(|namespace| Some(namespace.block)),
];

#[derive(Clone, Copy)]
struct Namespace {
    /// In sectors of 512 bytes.
    size: f64,
    /// In logical blocks.
    used: f64,
    /// Size of a logical block in bytes.
    block: f64,
}

struct Nvme(Host);

impl Collector for Nvme {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let devices = self.0.devices("class/nvme").or_absent("NVMe controller")?;
        let (controllers, result) = each(devices, Controller::read);
        let mut info = out.family(&INFO);
        for (_, controller) in &controllers {
            info.sample(as_strs(&controller.labels), 1.0);
        }
        let namespaces = || {
            controllers.iter().flat_map(|(name, controller)| {
                controller.namespaces.iter().map(move |namespace| (name.as_str(), namespace))
            })
        };
        let mut info = out.family(&NAMESPACE_INFO);
        for (device, (id, state, _)) in namespaces() {
            info.sample([device, id, state], 1.0);
        }
        let rows: Vec<_> = namespaces()
            .map(|(device, (id, _, namespace))| ([device, id.as_str()], *namespace))
            .collect();
        out.table(&COLUMNS, &rows);
        result
    }
}

struct Controller {
    /// Those of [`INFO`].
    labels: [String; 6],
    /// By number, with the state of asymmetric namespace access.
    namespaces: Vec<(String, String, Namespace)>,
}

impl Controller {
    fn read(name: &str, device: &Device) -> Result<Self, Error> {
        let labels = labels(name, &INFO, |label| {
            device.string(if label == "firmware_revision" { "firmware_rev" } else { label })
        })?;
        let mut namespaces = Vec::new();
        for (name, device) in device.devices()? {
            let Some(id) = namespace(&name) else { continue };
            let state = if_supported(device.string("ana_state"))?;
            let number = |name| device.number::<u64>(name, "a whole number");
            let namespace = Namespace {
                size: number("size")? as f64,
                used: number("nuse")? as f64,
                block: number("queue/logical_block_size")? as f64,
            };
            namespaces.push((
                id.to_owned(),
                state.unwrap_or_else(|| "unknown".to_owned()),
                namespace,
            ));
        }
        Ok(Self { labels, namespaces })
    }
}

/// The ID of a namespace from the name of its device, `nvme0n1`, or of a path to it, `nvme0c1n1`.
fn namespace(name: &str) -> Option<&str> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (controller, id) = name.strip_prefix("nvme")?.split_once('n')?;
    let is_controller = match controller.split_once('c') {
        Some((subsystem, controller)) => is_number(subsystem) && is_number(controller),
        None => is_number(controller),
    };
    (is_controller && is_number(id)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespace_names_are_parsed() {
        for (name, id) in [
            ("nvme0n1", Some("1")),
            ("nvme12n34", Some("34")),
            ("nvme0c1n2", Some("2")),
            ("nvme0", None),
            ("nvme0n", None),
            ("nvme0n1p1", None),
            ("nvmen1", None),
            ("nvme0cn1", None),
            ("ng0n1", None),
            ("power", None),
        ] {
            assert_eq!(namespace(name), id, "{name}");
        }
    }
}
