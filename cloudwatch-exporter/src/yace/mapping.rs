//! Mappings of a YACE file. Reading a key removes it, and the rest is reported as not converted.

use serde_json::{Map, Value};

/// What was not converted.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<String>);

impl Report {
    pub(super) fn add(&mut self, line: &str) {
        if !self.0.iter().any(|known| known == line) {
            self.0.push(line.to_owned());
        }
    }

    pub(super) fn lines(&self) -> &[String] {
        &self.0
    }
}

#[derive(Debug)]
pub(super) struct Mapping {
    /// The path in the file, such as `discovery.jobs[2]`.
    path: String,
    keys: Map<String, Value>,
}

impl Mapping {
    pub(super) fn new(path: &str, value: Value, report: &mut Report) -> Self {
        let keys = match value {
            Value::Object(keys) => keys,
            Value::Null => Map::new(),
            _ => {
                report.add(&format!("{path}: not a mapping"));
                Map::new()
            }
        };
        Self { path: path.to_owned(), keys }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The path of a key.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn keys(&self) -> Vec<String> {
        self.keys.keys().cloned().collect()
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.keys.remove(key).and_then(text)
    }

    pub(super) fn number(&mut self, key: &str) -> Option<u64> {
        let value = self.keys.remove(key)?;
        value.as_u64().or_else(|| text(value)?.parse().ok())
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        self.keys.remove(key)?.as_bool()
    }

    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        match self.keys.remove(key) {
            Some(Value::Array(values)) => values.into_iter().filter_map(text).collect(),
            Some(value) => text(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    pub(super) fn mapping(&mut self, key: &str, report: &mut Report) -> Self {
        let value = self.keys.remove(key).unwrap_or_default();
        Self::new(&self.path_of(key), value, report)
    }

    pub(super) fn list(&mut self, key: &str, report: &mut Report) -> Vec<Self> {
        let path = self.path_of(key);
        let values = match self.keys.remove(key) {
            Some(Value::Array(values)) => values,
            None | Some(Value::Null) => return Vec::new(),
            Some(_) => {
                report.add(&format!("{path}: not a list"));
                return Vec::new();
            }
        };
        let entry = |(index, value)| Self::new(&format!("{path}[{index}]"), value, report);
        values.into_iter().enumerate().map(entry).collect()
    }

    /// Reports the remaining keys.
    pub(super) fn report_rest(self, report: &mut Report) {
        for key in self.keys.keys() {
            report.add(&self.path_of(key));
        }
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
