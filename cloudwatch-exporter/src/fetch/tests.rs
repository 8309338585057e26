//! Consecutive fetches with a simulated clock, from a fake CloudWatch.

use fake_cloudwatch::{Counters, Fake, Fault, Metric, Model, Operation, Values};

use std::sync::Mutex;

use super::*;
use crate::config::Config;

/// The requests of consecutive fetches, which must not repeat known results.
struct Fixture {
    fake: Fake,
    cloud: Cloud,
    rules: Vec<Rule>,
    results: Arc<Mutex<Vec<Arc<Results>>>>,
    now: u64,
}

impl Fixture {
    async fn new(model: Model, config: &str) -> Self {
        let fake = Fake::start(model).unwrap();
        let cloud = Cloud::at(&fake.url()).await;
        let rules = Config::parse(config.as_bytes()).unwrap().rules;
        // Well within a period of five minutes.
        let now = crate::cache::now() / 300 * 300 - 3000 + 10;
        let results = Arc::new(Mutex::new(vec![Arc::default(); rules.len()]));
        Self { fake, cloud, rules, results, now }
    }

    /// Fetches the due rules some seconds later, and returns the requests so far.
    async fn after(&mut self, seconds: u64) -> Counters {
        self.now += seconds;
        self.fake.reset();
        let known = self.results();
        let due = (0..known.len()).filter(|at| known[*at].good_until <= self.now).collect();
        let job = Job {
            rules: &self.rules,
            due,
            known: known.into_iter().enumerate().collect(),
            stretch: BTreeMap::new(),
            now: self.now,
            concurrency: 4,
            scrape: 60,
        };
        let results = Arc::clone(&self.results);
        let publish = |at: usize, new: Results| results.lock().unwrap()[at] = Arc::new(new);
        fetch(&self.cloud, job, &publish).await;
        self.fake.counters()
    }

    fn results(&self) -> Vec<Arc<Results>> {
        self.results.lock().unwrap().clone()
    }

    fn is_incomplete(&self) -> Vec<bool> {
        self.results().iter().map(|results| results.is_incomplete).collect()
    }

    /// The points that a page shows, rule by rule.
    fn points(&self) -> Vec<usize> {
        let shown = |results: &Results| {
            let shown = (0..results.points.len()).map(|at| results.shown(at, self.now));
            shown.filter(|point| matches!(point, Point::Value { .. })).count()
        };
        self.results().iter().map(|results| shown(results)).collect()
    }
}

const DATA: &str = "use_get_metric_data: true\nperiod_seconds: 300\nmetrics:\n";

fn grid() -> Model {
    Model::new().grid("G", 2, 150, &Values::Constant(1.0))
}

fn rules() -> String {
    let rule =
        |n| format!("- {{aws_namespace: G, aws_metric_name: Metric{n}, aws_dimensions: [Id]}}\n");
    format!("{DATA}{}{}", rule(0), rule(1))
}

#[tokio::test]
async fn each_period_is_fetched_once() {
    let mut fixture = Fixture::new(grid(), &rules()).await;
    let asked = fixture.after(0).await;
    assert_eq!((asked.list_metrics.received, asked.queries, asked.billed()), (2, 1500, 302));
    assert_eq!(fixture.points(), [750, 750]);
    assert_eq!(fixture.after(1).await.received(), 0);
    assert_eq!(fixture.after(288).await.received(), 0);
    let asked = fixture.after(1).await;
    assert_eq!(
        (asked.list_metrics.received, asked.queries),
        (2, 1500),
        "ten seconds to the period"
    );
}

#[tokio::test]
async fn only_failed_queries_are_retried() {
    let mut fixture = Fixture::new(grid(), &rules()).await;
    fixture
        .fake
        .inject(Fault::error(403, "AccessDenied", "No.").on(Operation::GetMetricData).only(2));
    fixture.after(0).await;
    assert_eq!(fixture.points().iter().sum::<usize>(), 1000);
    assert_eq!(fixture.after(9).await.received(), 0, "not yet");
    let asked = fixture.after(1).await;
    assert_eq!((asked.list_metrics.received, asked.get_metric_data.received), (0, 1));
    assert_eq!((asked.queries, fixture.points()), (500, vec![750, 750]));
    assert_eq!(fixture.after(1).await.received(), 0);
}

#[tokio::test]
async fn a_failed_list_is_retried_without_fetching_datapoints_twice() {
    let mut fixture = Fixture::new(grid(), &rules()).await;
    fixture.after(0).await;
    fixture.fake.inject(Fault::throttle().on(Operation::ListMetrics).naming("Metric1").only(1));
    let asked = fixture.after(300).await;
    assert_eq!((asked.list_metrics.received, asked.queries), (2, 1500), "the last list does");
    assert_eq!(fixture.points(), [750, 750]);
    assert_eq!(fixture.is_incomplete(), [false, true]);
    let asked = fixture.after(10).await;
    assert_eq!((asked.list_metrics.received, asked.queries), (1, 0));
    assert_eq!(fixture.points(), [750, 750]);
    assert_eq!(fixture.is_incomplete(), [false, false]);
}

