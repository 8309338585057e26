//! The delimited `io.prometheus.client` format.
