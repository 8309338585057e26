//! Known vulnerabilities of the CPUs, and their mitigations:
//! `/sys/devices/system/cpu/vulnerabilities`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::Definition;
use crate::host::{File, Host, if_exists};

pub(super) static DEFINITION: Definition = Definition::new(
    "cpu_vulnerabilities",
    "CPU vulnerabilities and their mitigations",
    |host, _| Ok(Source::blocking(Vulnerabilities(host.clone()))),
)
.cost("about 20 small files")
.off_by_default()
.reads(&["/sys/devices/system/cpu/vulnerabilities/*"])
.metrics(&[&INFO]);

static INFO: Desc<3> = Desc::gauge(
    "node_cpu_vulnerabilities_info",
    "A vulnerability of the CPUs: `not affected`, `vulnerable` or `mitigation`. Always 1.",
    ["codename", "state", "mitigation"],
);

struct Vulnerabilities(Host);

impl Collector for Vulnerabilities {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        // Older kernels do not have this list.
        let Some(files) = if_exists(self.0.device("devices/system/cpu/vulnerabilities"))? else {
            return Ok(());
        };
        let mut family = out.family(&INFO);
        for name in files.names()? {
            let file = files.file(&name)?;
            let (state, mitigation) = parse(&file)?;
            family.sample([&name, state, mitigation], 1.0);
        }
        Ok(())
    }
}

/// State and mitigation, as in `Mitigation: PTE Inversion`.
fn parse(file: &File) -> Result<(&'static str, &str), Error> {
    const STATES: [(&str, &str); 3] = [
        ("Not affected", "not affected"),
        ("Vulnerable", "vulnerable"),
        ("Mitigation", "mitigation"),
    ];
    let text = file.trimmed();
    let state =
        STATES.iter().find_map(|(prefix, state)| Some((*state, text.strip_prefix(prefix)?)));
    let (state, rest) =
        state.ok_or_else(|| file.parse_error("`Not affected`, `Vulnerable` or `Mitigation`"))?;
    Ok((state, rest.strip_prefix(": ").unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_parsed() {
        for (text, expected) in [
            ("Not affected\n", Some(("not affected", ""))),
            ("Vulnerable\n", Some(("vulnerable", ""))),
            ("Vulnerable: No microcode\n", Some(("vulnerable", "No microcode"))),
            (
                "Mitigation: IBPB: conditional; RSB\n",
                Some(("mitigation", "IBPB: conditional; RSB")),
            ),
            ("Unknown: Dependent on hypervisor status\n", None),
            ("", None),
        ] {
            assert_eq!(parse(&File::from_text(text)).ok(), expected, "{text}");
        }
    }
}
