//! The manual: why the library is as it is.
//!
//! # Names and labels are checked by the compiler
//!
//! A family is a static: a [`Desc`](crate::desc::Desc), or an [instrument](crate::instrument). Its
//! constructors are `const` and panic if a name is invalid, so in a static an invalid name does not
//! compile. The number of labels is part of the type, so a sample with a missing label does not
//! compile either:
//!
//! ```compile_fail
//! use exporter_core::desc::Desc;
//!
//! static READ: Desc<1> = Desc::counter("disk-read", "Bytes read.", ["device"]);
//! ```
//!
//! ```compile_fail
//! # use exporter_core::{desc::Desc, families::Families, format::{Escaping, Format}};
//! static READ: Desc<1> = Desc::counter("disk_read_total", "Bytes read.", ["device"]);
//!
//! Families::new(Format::Text004, Escaping::Underscores).family(&READ).sample([], 1.0);
//! ```
//!
//! Names that are known only at run time go through
//! [`Families::open`](crate::families::Families::open). It takes any name and escapes it, as the
//! format requires.
//!
//! # Samples are written, not collected
//!
//! A collector writes into [`Families`](crate::families::Families), a sink that encodes each sample
//! at once in the format of the scrape. There are no objects for families and samples: a page of
//! some thousand samples allocates a few buffers, which the next scrape uses again. The price is
//! that nothing can change samples afterwards. Rename and drop them in Prometheus, by
//! `metric_relabel_configs`.
//!
//! Formats are an enum, not a trait: text 0.0.4 and 1.0.0, `OpenMetrics` 1.0.0 and protobuf. Prometheus
//! selects one by its `Accept` header, and the series have the same names in all of them.
//!
//! # A collector cannot harm another one
//!
//! What a collector writes before it returns an error is exposed. A panic is caught. Each collector
//! has a time limit, and all of them have the timeout that Prometheus announces: those that are not
//! done are left out, and the page is sent. A collector that hangs in a system call keeps its thread,
//! which no program can end; the others get a new one, and the collector is skipped until it
//! returns.
//!
//! If two collectors write the same series, or families of one name with different types, the first
//! one is exposed. The others are dropped, logged, and counted in
//! `exporter_dropped_series_total`, because Prometheus would refuse the page as a whole. In tests,
//! [`testing::page`](https://docs.rs/exporter-core/latest/exporter_core/testing/fn.page.html) fails
//! for them.
//!
//! Blocking collectors run one after another on one thread: for files of the kernel, threads would
//! wait for each other's locks there. A collector that waits for a network is an
//! [`AsyncCollector`](crate::collector::AsyncCollector), and runs beside the others.
//!
//! # The number of series is bounded
//!
//! Label values from outside, such as paths and names of users, make as many series as clients like.
//! Set a limit with [`Labelled::at_most`](crate::instrument::Labelled::at_most): beyond it,
//! instruments work but are not exposed, and `instrument_refused_label_sets_total` counts them.
//!
//! # Values are read while others write them
//!
//! Counters and gauges are atomic numbers. A histogram with classic buckets takes two atomic
//! additions, and a scrape may see one without the other; a histogram with native buckets takes a
//! lock. An instrument of a label set is found by a lookup under a read lock: keep the
//! [`Series`](crate::instrument::Series) where that is too much.
//!
//! # Serving is for a hostile network
//!
//! `serve` authenticates clients by certificate or password before anything of the program runs.
//! Connections, handshakes, headers, responses and scrapes in progress have limits, by client
//! address where clients could push out others. A web configuration that is invalid changes nothing,
//! and one that grants more than before needs a restart.
//!
//! The library installs no handler of signals and no logger, and starts no runtime, unless the
//! program runs by `run::Program`.
//!
//! # What may change
//!
//! Versions follow Cargo's rules. Types that may get fields or variants are `#[non_exhaustive]`:
//! make them by their constructors, and give a `match` an arm for others. The names, types and labels
//! of metrics that the library exposes of itself (`exporter_*`, `promhttp_*`, `process_*`, `http_server_*`,
//! `push_*`, `instrument_*`) change only with a new major version, as dashboards depend on them.
//!
//! Types of other crates in the API change only with a new major version, too:
//!
//! | Crate | Where | Why |
//! |---|---|---|
//! | `async-trait` | the macro, re-exported by [`collector`](crate::collector) | collectors are trait objects |
//! | `bytes`, `http` | `Registry::answer`, `tower` | the types of all servers |
//! | `http-body`, `tower-layer`, `tower-service` | `tower` | the traits of a layer |
//! | `serde`, `serde-saphyr` | `config_file` | configuration files with line numbers |
//! | `metrics` | `metrics` | the trait of a recorder |
//! | `tracing` | `log::init` | the level |
//!
//! Types of tokio, hyper and rustls are not part of the API. `serve` needs a tokio runtime.
