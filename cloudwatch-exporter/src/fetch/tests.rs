//! Consecutive fetches with a simulated clock, from a fake CloudWatch.

use fake_cloudwatch::{Counters, Fake, Fault, Metric, Model, Operation, Values};

use std::sync::Mutex;

use super::*;
use crate::config::Config;

/// Runs consecutive fetches, and counts their requests.
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
        let cloud = Cloud::with_endpoint(&fake.url()).await;
        let rules = Config::parse(config.as_bytes()).unwrap().rules;
        // Ten seconds after the start of a period of five minutes.
        let now = crate::cache::now() / 300 * 300 - 3000 + 10;
        let results = Arc::new(Mutex::new(vec![Arc::default(); rules.len()]));
        Self { fake, cloud, rules, results, now }
    }

    /// Advances the clock, fetches the due rules, and returns the requests of this fetch.
    async fn fetch_after(&mut self, seconds: u64) -> Counters {
        self.now += seconds;
        self.fake.reset();
        let known = self.results();
        let due = (0..known.len()).filter(|index| known[*index].valid_until <= self.now).collect();
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
        let publish = |rule: usize, new: Results| results.lock().unwrap()[rule] = Arc::new(new);
        fetch(&self.cloud, job, &publish).await;
        self.fake.counters()
    }

    fn results(&self) -> Vec<Arc<Results>> {
        self.results.lock().unwrap().clone()
    }

    fn is_incomplete(&self) -> Vec<bool> {
        self.results().iter().map(|results| results.is_incomplete).collect()
    }

    /// The number of exposed points of each rule.
    fn points(&self) -> Vec<usize> {
        let exposed = |results: &Results| {
            let points =
                (0..results.points.len()).map(|index| results.exposed_point(index, self.now));
            points.filter(|point| matches!(point, Point::Value { .. })).count()
        };
        self.results().iter().map(|results| exposed(results)).collect()
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
    let counters = fixture.fetch_after(0).await;
    assert_eq!(
        (counters.list_metrics.received, counters.queries, counters.billed()),
        (2, 1500, 302)
    );
    assert_eq!(fixture.points(), [750, 750]);
    assert_eq!(fixture.fetch_after(1).await.received(), 0);
    assert_eq!(fixture.fetch_after(288).await.received(), 0);
    let counters = fixture.fetch_after(1).await;
    assert_eq!(
        (counters.list_metrics.received, counters.queries),
        (2, 1500),
        "the next period has begun"
    );
}

#[tokio::test]
async fn only_failed_queries_are_retried() {
    let mut fixture = Fixture::new(grid(), &rules()).await;
    fixture
        .fake
        .inject(Fault::error(403, "AccessDenied", "No.").on(Operation::GetMetricData).only(2));
    fixture.fetch_after(0).await;
    assert_eq!(fixture.points().iter().sum::<usize>(), 1000);
    assert_eq!(fixture.fetch_after(9).await.received(), 0, "not yet");
    let counters = fixture.fetch_after(1).await;
    assert_eq!((counters.list_metrics.received, counters.get_metric_data.received), (0, 1));
    assert_eq!((counters.queries, fixture.points()), (500, vec![750, 750]));
    assert_eq!(fixture.fetch_after(1).await.received(), 0);
}

#[tokio::test]
async fn a_failed_list_is_retried_without_fetching_datapoints_twice() {
    let mut fixture = Fixture::new(grid(), &rules()).await;
    fixture.fetch_after(0).await;
    fixture.fake.inject(Fault::throttle().on(Operation::ListMetrics).naming("Metric1").only(1));
    let counters = fixture.fetch_after(300).await;
    assert_eq!(
        (counters.list_metrics.received, counters.queries),
        (2, 1500),
        "the previous list is used"
    );
    assert_eq!(fixture.points(), [750, 750]);
    assert_eq!(fixture.is_incomplete(), [false, true]);
    let counters = fixture.fetch_after(10).await;
    assert_eq!((counters.list_metrics.received, counters.queries), (1, 0));
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
    let counters = fixture.fetch_after(0).await;
    assert_eq!(
        (counters.list_metrics.received, counters.queries, counters.get_metric_data.billed),
        (1, 300, 150)
    );
    for _ in 0..4 {
        let counters = fixture.fetch_after(60).await;
        assert_eq!((counters.list_metrics.received, counters.queries), (0, 300));
    }
    assert_eq!(fixture.fetch_after(60).await.list_metrics.received, 1);
}

