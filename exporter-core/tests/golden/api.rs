pub mod collector {
    pub use async_trait::async_trait;
    pub trait Context<T> {
        fn context(self, what: impl Into<String>) -> Result<T, Error>;
    }
    impl<T, E: Into<Box<dyn error::Error + Send + Sync>>> Context<T> for Result<T, E> {}
    #[derive(Debug, thiserror::Error)]
    #[non_exhaustive]
    pub enum Error {
        Absent(&'static str),
        Flag { flag: &'static str, problem: String },
        Parse { path: PathBuf, expected: &'static str, found: String },
        Read { path: PathBuf, source: io::Error },
        System { call: &'static str, source: io::Error },
        Other(Box<dyn error::Error + Send + Sync>),
    }
    impl Error {
        pub fn other(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Self {}
    }
    pub fn chain(error: &(dyn error::Error + 'static)) -> String {}
    #[derive(Clone, Copy)]
    #[non_exhaustive]
    pub struct Definition<Env: 'static> {
        pub name: &'static str,
        pub about: &'static str,
        pub on_by_default: bool,
        pub reads: &'static [&'static str],
        pub cost: &'static str,
        pub rights: &'static str,
        pub flags: &'static [&'static Flag],
        pub metrics: &'static [&'static dyn Describe],
        pub build: fn(&Env, &Flags) -> Result<Source, Error>,
    }
    impl<Env: 'static> Definition<Env> {
        pub const fn new(
            name: &'static str,
            about: &'static str,
            build: fn(&Env, &Flags) -> Result<Source, Error>,
        ) -> Self {}
        #[must_use]
        pub const fn off_by_default(self) -> Self {}
        #[must_use]
        pub const fn reads(self, reads: &'static [&'static str]) -> Self {}
        #[must_use]
        pub const fn cost(self, cost: &'static str) -> Self {}
        #[must_use]
        pub const fn rights(self, rights: &'static str) -> Self {}
        #[must_use]
        pub const fn flags(self, flags: &'static [&'static Flag]) -> Self {}
        #[must_use]
        pub const fn metrics(self, metrics: &'static [&'static dyn Describe]) -> Self {}
    }
    #[non_exhaustive]
    pub enum Source {
        Blocking(Box<dyn Collector>),
        Async(Box<dyn AsyncCollector>),
    }
    impl Source {
        pub fn blocking(collector: impl Collector + 'static) -> Self {}
        pub fn asynchronous(collector: impl AsyncCollector + 'static) -> Self {}
    }
    pub trait Collector: Send {
        fn collect(&mut self, out: &mut Families) -> Result<(), Error>;
    }
    pub trait AsyncCollector: Send {
        async fn collect(&mut self, out: &mut Families) -> Result<(), Error>;
    }
}
#[cfg(feature = "serve")]
pub mod config_file {
    pub mod yaml {
        pub use serde_saphyr::Spanned;
        pub use serde_saphyr::options::DuplicateKeyPolicy;
        pub fn line_of<T>(value: &Spanned<T>) -> Option<u64> {}
        pub fn parse<T: DeserializeOwned + Default>(text: &[u8]) -> Result<T, Fault> {}
        pub fn parse_with<T: DeserializeOwned + Default>(
            text: &[u8],
            duplicate_keys: DuplicateKeyPolicy,
        ) -> Result<T, Fault> {}
        pub fn unknown_key(key: &str, known: &[&str]) -> String {}
        pub fn similar<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {}
    }
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct ConfigError {
        pub file: PathBuf,
        pub line: Option<u64>,
        pub key: Option<String>,
        pub problem: String,
    }
    impl ConfigError {
        pub fn new(file: impl Into<PathBuf>, problem: impl Into<String>) -> Self {}
        #[must_use]
        pub fn with_line(self, line: Option<u64>) -> Self {}
        #[must_use]
        pub fn with_key(self, key: Option<String>) -> Self {}
        pub fn unreadable(file: &Path, error: &io::Error) -> Self {}
    }
    impl fmt::Display for ConfigError {}
    impl std::error::Error for ConfigError {}
    #[derive(Debug, PartialEq, Eq)]
    pub struct Fault {
        pub line: Option<u64>,
        pub key: Option<String>,
        pub problem: String,
    }
    impl Fault {
        pub fn new(
            key: impl Into<String>,
            line: Option<u64>,
            problem: impl Into<String>,
        ) -> Self {}
        pub fn without_key(line: Option<u64>, problem: impl Into<String>) -> Self {}
        pub fn at<T>(
            value: &Spanned<T>,
            key: impl Into<String>,
            problem: impl Into<String>,
        ) -> Self {}
        pub fn in_file(self, file: &Path) -> ConfigError {}
    }
    pub fn resolve(config: &Path, name: &str) -> Result<PathBuf, String> {}
    #[derive(Clone, Default, Deserialize, PartialEq, Eq)]
    pub struct Secret(_);
    impl Secret {
        pub fn new(text: impl Into<String>) -> Self {}
        pub fn expose(&self) -> &str {}
    }
    impl fmt::Debug for Secret {}
    pub use self::yaml::Spanned;
    pub fn line_of<T>(value: &Spanned<T>) -> Option<u64> {}
    pub const SMALL: u64 = 1024 * 1024;
    pub const LARGE: u64 = 32 * 1024 * 1024;
    pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {}
}
pub mod duration {
    pub fn parse(text: &str) -> Option<Duration> {}
}
#[cfg(feature = "serve")]
pub mod exporter {
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    pub struct Query(_);
    impl Query {
        pub fn parse(query: &str) -> Self {}
        pub fn value(&self, key: &str) -> Option<&str> {}
        pub fn values(&self, key: &str) -> impl Iterator<Item = &str> {}
    }
    pub trait Exporter: Debug + Send + Sync {
        fn registry(&self, query: &Query) -> Result<Arc<Registry>, String>;
        fn probe(&self, _: &Query) -> Option<Result<Arc<Registry>, String>> {}
        fn discovery(&self) -> Option<String> {}
        fn reload(&self) -> Result<(), String> {}
        async fn one_shot_command(&self) -> Option<Result<String, String>> {}
        async fn check(&self) -> Vec<CheckLine> {}
    }
    impl Exporter for Arc<dyn Exporter> {}
    impl Exporter for Arc<Registry> {}
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct CheckLine {
        pub is_fine: bool,
        pub what: String,
        pub finding: String,
    }
    impl CheckLine {
        pub fn new(
            is_fine: bool,
            what: impl Into<String>,
            finding: impl Into<String>,
        ) -> Self {}
    }
    pub type Opened = Result<Arc<dyn Exporter>, Error>;
}
pub mod flags {
    #[derive(Clone, Copy, Debug)]
    #[non_exhaustive]
    pub struct Flag {
        pub name: &'static str,
        pub about: &'static str,
        pub value: Value,
        pub hidden: bool,
    }
    impl Flag {
        pub const fn switch(
            name: &'static str,
            default: bool,
            about: &'static str,
        ) -> Self {}
        pub const fn text(
            name: &'static str,
            default: &'static str,
            about: &'static str,
        ) -> Self {}
        pub const fn list(
            name: &'static str,
            default: &'static [&'static str],
            about: &'static str,
        ) -> Self {}
        #[must_use]
        pub const fn hidden(self) -> Self {}
        pub fn error(&self, problem: impl Into<String>) -> Error {}
    }
    #[derive(Clone, Copy, Debug)]
    #[non_exhaustive]
    pub enum Value {
        Switch(bool),
        Text(&'static str),
        List(&'static [&'static str]),
    }
    #[derive(Clone, Debug, Default)]
    pub struct Flags {
        private: _,
    }
    impl Flags {
        pub fn new<V: Into<String>>(
            given: impl IntoIterator<Item = (&'static Flag, V)>,
        ) -> Self {}
        #[must_use]
        pub fn with_collectors(
            self,
            names: impl IntoIterator<Item = &'static str>,
        ) -> Self {}
        pub fn has_collector(&self, name: &str) -> bool {}
        #[must_use]
        pub fn with_interval(
            mut self,
            collector: &'static str,
            interval: Duration,
        ) -> Self {}
        pub fn interval(&self, collector: &str) -> Option<Duration> {}
        pub fn is_given(&self, flag: &Flag) -> bool {}
        pub fn is_on(&self, flag: &Flag) -> bool {}
        pub fn text<'a>(&'a self, flag: &Flag) -> &'a str {}
        pub fn list<'a>(&'a self, flag: &Flag) -> Vec<&'a str> {}
        pub fn parsed<T: FromStr>(
            &self,
            flag: &Flag,
            expected: &str,
        ) -> Result<T, Error> {}
        pub fn duration(&self, flag: &Flag) -> Result<Duration, Error> {}
    }
}
pub mod instrument {
    #[derive(Debug)]
    pub struct Counter {
        private: _,
    }
    impl Counter {
        pub fn inc(&self) {}
        pub fn inc_by(&self, count: u64) {}
        pub fn add(&self, amount: f64) {}
        pub fn add_with_exemplar(&self, amount: f64, labels: &[(&str, &str)]) {}
        pub fn raise_to(&self, count: u64) {}
        pub fn value(&self) -> f64 {}
    }
    impl Value for Counter {}
    impl Child for Counter {
        type Settings = ();
    }
    impl CounterFn for Counter {}
    #[derive(Clone, Copy, Debug)]
    pub struct FromFn<F = fn() -> f64> {
        private: _,
    }
    impl<F: Fn() -> f64> FromFn<F> {
        pub const fn gauge(name: &'static str, help: &'static str, read: F) -> Self {}
        pub const fn counter(name: &'static str, help: &'static str, read: F) -> Self {}
        #[must_use]
        pub const fn with_unit(mut self, unit: &'static str) -> Self {}
    }
    impl<F: Sync> Describe for FromFn<F> {}
    impl<F: Fn() -> f64 + Sync> Instrument for FromFn<F> {}
    #[derive(Debug)]
    pub struct Gauge(_);
    impl Gauge {
        pub fn set(&self, value: f64) {}
        pub fn set_to_now(&self) {}
        pub fn add(&self, amount: f64) {}
        pub fn inc(&self) {}
        pub fn dec(&self) {}
        pub fn value(&self) -> f64 {}
        pub fn in_progress(&self) -> InProgress<&Self> {}
    }
    impl Value for Gauge {}
    impl Child for Gauge {
        type Settings = ();
    }
    impl GaugeFn for Gauge {}
    #[derive(Debug)]
    #[must_use = "the gauge is decremented when this is dropped"]
    pub struct InProgress<G: Deref<Target = Gauge>>(_);
    impl<G: Deref<Target = Gauge>> Drop for InProgress<G> {}
    #[derive(Clone, Copy, Debug)]
    pub struct Buckets {
        private: _,
    }
    impl Buckets {
        pub const DURATIONS: Self = Self::classic(
                &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0],
            )
            .and_native();
        pub const fn classic(bounds: &'static [f64]) -> Self {}
        pub const fn native() -> Self {}
        #[must_use]
        pub const fn and_native(self) -> Self {}
    }
    #[derive(Debug)]
    pub struct Histogram {
        private: _,
    }
    impl Histogram {
        pub fn observe(&self, value: f64) {}
        pub fn observe_with_exemplar(&self, value: f64, labels: &[(&str, &str)]) {}
        pub fn time(&self) -> Timer<&Self> {}
        pub fn count(&self) -> u64 {}
        pub fn sum(&self) -> f64 {}
    }
    impl Value for Histogram {}
    impl Child for Histogram {
        type Settings = Buckets;
    }
    impl Observe for Histogram {}
    impl HistogramFn for Histogram {}
    #[derive(Clone, Copy, Debug)]
    pub struct Info<const N: usize> {
        private: _,
    }
    impl<const N: usize> Info<N> {
        pub const fn new(
            name: &'static str,
            help: &'static str,
            labels: [&'static str; N],
            values: [&'static str; N],
        ) -> Self {}
    }
    impl<const N: usize> Describe for Info<N> {}
    impl<const N: usize> Instrument for Info<N> {}
    #[derive(Debug)]
    pub struct StateSet {
        private: _,
    }
    impl StateSet {
        pub const fn new(
            name: &'static str,
            help: &'static str,
            states: &'static [&'static str],
        ) -> Self {}
        pub fn set(&self, state: &str) -> bool {}
    }
    impl Describe for StateSet {}
    impl Instrument for StateSet {}
    #[derive(Debug)]
    pub struct Labelled<T: Child, const N: usize> {
        private: _,
    }
    impl<const N: usize> Labelled<Counter, N> {
        pub const fn counter(
            name: &'static str,
            help: &'static str,
            labels: [&'static str; N],
        ) -> Self {}
    }
    impl<const N: usize> Labelled<Gauge, N> {
        pub const fn gauge(
            name: &'static str,
            help: &'static str,
            labels: [&'static str; N],
        ) -> Self {}
    }
    impl<const N: usize> Labelled<Histogram, N> {
        pub const fn histogram(
            name: &'static str,
            help: &'static str,
            labels: [&'static str; N],
            buckets: Buckets,
        ) -> Self {}
    }
    impl<T: Child, const N: usize> Labelled<T, N> {
        #[must_use]
        pub const fn at_most(mut self, max: usize) -> Self {}
        #[must_use]
        pub const fn with_unit(mut self, unit: &'static str) -> Self {}
        pub fn with(&self, labels: [&str; N]) -> Series<T> {}
        pub fn refused(&self) -> u64 {}
        pub fn remove(&self, labels: [&str; N]) -> bool {}
        pub fn retain(&self, mut keep: impl FnMut([&str; N]) -> bool) {}
        pub fn clear(&self) {}
    }
    impl<T: Child + Observe, const N: usize> Labelled<T, N> {
        pub fn start_timer(&self) -> LabelledTimer<'_, T, N> {}
    }
    impl<T: Child, const N: usize> Describe for Labelled<T, N> {}
    impl<T: Child, const N: usize> Instrument for Labelled<T, N> {}
    impl<const N: usize> Labelled<Summary, N> {
        pub const fn summary(
            name: &'static str,
            help: &'static str,
            labels: [&'static str; N],
            window: Window,
        ) -> Self {}
    }
    #[derive(Debug)]
    #[must_use = "call `stop` with the label values to record the time"]
    pub struct LabelledTimer<'a, T: Child + Observe, const N: usize> {
        private: _,
    }
    impl<'a, T: Child + Observe, const N: usize> LabelledTimer<'a, T, N> {
        pub fn stop(self, labels: [&str; N]) -> Duration {}
    }
    #[derive(Debug)]
    pub struct Series<T>(_);
    impl<T: Observe> Series<T> {
        pub fn time(&self) -> Timer<Self> {}
    }
    impl Series<Gauge> {
        pub fn in_progress(&self) -> InProgress<Self> {}
    }
    impl<T> Clone for Series<T> {}
    impl<T> Deref for Series<T> {
        type Target = T;
    }
    #[derive(Debug)]
    pub struct Summary {
        private: _,
    }
    impl Summary {
        pub fn observe(&self, value: f64) {}
        pub fn count(&self) -> u64 {}
        pub fn sum(&self) -> f64 {}
        pub fn time(&self) -> Timer<&Self> {}
    }
    impl Value for Summary {}
    impl Child for Summary {
        type Settings = Window;
    }
    impl Observe for Summary {}
    #[derive(Clone, Copy, Debug)]
    pub struct Window {
        private: _,
    }
    impl Window {
        pub const fn quantiles(quantiles: &'static [f64]) -> Self {}
        #[must_use]
        pub const fn over(self, span: Duration) -> Self {}
    }
    pub trait Observe {
        fn observe(&self, value: f64);
    }
    #[derive(Debug)]
    #[must_use = "the time is recorded when this is dropped"]
    pub struct Timer<I: Deref<Target: Observe>> {
        private: _,
    }
    impl<I: Deref<Target: Observe>> Timer<I> {
        pub fn stop(mut self) -> Duration {}
        pub fn discard(mut self) {}
    }
    impl<I: Deref<Target: Observe>> Drop for Timer<I> {}
    pub trait Instrument: Describe {
        fn write(&self, out: &mut Families);
    }
    pub fn encode(
        instruments: &[&dyn Instrument],
        format: Format,
        escaping: Escaping,
    ) -> Vec<u8> {}
    #[derive(Clone)]
    pub struct Instruments(_);
    impl Instruments {
        pub fn new<const N: usize>(instruments: [&'static dyn Instrument; N]) -> Self {}
    }
    impl Collector for Instruments {}
    #[derive(Debug)]
    pub struct Metric<T> {
        private: _,
    }
    impl Metric<Counter> {
        pub const fn counter(name: &'static str, help: &'static str) -> Self {}
    }
    impl Metric<Gauge> {
        pub const fn gauge(name: &'static str, help: &'static str) -> Self {}
    }
    impl Metric<Histogram> {
        pub const fn histogram(
            name: &'static str,
            help: &'static str,
            buckets: Buckets,
        ) -> Self {}
    }
    impl Metric<Summary> {
        pub const fn summary(
            name: &'static str,
            help: &'static str,
            window: Window,
        ) -> Self {}
    }
    impl<T> Metric<T> {
        #[must_use]
        pub const fn with_unit(mut self, unit: &'static str) -> Self {}
    }
    impl<T> Deref for Metric<T> {
        type Target = T;
    }
    impl<T: Sync> Describe for Metric<T> {}
    impl<T: Value> Instrument for Metric<T> {}
    pub trait Value: sealed::Sealed + Sync {
        fn write(&self, labels: &[&str], out: &mut DynFamily<'_>);
    }
    pub trait Child: Value + Send + Sized {
        type Settings: Copy + std::fmt::Debug + Send + Sync;
        fn created(settings: Self::Settings, at: SystemTime) -> Self;
    }
}
pub mod manual {}
#[cfg(feature = "metrics")]
pub mod metrics {
    #[derive(Debug)]
    pub struct Recorder {
        private: _,
    }
    impl Recorder {
        pub const fn new() -> Self {}
        #[must_use]
        pub const fn at_most(mut self, max: usize) -> Self {}
        #[must_use]
        pub const fn with_buckets(mut self, buckets: Buckets) -> Self {}
        #[must_use]
        pub const fn with_buckets_by_name(
            mut self,
            buckets: &'static [(&'static str, Buckets)],
        ) -> Self {}
    }
    impl Default for Recorder {}
    impl facade::Recorder for Recorder {}
    impl Describe for Recorder {}
    impl Instrument for Recorder {}
}
#[cfg(feature = "push")]
pub mod push {
    #[derive(Debug)]
    #[must_use = "a run that is dropped at once has failed at once"]
    pub struct Run<'a> {
        private: _,
    }
    impl<'a> Run<'a> {
        pub fn succeeded(mut self) -> Result<(), PushError> {}
        pub fn failed(mut self) -> Result<(), PushError> {}
    }
    impl Drop for Run<'_> {}
    #[derive(Debug, thiserror::Error)]
    #[non_exhaustive]
    pub enum PushError {
        Connect { url: String, source: Box<ureq::Error> },
        Pem { what: &'static str, problem: String },
        Refused { url: String, status: u16, reason: String },
        Url(&'static str),
    }
    impl PushError {
        pub fn is_temporary(&self) -> bool {}
    }
    #[derive(Clone, Debug)]
    pub struct Pushgateway {
        private: _,
    }
    impl Pushgateway {
        pub fn builder(url: impl Into<String>) -> Builder {}
        pub fn group(&self, job: &str) -> Group {}
    }
    #[must_use]
    pub struct Builder {
        private: _,
    }
    impl std::fmt::Debug for Builder {}
    impl Builder {
        pub fn basic_auth(mut self, user: &str, password: &str) -> Self {}
        pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {}
        pub fn identity_pem(
            mut self,
            certificates: impl Into<Vec<u8>>,
            key: impl Into<Vec<u8>>,
        ) -> Self {}
        pub fn timeout(mut self, timeout: Duration) -> Self {}
        pub fn retries(mut self, retries: u32) -> Self {}
        pub fn build(self) -> Result<Pushgateway, PushError> {}
    }
    #[derive(Clone, Debug)]
    pub struct Group {
        private: _,
    }
    impl Group {
        #[must_use]
        pub fn label(mut self, name: &str, value: &str) -> Self {}
        pub fn push(&self, instruments: &[&dyn Instrument]) -> Result<(), PushError> {}
        pub fn add(&self, instruments: &[&dyn Instrument]) -> Result<(), PushError> {}
        pub fn delete(&self) -> Result<(), PushError> {}
        pub fn run<'a>(&self, instruments: &[&'a dyn Instrument]) -> Run<'a> {}
    }
}
#[cfg(feature = "serve")]
pub mod redact {
    pub fn redacted(text: &str) -> Cow<'_, str> {}
}
#[cfg(feature = "serve")]
pub mod registry {
    #[derive(Debug)]
    #[must_use = "a builder builds nothing until `build` is called"]
    pub struct Builder {
        private: _,
    }
    impl Builder {
        pub fn source(
            mut self,
            name: impl Into<Cow<'static, str>>,
            source: Source,
        ) -> Self {}
        pub fn collector(
            self,
            name: impl Into<Cow<'static, str>>,
            collector: impl Collector + 'static,
        ) -> Self {}
        pub fn instruments<const N: usize>(
            self,
            name: impl Into<Cow<'static, str>>,
            instruments: [&'static dyn Instrument; N],
        ) -> Self {}
        pub fn timing(
            mut self,
            duration: &'static Desc<'static, 1>,
            success: &'static Desc<'static, 1>,
        ) -> Self {}
        pub fn dropped_series(mut self) -> Self {}
        pub fn collector_timeout(mut self, timeout: Duration) -> Self {}
        pub fn append(
            mut self,
            write: impl Fn(&mut Families) + Send + Sync + 'static,
        ) -> Self {}
        pub fn build(self) -> Arc<Registry> {}
    }
    #[derive(Clone, Debug)]
    #[non_exhaustive]
    pub struct Last {
        pub elapsed: Duration,
        pub result: Result<(), String>,
        pub absent: bool,
    }
    #[derive(Clone, Debug)]
    #[non_exhaustive]
    pub struct Outcome {
        pub name: Cow<'static, str>,
        pub about: Cow<'static, str>,
        pub last: Option<Last>,
    }
    #[derive(Debug, thiserror::Error)]
    #[non_exhaustive]
    pub enum ScrapeError {
        Disabled(String),
        Late,
        Unknown(String),
    }
    #[derive(Clone, Debug)]
    #[non_exhaustive]
    pub struct ScrapeRequest {
        pub format: Format,
        pub escaping: Escaping,
        pub selection: Selection,
        pub deadline: Instant,
    }
    impl ScrapeRequest {
        pub fn new(deadline: Instant) -> Self {}
        #[must_use]
        pub fn format(self, format: Format, escaping: Escaping) -> Self {}
        #[must_use]
        pub fn selection(self, selection: Selection) -> Self {}
    }
    #[derive(Clone, Debug, Default, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Selection {
        All,
        Except(Vec<String>),
        Only(Vec<String>),
    }
    #[non_exhaustive]
    pub struct Settings {
        pub duration: Option<&'static Desc<'static, 1>>,
        pub success: Option<&'static Desc<'static, 1>>,
        pub label: &'static str,
        pub limit: Duration,
        pub concurrency: usize,
        pub created_lines: bool,
        pub absent: Option<&'static Desc<'static, 1>>,
        pub limits: OutputLimits,
        pub exposes_dropped: bool,
        pub ignores_unavailable: bool,
        pub own: Box<dyn Fn(&mut Families) + Send + Sync>,
    }
    impl Default for Settings {}
    impl Debug for Settings {}
    pub struct Registry {
        private: _,
    }
    impl Registry {
        pub fn builder() -> Builder {}
        pub fn build<Env>(
            enabled: &[&Definition<Env>],
            known: &[&Definition<Env>],
            env: &Env,
            flags: &Flags,
            settings: Settings,
        ) -> Result<Self, Error> {}
        #[must_use]
        pub fn with_precheck(mut self, precheck: Precheck) -> Self {}
        pub fn register(&self, name: impl Into<Cow<'static, str>>, source: Source) {}
        pub fn register_with_interval(
            &self,
            name: impl Into<Cow<'static, str>>,
            source: Source,
            interval: Duration,
        ) {}
        pub fn unregister(&self, name: &str) -> bool {}
        pub async fn scrape(
            self: &Arc<Self>,
            request: ScrapeRequest,
        ) -> Result<Bytes, ScrapeError> {}
        pub fn outcomes(&self) -> Vec<Outcome> {}
    }
    impl Debug for Registry {}
    impl Registry {
        pub async fn respond(
            self: &Arc<Self>,
            headers: &HeaderMap,
            query: Option<&str>,
        ) -> http::Response<Bytes> {}
    }
    pub struct Precheck {
        private: _,
    }
    impl Precheck {
        pub const fn new(
            name: &'static str,
            about: &'static str,
            source: Source,
        ) -> Self {}
    }
}
#[cfg(feature = "testing")]
pub mod testing {
    pub mod mutual_tls {
        #[derive(Debug)]
        pub struct Setup {
            private: _,
        }
        impl Setup {
            pub fn new(binary: &str, flags: &[&str], dir: &Path) -> Self {}
            pub fn connect_as_each_client(&self) {}
            pub fn scrape(&self, dir: &Path) -> Option<()> {}
        }
    }
    pub fn corpus(manifest_dir: &str, name: &str) -> Vec<Vec<u8>> {}
    pub fn fuzz(corpus: Vec<Vec<u8>>, check: impl Fn(&[u8])) {}
    pub fn collect(collector: &mut dyn Collector) -> (String, Result<(), Error>) {}
    pub async fn collect_async(
        collector: &mut dyn AsyncCollector,
    ) -> (String, Result<(), Error>) {}
    pub fn declared_is_exposed<Env>(def: &Definition<Env>, page: &str) {}
    pub fn expose<Env>(
        def: &Definition<Env>,
        env: &Env,
        flags: &Flags,
    ) -> (String, Result<(), Error>) {}
    pub async fn expose_async<Env>(
        def: &Definition<Env>,
        env: &Env,
        flags: &Flags,
    ) -> (String, Result<(), Error>) {}
    pub fn families(page: &str) -> BTreeSet<&str> {}
    pub fn golden(path: impl AsRef<Path>, text: &str) {}
    pub fn page(parts: &[Families]) -> Vec<u8> {}
    pub fn page_with_dropped(parts: &[Families]) -> (Vec<u8>, Vec<String>) {}
    pub fn manual<Env>(program: &Program<Env>, folder: impl AsRef<Path>) {}
    #[derive(Debug)]
    pub struct Authority {
        pub certificate: PathBuf,
        private: _,
    }
    impl Authority {
        pub fn new(dir: &Path, name: &str) -> Self {}
        pub fn issue(
            &self,
            dir: &Path,
            name: &str,
            kind: Kind,
            sans: &[&str],
        ) -> Identity {}
    }
    #[derive(Clone, Debug)]
    #[non_exhaustive]
    pub struct Identity {
        pub certificate: PathBuf,
        pub key: PathBuf,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Kind {
        Client,
        ExpiredClient,
        Server,
    }
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct Answer {
        pub status: u16,
        pub head: String,
        pub body: String,
    }
    #[derive(Debug)]
    pub struct Exporter {
        pub port: u16,
        private: _,
    }
    impl Exporter {
        pub fn start(binary: &str, flags: &[&str], dir: &Path) -> Self {}
        pub fn start_with(
            binary: &str,
            flags: &[&str],
            variables: &[(&str, &str)],
            dir: &Path,
        ) -> Self {}
        pub fn start_on_address(binary: &str, dir: &Path) -> Self {}
        pub fn pid(&self) -> u32 {}
        pub fn log(&self) -> String {}
        pub fn get(&self, path: &str) -> Answer {}
        pub fn send(&self, method: &str, path: &str) -> Answer {}
        pub fn signal(&self, name: &str) {}
        pub fn wait(&mut self, limit: Duration) -> ExitStatus {}
    }
    impl Drop for Exporter {}
    pub const MAX_WAIT: Duration = Duration::from_secs(120);
    pub fn get(
        stream: impl Read + Write,
        path: &str,
        headers: &[(&str, &str)],
    ) -> io::Result<Answer> {}
    pub fn until(mut condition: impl FnMut() -> bool, state: impl Fn() -> String) {}
    #[derive(Debug)]
    pub struct Prometheus {
        private: _,
    }
    impl Prometheus {
        pub fn start(dir: &Path, configuration: &str, flags: &[&str]) -> Option<Self> {}
        pub fn wait_for(&self, query: &str, jobs: &[&str]) -> Vec<f64> {}
        pub fn query(&self, query: &str) -> Vec<(String, f64)> {}
    }
    impl Drop for Prometheus {}
    pub fn check_with_promtool(page: &str) {}
    pub fn tool(variable: &str, name: &str) -> Option<String> {}
    pub fn reference<Env>(title: &str, collectors: &[&Definition<Env>]) -> String {}
    pub fn send_signal(pid: u32, name: &str) {}
    pub fn skip(reason: &str) {}
    pub fn special_files(
        binary: &str,
        flags: &[&str],
        variables: &[(&str, &str)],
        file: &Path,
        good: &str,
        expected: &str,
    ) {}
}
#[cfg(feature = "tower")]
pub mod tower {
    pub use self::body::MeasuredBody;
    #[derive(Clone, Copy, Debug)]
    pub struct HttpLayer<F> {
        private: _,
    }
    impl<S, F: Clone> Layer<S> for HttpLayer<F> {
        type Service = HttpService<S, F>;
    }
    #[derive(Clone, Copy, Debug)]
    pub struct HttpService<S, F> {
        private: _,
    }
    impl<S, F, A, B> Service<Request<A>> for HttpService<S, F>
    where
        S: Service<Request<A>, Response = Response<B>>,
        F: for<'a> Fn(&'a Uri, &'a Extensions) -> Option<&'a str>,
    {
        type Response = Response<MeasuredBody<B>>;
        type Error = S::Error;
        type Future = MeasuredFuture<S::Future>;
    }
    pub use self::service::MeasuredFuture;
    #[derive(Debug)]
    pub struct HttpMetrics {
        private: _,
    }
    impl HttpMetrics {
        pub const fn new() -> Self {}
        #[must_use]
        pub const fn with_buckets(mut self, buckets: Buckets) -> Self {}
        #[must_use]
        pub const fn at_most(mut self, max: usize) -> Self {}
        pub const fn layer<F>(&'static self, route: F) -> HttpLayer<F>
        where
            F: for<'a> Fn(&'a Uri, &'a Extensions) -> Option<&'a str>,
        {}
    }
    impl Default for HttpMetrics {}
    impl Describe for HttpMetrics {}
    impl Instrument for HttpMetrics {}
    pub const UNMATCHED: &str = "unmatched";
}
#[cfg(feature = "serve")]
pub mod web {
    pub async fn serve(
        site: Arc<Site>,
        listeners: Vec<Listener>,
        shutdown: impl Future,
    ) {}
    #[derive(Clone, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct ConfigError {
        pub file: PathBuf,
        pub line: Option<u64>,
        pub key: Option<String>,
        pub problem: String,
    }
    impl ConfigError {
        pub fn new(file: impl Into<PathBuf>, problem: impl Into<String>) -> Self {}
        #[must_use]
        pub fn with_line(self, line: Option<u64>) -> Self {}
        #[must_use]
        pub fn with_key(self, key: Option<String>) -> Self {}
        pub fn unreadable(file: &Path, error: &io::Error) -> Self {}
    }
    impl fmt::Display for ConfigError {}
    impl std::error::Error for ConfigError {}
    #[derive(Clone, Debug)]
    #[non_exhaustive]
    pub struct Limits {
        pub header: Duration,
        pub idle: Duration,
        pub stall: Duration,
        pub drain: Duration,
        pub connections: usize,
        pub connections_per_address: usize,
        pub handshakes: usize,
        pub unsent: usize,
        pub scrape: Duration,
        pub requests: usize,
    }
    impl Default for Limits {}
    #[derive(Debug, thiserror::Error)]
    #[non_exhaustive]
    pub enum ListenError {
        Address(String),
        Adopt(io::Error),
        Bind(String, io::Error),
        NotActivated,
    }
    #[derive(Debug)]
    pub struct Listener {
        private: _,
    }
    impl Listener {
        pub fn bind(addresses: &[String]) -> Result<Vec<Self>, ListenError> {}
        pub fn from_tcp(socket: net::TcpListener) -> io::Result<Self> {}
        pub fn from_unix(socket: StdUnixListener) -> io::Result<Self> {}
        pub fn bind_first_free(
            host: &str,
            ports: RangeInclusive<u16>,
        ) -> Result<Self, ListenError> {}
        pub fn from_systemd() -> Result<Vec<Self>, ListenError> {}
        pub fn local_addr(&self) -> Option<SocketAddr> {}
    }
    impl Display for Listener {}
    impl Drop for Listener {}
    #[derive(Clone)]
    pub struct ServerTls {
        private: _,
    }
    impl ServerTls {
        pub fn load(path: impl Into<PathBuf>) -> Result<Self, ConfigError> {}
        pub async fn watch(&self) {}
        pub async fn accept(
            &self,
            stream: TcpStream,
        ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<>> {}
    }
    impl fmt::Debug for ServerTls {}
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct Site {
        pub name: Cow<'static, str>,
        pub about: Cow<'static, str>,
        pub version: Cow<'static, str>,
        pub limits: Limits,
        pub telemetry_path: String,
        pub enable_lifecycle: bool,
        pub timeout_offset: Duration,
        private: _,
    }
    impl Site {
        pub fn new(
            name: impl Into<Cow<'static, str>>,
            exporter: impl Exporter + 'static,
        ) -> Self {}
        pub fn with_config_file(
            mut self,
            path: impl Into<PathBuf>,
        ) -> Result<Self, ConfigError> {}
        pub fn metrics(&self) -> impl Fn(&mut Families) + Send + Sync + 'static {}
        pub async fn serve(self, listeners: Vec<Listener>, shutdown: impl Future) {}
    }
}
pub mod desc {
    #[derive(Clone, Copy, Debug)]
    #[non_exhaustive]
    pub struct Desc<'a, const N: usize = 0> {
        pub name: &'a str,
        pub help: &'a str,
        pub kind: Kind,
        pub labels: [&'a str; N],
        private: _,
    }
    impl<'a, const N: usize> Desc<'a, N> {
        pub fn try_new(
            name: &'a str,
            help: &'a str,
            kind: Kind,
            labels: [&'a str; N],
        ) -> Option<Self> {}
        pub const fn counter(
            name: &'a str,
            help: &'a str,
            labels: [&'a str; N],
        ) -> Self {}
        pub const fn gauge(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {}
        pub const fn histogram(
            name: &'a str,
            help: &'a str,
            labels: [&'a str; N],
        ) -> Self {}
        pub const fn summary(
            name: &'a str,
            help: &'a str,
            labels: [&'a str; N],
        ) -> Self {}
        pub const fn info(name: &'a str, help: &'a str, labels: [&'a str; N]) -> Self {}
        pub const fn state_set(
            name: &'a str,
            help: &'a str,
            labels: [&'a str; N],
        ) -> Self {}
        pub const fn untyped(
            name: &'a str,
            help: &'a str,
            labels: [&'a str; N],
        ) -> Self {}
        #[must_use]
        pub const fn with_unit(self, unit: &'a str) -> Self {}
        pub const fn as_dyn(&self) -> DynDesc<'_> {}
    }
    impl<const N: usize> Desc<'static, N> {
        pub const fn column<Row>(
            self,
            value: fn(&Row) -> Option<f64>,
        ) -> Column<Row, N> {}
    }
    impl<const N: usize> Describe for Desc<'_, N> {}
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Kind {
        Counter,
        Gauge,
        Histogram,
        Info,
        StateSet,
        Summary,
        Untyped,
    }
    #[derive(Clone, Copy, Debug)]
    #[non_exhaustive]
    pub struct DynDesc<'a> {
        pub name: &'a str,
        pub help: &'a str,
        pub kind: Kind,
        pub labels: &'a [&'a str],
        private: _,
    }
    impl<'a> DynDesc<'a> {
        pub const fn new(
            name: &'a str,
            help: &'a str,
            kind: Kind,
            labels: &'a [&'a str],
        ) -> Self {}
        #[must_use]
        pub const fn with_name(self, name: &'a str) -> Self {}
        #[must_use]
        pub const fn with_help(self, help: &'a str) -> Self {}
        #[must_use]
        pub const fn with_kind(self, kind: Kind) -> Self {}
        #[must_use]
        pub const fn with_unit(self, unit: &'a str) -> Self {}
        #[must_use]
        pub const fn with_labels(self, labels: &'a [&'a str]) -> Self {}
    }
    impl Describe for DynDesc<'_> {}
    pub trait Describe: Sync {
        fn describe(&self, visit: &mut dyn FnMut(DynDesc<'_>));
    }
    impl<Row, const N: usize, const M: usize> Describe for [Column<Row, N>; M] {}
    impl<const N: usize, const M: usize> Describe
    for [(&'static str, Desc<'static, N>); M] {}
    #[derive(Debug)]
    #[non_exhaustive]
    pub struct Column<Row, const N: usize> {
        pub desc: Desc<'static, N>,
        pub value: fn(&Row) -> Option<f64>,
    }
    pub const fn is_metric_name(name: &str) -> bool {}
    pub const fn is_label_name(name: &str) -> bool {}
}
pub mod families {
    #[derive(Debug)]
    pub struct DynFamily<'a> {
        private: _,
    }
    impl DynFamily<'_> {
        pub fn sample(&mut self, labels: &[&str], value: f64) {}
        pub fn sample_at(&mut self, labels: &[&str], value: f64, at: SystemTime) {}
        pub fn counter(&mut self, labels: &[&str], value: &CounterValue<'_>) {}
        pub fn histogram(&mut self, labels: &[&str], value: &HistogramValue<'_>) {}
        pub fn summary(&mut self, labels: &[&str], value: &SummaryValue<'_>) {}
    }
    #[derive(Debug)]
    pub struct Family<'a, const N: usize> {
        private: _,
    }
    impl<const N: usize> Family<'_, N> {
        pub fn sample(&mut self, labels: [&str; N], value: f64) {}
        pub fn sample_at(&mut self, labels: [&str; N], value: f64, at: SystemTime) {}
        pub fn counter(&mut self, labels: [&str; N], value: &CounterValue<'_>) {}
        pub fn histogram(&mut self, labels: [&str; N], value: &HistogramValue<'_>) {}
        pub fn summary(&mut self, labels: [&str; N], value: &SummaryValue<'_>) {}
    }
    #[derive(Debug, Default)]
    pub struct Families {
        private: _,
    }
    impl Families {
        pub fn family<'a, const N: usize>(
            &'a mut self,
            desc: &'a Desc<'a, N>,
        ) -> Family<'a, N> {}
        pub fn open<'a>(&'a mut self, desc: DynDesc<'a>) -> DynFamily<'a> {}
        pub fn table<Row, const N: usize>(
            &mut self,
            columns: &[Column<Row, N>],
            rows: &[([&str; N], Row)],
        ) {}
    }
    impl Families {
        pub fn new(format: Format, escaping: Escaping) -> Self {}
        #[must_use]
        pub fn with_created_lines(mut self) -> Self {}
        pub fn set_precedence(&mut self, precedence: Precedence) {}
        pub fn time_left(&self) -> Option<Duration> {}
    }
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
    #[non_exhaustive]
    pub enum Precedence {
        Exporter,
        Collector,
        Guest,
    }
}
pub mod format {
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum Format {
        Text004,
        Text100,
        OpenMetrics,
        Protobuf,
    }
    impl Format {
        pub const fn content_type(self, escaping: Escaping) -> &'static str {}
    }
    impl Format {
        pub fn negotiate<'a>(
            accept: impl IntoIterator<Item = &'a str>,
        ) -> (Self, Escaping) {}
    }
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum Escaping {
        AllowUtf8,
        Dots,
        Underscores,
        Values,
    }
}
pub mod limits {
    pub type NamePredicate = Arc<dyn Fn(&str) -> bool + Send + Sync>;
    #[derive(Clone, Default)]
    #[non_exhaustive]
    pub struct OutputLimits {
        pub is_wanted: Option<NamePredicate>,
        pub max_series: Option<usize>,
    }
    impl Debug for OutputLimits {}
}
pub mod value {
    #[derive(Clone, Copy, Debug, Default)]
    #[non_exhaustive]
    pub struct CounterValue<'a> {
        pub value: f64,
        pub created: Option<SystemTime>,
        pub exemplar: Option<Exemplar<'a>>,
    }
    impl<'a> CounterValue<'a> {
        pub const fn new(value: f64) -> Self {}
        #[must_use]
        pub const fn with_created(self, created: SystemTime) -> Self {}
        #[must_use]
        pub const fn with_exemplar(self, exemplar: Exemplar<'a>) -> Self {}
    }
    #[derive(Clone, Copy, Debug, Default)]
    #[non_exhaustive]
    pub struct HistogramValue<'a> {
        pub count: u64,
        pub sum: f64,
        pub buckets: &'a [Bucket<'a>],
        pub native: Option<NativeBuckets<'a>>,
        pub exemplars: &'a [Exemplar<'a>],
        pub created: Option<SystemTime>,
    }
    impl<'a> HistogramValue<'a> {
        pub const fn new(count: u64, sum: f64) -> Self {}
        #[must_use]
        pub const fn with_buckets(self, buckets: &'a [Bucket<'a>]) -> Self {}
        #[must_use]
        pub const fn with_native(self, native: NativeBuckets<'a>) -> Self {}
        #[must_use]
        pub const fn with_exemplars(self, exemplars: &'a [Exemplar<'a>]) -> Self {}
        #[must_use]
        pub const fn with_created(self, created: SystemTime) -> Self {}
    }
    #[derive(Clone, Copy, Debug, Default)]
    #[non_exhaustive]
    pub struct Bucket<'a> {
        pub le: f64,
        pub count: u64,
        pub exemplar: Option<Exemplar<'a>>,
    }
    impl<'a> Bucket<'a> {
        pub const fn new(le: f64, count: u64) -> Self {}
        #[must_use]
        pub const fn with_exemplar(self, exemplar: Exemplar<'a>) -> Self {}
    }
    #[derive(Clone, Copy, Debug, Default)]
    #[non_exhaustive]
    pub struct NativeBuckets<'a> {
        pub schema: i32,
        pub zero_threshold: f64,
        pub zero_count: u64,
        pub negative: &'a [(i32, u64)],
        pub positive: &'a [(i32, u64)],
    }
    impl<'a> NativeBuckets<'a> {
        pub const fn new(schema: i32) -> Self {}
        #[must_use]
        pub const fn with_zero(self, threshold: f64, count: u64) -> Self {}
        #[must_use]
        pub const fn with_negative(self, negative: &'a [(i32, u64)]) -> Self {}
        #[must_use]
        pub const fn with_positive(self, positive: &'a [(i32, u64)]) -> Self {}
    }
    #[derive(Clone, Copy, Debug, Default)]
    #[non_exhaustive]
    pub struct SummaryValue<'a> {
        pub count: u64,
        pub sum: f64,
        pub quantiles: &'a [(f64, f64)],
        pub created: Option<SystemTime>,
    }
    impl<'a> SummaryValue<'a> {
        pub const fn new(count: u64, sum: f64) -> Self {}
        #[must_use]
        pub const fn with_quantiles(self, quantiles: &'a [(f64, f64)]) -> Self {}
        #[must_use]
        pub const fn with_created(self, created: SystemTime) -> Self {}
    }
    #[derive(Clone, Copy, Debug, Default)]
    #[non_exhaustive]
    pub struct Exemplar<'a> {
        pub labels: &'a [(&'a str, &'a str)],
        pub value: f64,
        pub at: Option<SystemTime>,
    }
    impl<'a> Exemplar<'a> {
        pub const fn new(labels: &'a [(&'a str, &'a str)], value: f64) -> Self {}
        #[must_use]
        pub const fn with_time(self, at: SystemTime) -> Self {}
    }
}
pub fn encode(
    instruments: &[&dyn Instrument],
    format: Format,
    escaping: Escaping,
) -> Vec<u8> {}
#[cfg(all(feature = "process", target_os = "linux"))]
pub mod file {
    #[derive(Debug)]
    pub struct OpenFile {
        private: _,
    }
    impl AsFd for OpenFile {}
    #[derive(Clone, Debug, Default)]
    pub struct OpenFileBudget(_);
    impl OpenFileBudget {
        pub fn keep(&self, file: OwnedFd) -> Option<OpenFile> {}
        pub fn slot(&self) -> Option<OpenSlot> {}
    }
    #[derive(Debug)]
    pub struct OpenSlot(_);
    impl Drop for OpenSlot {}
    #[derive(Clone, Debug, Default)]
    pub struct FileCache {
        private: _,
    }
    impl FileCache {
        pub fn of_process() -> Self {}
        pub fn read(&self, path: &Path, records: Records) -> io::Result<Vec<u8>> {}
        pub fn read_shared(
            &self,
            reader: &'static str,
            path: &Path,
            records: Records,
        ) -> io::Result<Vec<u8>> {}
        pub fn budget(&self) -> &OpenFileBudget {}
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum FileSystem {
        Kernel,
        Local,
    }
    impl FileSystem {
        pub fn of(file: impl AsFd) -> Option<Self> {}
    }
    pub fn open(path: &Path) -> io::Result<OwnedFd> {}
    pub fn read(path: &Path) -> io::Result<Vec<u8>> {}
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Records {
        Long,
        Short,
        Single,
    }
}
#[cfg(feature = "process")]
pub mod process {
    #[derive(Clone, Copy, Debug, Default)]
    pub struct ProcessMetrics;
    impl Describe for ProcessMetrics {}
    impl Instrument for ProcessMetrics {}
}
#[cfg(feature = "serve")]
pub mod log {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub enum Layout {
        Json,
        Logfmt,
    }
    impl FromStr for Layout {
        type Err = ();
    }
    pub fn init(program: &'static str, level: Level, layout: Layout) {}
}
#[cfg(feature = "serve")]
pub mod run {
    pub static CHECK: Flag = Flag::switch(
        "check",
        false,
        "Read all configuration, run each collector once, print the results, and exit.",
    );
    pub static COLLECTOR_TIMEOUT: Flag = Flag::text(
        "collector.timeout",
        "5s",
        "Time limit of a collector in a scrape.",
    );
    pub const BUILD_LABELS: [&str; 7] = [
        "version",
        "revision",
        "branch",
        "tags",
        "goversion",
        "goos",
        "goarch",
    ];
    #[derive(Clone)]
    #[non_exhaustive]
    pub struct Plan<Env: 'static> {
        pub flags: Flags,
        pub enabled: Vec<&'static Definition<Env>>,
        pub limit: Duration,
        private: _,
    }
    impl<Env: 'static> Plan<Env> {
        pub fn settings(&self) -> Settings {}
        pub fn registry(
            &self,
            env: &Env,
            settings: Settings,
        ) -> Result<Registry, Error> {}
        pub fn exporter(&self, env: &Env) -> Result<Arc<Registry>, Error> {}
        pub fn builder(&self) -> Builder {}
    }
    #[derive(Clone, Copy)]
    pub struct Program<Env: 'static> {
        private: _,
    }
    impl<Env: 'static> Program<Env> {
        pub const fn new(name: &'static str, version: &'static str, port: u16) -> Self {}
        #[must_use]
        pub const fn about(self, about: &'static str) -> Self {}
        #[must_use]
        pub const fn revision(self, revision: Option<&'static str>) -> Self {}
        #[must_use]
        pub const fn switch(self, switch: &'static str) -> Self {}
        #[must_use]
        pub const fn flags(self, flags: &'static [&'static Flag]) -> Self {}
        #[must_use]
        pub const fn collectors(
            self,
            collectors: &'static [&'static Definition<Env>],
        ) -> Self {}
        #[must_use]
        pub const fn timing(
            self,
            duration: &'static Desc<'static, 1>,
            success: &'static Desc<'static, 1>,
            label: &'static str,
        ) -> Self {}
        #[must_use]
        pub const fn absent(self, absent: &'static Desc<'static, 1>) -> Self {}
        #[must_use]
        pub const fn build_info(self, build_info: &'static Desc<'static, 7>) -> Self {}
    }
    impl<Env> Program<Env> {
        pub fn run<E: Exporter + 'static>(
            &'static self,
            open: impl FnOnce(Plan<Env>) -> Result<E, Error>,
        ) -> ExitCode {}
        pub fn run_with<E: Exporter + 'static>(
            &'static self,
            args: impl IntoIterator<Item = OsString>,
            open: impl FnOnce(Plan<Env>) -> Result<E, Error>,
        ) -> ExitCode {}
    }
}
#[cfg(feature = "serve")]
pub mod service {
    #[derive(Clone, Debug)]
    pub struct Notifier {
        private: _,
    }
    impl Notifier {
        pub fn from_env() -> Self {}
        pub fn ready(&self) {}
        pub fn status(&self, status: &str) {}
        pub fn reloading(&self) {}
        pub fn stopping(&self) {}
    }
    pub fn shutdown(
        site: Arc<Site>,
        notifier: Notifier,
    ) -> io::Result<impl Future<Output = ()>> {}
}
