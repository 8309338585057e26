//! Kernel parameters selected by flags: `/proc/sys`.

use exporter_core::collector::{Collector, Error, Source};
use exporter_core::desc::{Desc, Describe, DynDesc, Kind};
use exporter_core::families::Families;
use exporter_core::flags::Flag;

use super::Definition;
use crate::host::{File, Host};

pub(super) static DEFINITION: Definition =
    Definition::new("sysctl", "Kernel parameters (sysctl) as chosen", |host, flags| {
        Ok(Source::blocking(Sysctl {
            host: host.clone(),
            numbers: flags.list(&INCLUDE).into_iter().map(Parameter::parse).collect(),
            texts: flags.list(&INCLUDE_INFO).into_iter().map(Parameter::parse).collect(),
        }))
    })
    .cost("one small file per parameter")
    .rights("root for some parameters")
    .off_by_default()
    .reads(&["/proc/sys/*"])
    .flags(&[&INCLUDE, &INCLUDE_INFO])
    .metrics(&[&Number, &INFO]);

static INCLUDE: Flag = Flag::list(
    "collector.sysctl.include",
    &[],
    "A parameter with numbers, such as fs.file-nr or fs.file-nr:total,current,max.",
);
static INCLUDE_INFO: Flag = Flag::list(
    "collector.sysctl.include-info",
    &[],
    "A parameter with words, exposed as labels of node_sysctl_info.",
);

/// The families of numeric parameters: one per parameter, or one per named value.
struct Number;

impl Describe for Number {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        let name = "node_sysctl_<name>";
        let help = "Value of the sysctl <name>; several without names have the label index.";
        visit(DynDesc::new(name, help, Kind::Untyped, &[]));
    }
}

static INFO: Desc<3> = Desc::gauge(
    "node_sysctl_info",
    "A value of a sysctl, and its place among its values. Always 1.",
    ["name", "value", "index"],
);

struct Sysctl {
    host: Host,
    numbers: Vec<Parameter>,
    texts: Vec<Parameter>,
}

impl Collector for Sysctl {
    fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let mut result = Ok(());
        // A missing or invalid parameter does not hide the others.
        for parameter in &self.numbers {
            result =
                result.and(self.read(parameter).and_then(|file| numbers(parameter, &file, out)));
        }
        let mut info = out.family(&INFO);
        for parameter in &self.texts {
            let read = self.read(parameter).and_then(|file| {
                if !parameter.keys.is_empty() {
                    return Err(file.parse_error("numbers: words cannot have names"));
                }
                for (index, word) in file.text().split_ascii_whitespace().enumerate() {
                    info.sample([&parameter.name, word, &index.to_string()], 1.0);
                }
                Ok(())
            });
            result = result.and(read);
        }
        result
    }
}

impl Sysctl {
    fn read(&self, parameter: &Parameter) -> Result<File, Error> {
        let file = self.host.proc(format!("sys/{}", parameter.name.replace('.', "/")))?;
        if file.trimmed().is_empty() {
            Err(file.parse_error("one value or more"))
        } else {
            Ok(file)
        }
    }
}

/// A parameter as given by a flag.
#[derive(Debug, PartialEq)]
struct Parameter {
    /// Such as `fs.file-nr`.
    name: String,
    /// Names of its values.
    keys: Vec<String>,
}

impl Parameter {
    /// From `name` or `name:key,key`.
    fn parse(text: &str) -> Self {
        let (name, keys) =
            text.split_once(':').map_or((text, None), |(name, keys)| (name, Some(keys)));
        let keys = keys.into_iter().flat_map(|keys| keys.split(',')).map(ToOwned::to_owned);
        Self { name: name.to_owned(), keys: keys.collect() }
    }

    fn metric(&self) -> String {
        format!("node_sysctl_{}", sanitized(&self.name))
    }
}

fn numbers(parameter: &Parameter, file: &File, out: &mut Families) -> Result<(), Error> {
    let words = file.text().split_ascii_whitespace().map(str::parse::<i64>);
    let values = words
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| file.parse_error("nothing but numbers"))?;
    let help = format!("Value of the sysctl {}.", parameter.name);
    let name = parameter.metric();
    match (&values[..], &parameter.keys[..]) {
        ([value], []) => {
            let desc = Desc::try_new(&name, &help, Kind::Untyped, []);
            let desc = desc.ok_or_else(|| invalid_name_error(file))?;
            out.family(&desc).sample([], *value as f64);
        }
        (values, []) => {
            let desc = Desc::try_new(&name, &help, Kind::Untyped, ["index"]);
            let desc = desc.ok_or_else(|| invalid_name_error(file))?;
            let mut family = out.family(&desc);
            for (index, value) in values.iter().enumerate() {
                family.sample([&index.to_string()], *value as f64);
            }
        }
        (values, keys) if values.len() == keys.len() => {
            for (index, (value, key)) in values.iter().zip(keys).enumerate() {
                let (name, help) = (
                    format!("{name}_{key}"),
                    format!("Value {index} of the sysctl {}.", parameter.name),
                );
                let desc = Desc::try_new(&name, &help, Kind::Untyped, []);
                let desc = desc.ok_or_else(|| invalid_name_error(file))?;
                out.family(&desc).sample([], *value as f64);
            }
        }
        _ => {
            return Err(file.parse_error("as many values as --collector.sysctl.include has names"));
        }
    }
    Ok(())
}

fn invalid_name_error(file: &File) -> Error {
    file.parse_error("names in --collector.sysctl.include that metrics can have")
}

/// Converts a name to a part of a metric name: each run of invalid characters and adjacent
/// underscores becomes one `_`.
fn sanitized(name: &str) -> String {
    let mut sanitized = String::new();
    let mut after_invalid = false;
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() || letter == '_' && !after_invalid {
            sanitized.push(letter);
            after_invalid = false;
        } else if letter != '_' && !after_invalid {
            sanitized.truncate(sanitized.trim_end_matches('_').len());
            sanitized.push('_');
            after_invalid = true;
        }
    }
    sanitized
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_parsed() {
        for (text, name, keys) in [
            ("kernel.threads-max", "kernel.threads-max", vec![]),
            ("fs.file-nr:total,current,max", "fs.file-nr", vec!["total", "current", "max"]),
        ] {
            let parameter = Parameter::parse(text);
            assert_eq!(
                (parameter.name.as_str(), parameter.keys.iter().map(String::as_str).collect()),
                (name, keys)
            );
        }
    }

    #[test]
    fn names_are_sanitized() {
        for (name, expected) in [
            ("fs.file-nr", "fs_file_nr"),
            ("net.ipv4.tcp_rmem", "net_ipv4_tcp_rmem"),
            ("a_._-b", "a_b"),
            ("a__b", "a__b"),
        ] {
            assert_eq!(sanitized(name), expected);
        }
    }

    #[test]
    fn each_value_needs_a_name() {
        for (text, parameter, good) in [
            ("7\n", "x", true),
            ("7 8\t9\n", "x", true),
            ("7 8\n", "x:a,b", true),
            ("7 8\n", "x:a", false),
            ("7\n", "x:a,b", false),
            ("7 y\n", "x", false),
            ("7 8\n", "x:a,b c", false),
        ] {
            let read = numbers(
                &Parameter::parse(parameter),
                &File::from_text(text),
                &mut Families::default(),
            );
            assert_eq!(read.is_ok(), good, "{parameter}: {text}");
        }
    }
}
