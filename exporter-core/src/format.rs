//! The formats that Prometheus reads, as far as all of the crate needs to know them.

/// A way to write families down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// `text/plain; version=0.0.4`
    #[default]
    Text004,
    /// `text/plain; version=1.0.0`: as 0.0.4, with quoted UTF-8 names.
    Text100,
    /// `application/openmetrics-text; version=1.0.0`
    OpenMetrics,
    /// `application/vnd.google.protobuf`, delimited `io.prometheus.client.MetricFamily`.
    Protobuf,
}

/// What becomes of a name that is not `[a-zA-Z_:][a-zA-Z0-9_:]*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Escaping {
    AllowUtf8,
    Dots,
    #[default]
    Underscores,
    Values,
}
