//! Chips and their names.

use std::collections::HashMap;
use std::path::Path;

use crate::host::Device;

pub(super) struct Chip {
    /// The name of its directory, such as `hwmon0`, which depends on the order of detection.
    entry: String,
    /// The name from the driver; several chips may have the same.
    pub(super) name: Option<String>,
    /// The label `chip`: the bus address if it is known, because it does not change between boots.
    pub(super) label: String,
}

impl Chip {
    pub(super) fn new(device: &Device, entry: &str) -> Option<Self> {
        let name = device.sensor_text("name").map(|name| sanitized(&name));
        let name = name.filter(|name| !name.is_empty());
        let entry = sanitized(entry);
        let label = bus_address(device)
            .or_else(|| name.clone())
            .or_else(|| (!entry.is_empty()).then(|| entry.clone()))?;
        Some(Self { entry, name, label })
    }
}

/// Bus and device, such as `platform_coretemp_0`.
fn bus_address(chip: &Device) -> Option<String> {
    let device = chip.canonical("device").ok()?;
    let part = |path: &Path| path.file_name().map(|name| sanitized(&name.to_string_lossy()));
    let name = part(&device).filter(|name| !name.is_empty())?;
    match device.parent().and_then(part) {
        Some(bus) if !bus.is_empty() => Some(format!("{bus}_{name}")),
        _ => Some(name),
    }
}

/// Converts a name to lower case, with underscores for characters that are invalid in metric names.
pub(super) fn sanitized(name: &str) -> String {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, ':' | '_');
    let name: String =
        name.chars().flat_map(char::to_lowercase).map(|c| if legal(c) { c } else { '_' }).collect();
    name.trim_matches('_').to_owned()
}

/// Makes the labels of chips of one device unique by appending the names from the drivers, or the
/// names of the directories if those are equal, too.
pub(super) fn make_labels_unique(chips: &mut [Chip]) {
    let mut labels = HashMap::<String, usize>::new();
    let mut names = HashMap::<(String, String), usize>::new();
    for chip in chips.iter() {
        *labels.entry(chip.label.clone()).or_default() += 1;
        if let Some(name) = &chip.name {
            *names.entry((chip.label.clone(), name.clone())).or_default() += 1;
        }
    }
    for chip in chips {
        if labels.get(&chip.label) == Some(&1) {
            continue;
        }
        let name = chip.name.clone();
        let unique = name.filter(|name| names.get(&(chip.label.clone(), name.clone())) == Some(&1));
        let suffix = unique.as_ref().unwrap_or(&chip.entry);
        chip.label = format!("{}_{suffix}", chip.label);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_labels_get_a_suffix() {
        let chip = |entry: &str, name: Option<&str>, label: &str| Chip {
            entry: entry.to_owned(),
            name: name.map(str::to_owned),
            label: label.to_owned(),
        };
        let mut chips = [
            chip("hwmon0", Some("a"), "pci_1"),
            chip("hwmon1", Some("b"), "platform_x"),
            chip("hwmon2", Some("c"), "platform_x"),
            chip("hwmon3", Some("c"), "platform_x"),
            chip("hwmon4", None, "platform_x"),
        ];
        make_labels_unique(&mut chips);
        assert_eq!(
            chips.map(|chip| chip.label),
            [
                "pci_1",
                "platform_x_b",
                "platform_x_hwmon2",
                "platform_x_hwmon3",
                "platform_x_hwmon4"
            ]
        );
    }

    #[test]
    fn names_are_sanitized() {
        for (name, cleaned) in [
            ("coretemp.0\n", "coretemp_0"),
            ("0000:00:18.3", "0000:00:18_3"),
            ("_My Chip!_", "my_chip"),
            ("É", ""),
        ] {
            assert_eq!(sanitized(name), cleaned);
        }
    }
}
