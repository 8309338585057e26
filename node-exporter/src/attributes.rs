//! Tables of families, each filled from one attribute of a device.

use exporter_core::collector::Error;
use exporter_core::desc::{Desc, Describe, DynDesc};
use exporter_core::families::Families;

use crate::host::{Device, if_supported};

/// A family and the attribute that it is filled from.
#[derive(Debug)]
pub(crate) struct Attribute<const N: usize> {
    /// A file of the device, or another key.
    name: &'static str,
    desc: Desc<'static, N>,
    scale: fn(f64) -> f64,
}

/// An attribute and a family with the same unit.
pub(crate) const fn attribute<const N: usize>(
    name: &'static str,
    desc: Desc<'static, N>,
) -> Attribute<N> {
    Attribute { name, desc, scale: |value| value }
}

impl<const N: usize> Attribute<N> {
    /// Sets a function that converts the unit to that of the family.
    pub(crate) const fn scaled(self, scale: fn(f64) -> f64) -> Self {
        Self { name: self.name, desc: self.desc, scale }
    }
}

/// The attributes of one kind of device: `M` families with `N` labels.
#[derive(Debug)]
pub(crate) struct Attributes<const N: usize, const M: usize>(pub(crate) [Attribute<N>; M]);

/// The values of one device, in the order of the table.
pub(crate) type Values<const M: usize> = [Option<f64>; M];

impl<const N: usize, const M: usize> Attributes<N, M> {
    /// Reads each attribute of a device as an integer. Attributes that are missing or not supported
    /// are left out.
    pub(crate) fn read(&self, device: &Device) -> Result<Values<M>, Error> {
        self.values(|name| {
            let number = device.number::<i128>(name, "a whole number");
            Ok(if_supported(number)?.map(|number| number as f64))
        })
    }

    /// Calls `value` with the name of each attribute.
    pub(crate) fn values(
        &self,
        mut value: impl FnMut(&'static str) -> Result<Option<f64>, Error>,
    ) -> Result<Values<M>, Error> {
        let mut values = [None; M];
        for (slot, Attribute { name, scale, .. }) in values.iter_mut().zip(&self.0) {
            *slot = value(name)?.map(scale);
        }
        Ok(values)
    }

    /// The key of the attribute.
    #[cfg(test)]
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|attribute| attribute.name == name)
    }

    pub(crate) fn expose(&self, out: &mut Families, rows: &[([&str; N], Values<M>)]) {
        for (column, Attribute { desc, .. }) in self.0.iter().enumerate() {
            let mut family = out.family(desc);
            for (labels, values) in rows {
                if let Some(Some(value)) = values.get(column) {
                    family.sample(*labels, *value);
                }
            }
        }
    }
}

impl<const N: usize, const M: usize> Attributes<N, M> {
    /// Like [`Attributes::expose`], for owned labels.
    pub(crate) fn expose_owned(&self, out: &mut Families, rows: &[([String; N], Values<M>)]) {
        let rows: Vec<_> = rows.iter().map(|(labels, values)| (as_strs(labels), *values)).collect();
        self.expose(out, &rows);
    }
}

impl<const N: usize, const M: usize> Describe for Attributes<N, M> {
    fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>)) {
        for attribute in &self.0 {
            attribute.desc.describe(visit);
        }
    }
}

/// The labels of a family about a device: the name of the device, then the result of `text` for
/// each further label.
pub(crate) fn labels<const N: usize>(
    name: &str,
    desc: &Desc<'static, N>,
    mut text: impl FnMut(&'static str) -> Result<String, Error>,
) -> Result<[String; N], Error> {
    let mut labels = desc.labels.map(str::to_owned);
    for (index, (label, file)) in labels.iter_mut().zip(desc.labels).enumerate() {
        *label = if index == 0 { name.to_owned() } else { text(file)? };
    }
    Ok(labels)
}

/// Borrows labels for a sample.
pub(crate) fn as_strs<const N: usize>(labels: &[String; N]) -> [&str; N] {
    labels.each_ref().map(String::as_str)
}

/// The result of `read` for each device, and the first error. A failing device does not affect the
/// others.
pub(crate) fn each<T>(
    devices: Vec<(String, Device)>,
    mut read: impl FnMut(&str, &Device) -> Result<T, Error>,
) -> (Vec<(String, T)>, Result<(), Error>) {
    let mut result = Ok(());
    let mut results = Vec::with_capacity(devices.len());
    for (name, device) in devices {
        match read(&name, &device) {
            Ok(value) => results.push((name, value)),
            Err(error) => result = result.and(Err(error)),
        }
    }
    (results, result)
}

/// Samples of one family, collected one by one.
#[derive(Debug)]
pub(crate) struct Samples<const N: usize>(pub(crate) Vec<([String; N], f64)>);

impl<const N: usize> Default for Samples<N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<const N: usize> Samples<N> {
    pub(crate) fn push(&mut self, labels: [&str; N], value: f64) {
        self.0.push((labels.map(str::to_owned), value));
    }

    pub(crate) fn expose(&self, out: &mut Families, desc: &Desc<'static, N>) {
        let mut family = out.family(desc);
        for (labels, value) in &self.0 {
            family.sample(as_strs(labels), *value);
        }
    }
}
