//! A file of targets that `/probe` allows, in the format of Prometheus' `file_sd`.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use exporter_core::config_file::{self, ConfigError, Fault, Spanned, line_of, yaml};
use exporter_core::desc::is_label_name;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::config::Config;

/// Groups of targets with their labels for service discovery.
#[derive(Clone, Debug, Default)]
pub(crate) struct Targets {
    groups: Vec<Group>,
    addresses: HashSet<Address>,
}

/// A group, as in `file_sd` and `http_sd`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Group {
    targets: Vec<String>,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct GivenGroup {
    targets: Vec<Spanned<String>>,
    labels: BTreeMap<String, Spanned<String>>,
}

/// The maximum number of targets in a file.
pub(crate) const MAX_TARGETS: usize = 1000;

/// The label that sets the parameter `auth_module` of `/probe`.
const MODULE_LABEL: &str = "__param_auth_module";

impl Targets {
    /// Reads a file in YAML or JSON. The sections that labels name must exist in `config`.
    pub(crate) fn load(path: &Path, config: &Config) -> Result<Self, ConfigError> {
        let bytes = config_file::read(path, config_file::SMALL)
            .map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(&bytes, config).map_err(|fault| fault.in_file(path))
    }

    pub(crate) fn parse(text: &[u8], config: &Config) -> Result<Self, Fault> {
        // JSON is YAML.
        let given: Vec<Spanned<GivenGroup>> = yaml::parse(text)?;
        let mut targets = Self::default();
        for group in &given {
            let group = &group.value;
            for (name, value) in &group.labels {
                let fault = |problem| Fault::new(format!("labels.{name}"), line_of(value), problem);
                if !is_label_name(name) {
                    return Err(fault("is not a valid label name".to_owned()));
                }
                if name == MODULE_LABEL && config.login(&value.value).is_none() {
                    let problem =
                        format!("the option file has no section {:?} with a user", value.value);
                    return Err(fault(problem));
                }
            }
            let mut names = Vec::new();
            for target in &group.targets {
                let fault = |problem| Fault::new("targets", line_of(target), problem);
                let address: Address =
                    target.value.parse().map_err(|error| fault(format!("{error}")))?;
                if !targets.addresses.insert(address) {
                    return Err(fault(format!("{:?} is listed twice", target.value)));
                }
                names.push(target.value.clone());
            }
            if targets.addresses.len() > MAX_TARGETS {
                let problem = format!("more than {MAX_TARGETS} targets: use several exporters");
                return Err(Fault::new("targets", None, problem));
            }
            let labels = group.labels.iter();
            let labels = labels.map(|(name, value)| (name.clone(), value.value.clone()));
            targets.groups.push(Group { targets: names, labels: labels.collect() });
        }
        Ok(targets)
    }

    pub(crate) fn contains(&self, address: &Address) -> bool {
        self.addresses.contains(address)
    }

    /// The targets of the file and the other servers of the option file, in the format of `http_sd`.
    pub(crate) fn discovery(&self, config: &Config) -> String {
        let configured = config.sections().filter(|(_, address)| !self.contains(address));
        let configured = configured.map(|(section, address)| Group {
            targets: vec![address.to_string()],
            labels: BTreeMap::from([(MODULE_LABEL.to_owned(), section.to_owned())]),
        });
        let groups: Vec<_> = self.groups.iter().cloned().chain(configured).collect();
        // Serializing strings does not fail.
        serde_json::to_string(&groups).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Defaults;

    fn config() -> Config {
        let defaults = Defaults {
            address: "localhost:3306".parse().unwrap(),
            user: None,
            password: None,
            skip_verification: false,
        };
        let text = b"[client]\nuser=a\n[client.prod]\nhost=db9\nport=3307\n";
        Config::parse(text, Path::new("my.cnf"), &defaults).unwrap()
    }

    #[test]
    fn yaml_and_json_are_parsed() {
        let yaml = "- targets: ['db1:3306', \"db2:3306\"]\n  labels: {env: prod, \
                    __param_auth_module: client.prod}\n- targets: [unix:///run/a.sock]\n";
        let json = r#"[{"targets": ["db1:3306", "db2:3306"], "labels": {"env": "prod",
            "__param_auth_module": "client.prod"}}, {"targets": ["unix:///run/a.sock"]}]"#;
        for text in [yaml, json] {
            let targets = Targets::parse(text.as_bytes(), &config()).unwrap();
            assert!(targets.contains(&"db1:3306".parse().unwrap()));
            assert!(targets.contains(&"unix:///run/a.sock".parse().unwrap()));
            assert!(!targets.contains(&"db3:3306".parse().unwrap()));
            assert_eq!(
                targets.discovery(&config()),
                "[{\"targets\":[\"db1:3306\",\"db2:3306\"],\"labels\":{\"__param_auth_module\":\
                 \"client.prod\",\"env\":\"prod\"}},{\"targets\":[\"unix:///run/a.sock\"],\
                 \"labels\":{}},{\"targets\":[\"localhost:3306\"],\"labels\":\
                 {\"__param_auth_module\":\"client\"}},{\"targets\":[\"db9:3307\"],\"labels\":\
                 {\"__param_auth_module\":\"client.prod\"}}]"
            );
        }
        assert!(Targets::parse(b"", &config()).unwrap().groups.is_empty());
    }

    #[test]
    fn errors_name_the_line() {
        for (text, line, problem) in [
            ("- targets: [db1]\n", 1, "host:port"),
            ("- targets:\n  - db1:1\n  - DB1:1\n", 3, "twice"),
            ("- targts: [a:1]\n", 1, "did you mean \"targets\"?"),
            ("- labels: {a-b: c}\n", 1, "valid label name"),
            ("- labels:\n    __param_auth_module: x\n", 2, "no section \"x\""),
            ("targets: [a:1]\n", 1, "YAML"),
        ] {
            let fault = Targets::parse(text.as_bytes(), &config()).unwrap_err();
            assert!(fault.problem.contains(problem), "{text}: {fault:?}");
            assert!(fault.line.is_none_or(|found| found.abs_diff(line) <= 1), "{text}: {fault:?}");
        }
        let many: Vec<_> = (0..=MAX_TARGETS).map(|port| format!("a:{}", port + 1)).collect();
        let text = format!("- targets: [{}]\n", many.join(", "));
        let fault = Targets::parse(text.as_bytes(), &config()).unwrap_err();
        assert!(fault.problem.contains("more than"), "{fault:?}");
    }
}