#[tokio::test]
async fn lists_are_kept_and_shared() {
    let config =
        "period_seconds: 60\nlist_metrics_cache_ttl: 300\nuse_get_metric_data: true\nmetrics:\n";
    let rule =
        "- {aws_namespace: G, aws_metric_name: Metric0, aws_dimensions: [Id], aws_statistics: [";
    let config = format!("{config}{rule}Sum]}}\n{rule}Average]}}\n");
    let mut fixture = Fixture::new(grid(), &config).await;
    let asked = fixture.after(0).await;
    assert_eq!(
        (asked.list_metrics.received, asked.queries, asked.get_metric_data.billed),
        (1, 300, 150)
    );
    for _ in 0..4 {
        let asked = fixture.after(60).await;
        assert_eq!((asked.list_metrics.received, asked.queries), (0, 300));
    }
    assert_eq!(fixture.after(60).await.list_metrics.received, 1);
}

/// An empty result is a result.
#[tokio::test]
async fn empty_lists_are_kept() {
    let config = "list_metrics_cache_ttl: 300\nmetrics: [{aws_namespace: G, aws_metric_name: Absent, \
                  aws_dimensions: [Id]}]";
    let mut fixture = Fixture::new(grid(), config).await;
    assert_eq!(fixture.after(0).await.received(), 1);
    assert_eq!(fixture.after(60).await.received(), 0);
    assert_eq!(fixture.is_incomplete(), [false]);
}

#[tokio::test]
async fn each_rule_has_its_own_schedule() {
    let metric = Metric::new("G", "Alone");
    let config = "metrics:\n- {aws_namespace: G, aws_metric_name: Alone}\n\
                  - {aws_namespace: G, aws_metric_name: Alone, period_seconds: 300}\n";
    let mut fixture = Fixture::new(Model::new().metric(metric), config).await;
    let asked = |counters: Counters| counters.get_metric_statistics.received;
    assert_eq!(asked(fixture.after(0).await), 2);
    assert_eq!(asked(fixture.after(60).await), 1);
    assert_eq!(asked(fixture.after(240).await), 2);
}

/// While a new period is fetched or cannot be fetched, the previous one is shown for a while.
#[tokio::test]
async fn previous_points_are_shown_until_newer_ones_arrive() {
    let mut fixture = Fixture::new(grid(), &rules()).await;
    fixture.after(0).await;
    let denied = || Fault::error(403, "AccessDenied", "No.");
    fixture.fake.inject(denied().on(Operation::GetMetricData).only(1));
    fixture.after(300).await;
    assert_eq!(fixture.points(), [750, 750], "500 of them are of the period before");
    assert!(fixture.is_incomplete().contains(&true));
    let oldest = |fixture: &Fixture| {
        let results = fixture.results();
        let shown = |results: &Arc<Results>, at| match results.shown(at, fixture.now) {
            Point::Value { millis, .. } => millis,
            _ => 0,
        };
        results.iter().flat_map(|one| (0..750).map(|at| shown(one, at)).collect::<Vec<_>>()).min()
    };
    let before = oldest(&fixture).unwrap();
    fixture.after(10).await;
    assert_eq!(oldest(&fixture).unwrap(), before + 300_000);
    assert_eq!(fixture.is_incomplete(), [false, false]);
    assert!(fixture.results().iter().all(|results| results.previous.is_empty()));
}

/// AWS rejects a call of `GetMetricStatistics` for more datapoints.
#[tokio::test]
async fn a_long_range_uses_get_metric_data() {
    let config = "range_seconds: 172800\nmetrics: [{aws_namespace: G, aws_metric_name: Alone}]";
    let model = || Model::new().metric(Metric::new("G", "Alone"));
    let mut fixture = Fixture::new(model(), config).await;
    let asked = fixture.after(0).await;
    assert_eq!((asked.get_metric_data.answered, asked.get_metric_statistics.received), (1, 0));
    assert_eq!(fixture.points(), [5]);
    let mut fixture = Fixture::new(model(), config).await;
    let denied = Fault::error(403, "AccessDenied", "Only statistics.");
    fixture.fake.inject(denied.on(Operation::GetMetricData));
    let asked = fixture.after(0).await;
    assert_eq!(asked.get_metric_statistics.answered, 1);
    assert_eq!(fixture.points(), [5]);
}

/// Tags have their own interval, independent of that of lists.
#[tokio::test]
async fn tags_are_refreshed_while_lists_are_kept() {
    let arn = |id: &str| format!("arn:aws:ec2:eu-west-1:123456789012:instance/{id}");
    let model = |tagged: &str| {
        let resources =
            ["id-0", "id-1"].map(|id| (arn(id), if id == tagged { "yes" } else { "no" }));
        resources
            .into_iter()
            .fold(grid(), |model, (arn, value)| model.resource(arn, &[("Monitored", value)]))
    };
    let config = "list_metrics_cache_ttl: 86400\nperiod_seconds: 300\nuse_get_metric_data: true\n\
                  metrics: [{aws_namespace: G, aws_metric_name: Metric0, aws_dimensions: [Id], \
                  aws_tag_select: {resource_type_selection: 'ec2:instance', resource_id_dimension: Id, \
                  tag_selections: {Monitored: ['yes']}}}]";
    let mut fixture = Fixture::new(model("id-0"), config).await;
    fixture.after(0).await;
    let ids = |fixture: &Fixture| -> Vec<String> {
        fixture.results()[0].sets.iter().map(|set| set.values[0].to_string()).collect()
    };
    assert_eq!(ids(&fixture), ["id-0"]);
    fixture.fake.set_model(model("id-1"));
    let asked = fixture.after(300).await;
    assert_eq!((asked.list_metrics.received, asked.get_resources.received), (0, 1));
    assert_eq!((ids(&fixture), fixture.points()), (vec!["id-1".to_owned()], vec![5]));
}