/// An empty list is not requested again before its lifetime ends.
#[tokio::test]
async fn empty_lists_are_kept() {
    let config = "list_metrics_cache_ttl: 300\nmetrics: [{aws_namespace: G, aws_metric_name: Absent, \
                  aws_dimensions: [Id]}]";
    let mut fixture = Fixture::new(grid(), config).await;
    assert_eq!(fixture.fetch_after(0).await.received(), 1);
    assert_eq!(fixture.fetch_after(60).await.received(), 0);
    assert_eq!(fixture.is_incomplete(), [false]);
}

#[tokio::test]
async fn each_rule_has_its_own_schedule() {
    let metric = Metric::new("G", "Alone");
    let config = "metrics:\n- {aws_namespace: G, aws_metric_name: Alone}\n\
                  - {aws_namespace: G, aws_metric_name: Alone, period_seconds: 300}\n";
    let mut fixture = Fixture::new(Model::new().metric(metric), config).await;
    let received = |counters: Counters| counters.get_metric_statistics.received;
    assert_eq!(received(fixture.fetch_after(0).await), 2);
    assert_eq!(received(fixture.fetch_after(60).await), 1);
    assert_eq!(received(fixture.fetch_after(240).await), 2);
}

/// While a new period cannot be fetched, the previous one is exposed for a while.
#[tokio::test]
async fn previous_points_are_exposed_until_newer_ones_arrive() {
    let mut fixture = Fixture::new(grid(), &rules()).await;
    fixture.fetch_after(0).await;
    let denied = || Fault::error(403, "AccessDenied", "No.");
    fixture.fake.inject(denied().on(Operation::GetMetricData).only(1));
    fixture.fetch_after(300).await;
    assert_eq!(fixture.points(), [750, 750], "500 of them are of the previous period");
    assert!(fixture.is_incomplete().contains(&true));
    let oldest = |fixture: &Fixture| {
        let results = fixture.results();
        let millis = |results: &Arc<Results>, index| match results.exposed_point(index, fixture.now)
        {
            Point::Value { millis, .. } => millis,
            _ => 0,
        };
        let of_rule = |results| (0..750).map(|index| millis(results, index)).collect::<Vec<_>>();
        results.iter().flat_map(of_rule).min()
    };
    let before = oldest(&fixture).unwrap();
    fixture.fetch_after(10).await;
    assert_eq!(oldest(&fixture).unwrap(), before + 300_000);
    assert_eq!(fixture.is_incomplete(), [false, false]);
    assert!(fixture.results().iter().all(|results| results.previous.is_empty()));
}

/// AWS rejects calls of `GetMetricStatistics` for so many datapoints.
#[tokio::test]
async fn a_long_range_uses_get_metric_data() {
    let config = "range_seconds: 172800\nmetrics: [{aws_namespace: G, aws_metric_name: Alone}]";
    let model = || Model::new().metric(Metric::new("G", "Alone"));
    let mut fixture = Fixture::new(model(), config).await;
    let counters = fixture.fetch_after(0).await;
    assert_eq!(
        (counters.get_metric_data.answered, counters.get_metric_statistics.received),
        (1, 0)
    );
    assert_eq!(fixture.points(), [5]);
    let mut fixture = Fixture::new(model(), config).await;
    let denied = Fault::error(403, "AccessDenied", "Only statistics.");
    fixture.fake.inject(denied.on(Operation::GetMetricData));
    let counters = fixture.fetch_after(0).await;
    assert_eq!(counters.get_metric_statistics.answered, 1);
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
    fixture.fetch_after(0).await;
    let ids = |fixture: &Fixture| -> Vec<String> {
        fixture.results()[0].sets.iter().map(|set| set.values[0].to_string()).collect()
    };
    assert_eq!(ids(&fixture), ["id-0"]);
    fixture.fake.set_model(model("id-1"));
    let counters = fixture.fetch_after(300).await;
    assert_eq!((counters.list_metrics.received, counters.get_resources.received), (0, 1));
    assert_eq!((ids(&fixture), fixture.points()), (vec!["id-1".to_owned()], vec![5]));
}
