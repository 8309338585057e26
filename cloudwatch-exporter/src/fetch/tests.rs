//! Fetches one after another, at times of our own, against a CloudWatch of our own.

use fake_cloudwatch::{Counters, Fake, Fault, Metric, Model, Operation, Values};

use std::sync::Mutex;

use super::*;
use crate::config::Config;

/// A fetch does not ask for what is known already; this is what one after another asks for.
struct Scene {
    fake: Fake,
    cloud: Cloud,
    rules: Vec<Rule>,
    results: Arc<Mutex<Vec<Arc<Results>>>>,
    now: u64,
}

impl Scene {
    async fn new(model: Model, config: &str) -> Self {
        let fake = Fake::start(model).unwrap();
        let cloud = Cloud::at(&fake.url()).await;
        let rules = Config::parse(config.as_bytes()).unwrap().rules;
        // Well within a period of five minutes.
        let now = crate::cache::now() / 300 * 300 - 3000 + 10;
        let results = Arc::new(Mutex::new(vec![Arc::default(); rules.len()]));
        Self { fake, cloud, rules, results, now }
    }

    /// Fetches what is due some seconds later, and gives what was asked for by then.
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

    /// Points that a page shows, rule by rule.
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
async fn a_period_is_paid_for_once() {
    let mut scene = Scene::new(grid(), &rules()).await;
    let asked = scene.after(0).await;
    assert_eq!((asked.list_metrics.received, asked.queries, asked.billed()), (2, 1500, 302));
    assert_eq!(scene.points(), [750, 750]);
    assert_eq!(scene.after(1).await.received(), 0);
    assert_eq!(scene.after(288).await.received(), 0);
    let asked = scene.after(1).await;
    assert_eq!(
        (asked.list_metrics.received, asked.queries),
        (2, 1500),
        "ten seconds to the period"
    );
}

#[tokio::test]
async fn what_failed_is_asked_for_again_and_no_more() {
    let mut scene = Scene::new(grid(), &rules()).await;
    scene
        .fake
        .inject(Fault::error(403, "AccessDenied", "No.").on(Operation::GetMetricData).only(2));
    scene.after(0).await;
    assert_eq!(scene.points().iter().sum::<usize>(), 1000);
    assert_eq!(scene.after(9).await.received(), 0, "not yet");
    let asked = scene.after(1).await;
    assert_eq!((asked.list_metrics.received, asked.get_metric_data.received), (0, 1));
    assert_eq!((asked.queries, scene.points()), (500, vec![750, 750]));
    assert_eq!(scene.after(1).await.received(), 0);
}

#[tokio::test]
async fn a_list_that_fails_is_asked_for_again_and_costs_no_datapoints_twice() {
    let mut scene = Scene::new(grid(), &rules()).await;
    scene.after(0).await;
    scene.fake.inject(Fault::throttle().on(Operation::ListMetrics).naming("Metric1").only(1));
    let asked = scene.after(300).await;
    assert_eq!((asked.list_metrics.received, asked.queries), (2, 1500), "the last list does");
    assert_eq!(scene.points(), [750, 750]);
    assert_eq!(scene.is_incomplete(), [false, true]);
    let asked = scene.after(10).await;
    assert_eq!((asked.list_metrics.received, asked.queries), (1, 0));
    assert_eq!(scene.points(), [750, 750]);
    assert_eq!(scene.is_incomplete(), [false, false]);
}

#[tokio::test]
async fn lists_are_kept_and_shared() {
    let config =
        "period_seconds: 60\nlist_metrics_cache_ttl: 300\nuse_get_metric_data: true\nmetrics:\n";
    let rule =
        "- {aws_namespace: G, aws_metric_name: Metric0, aws_dimensions: [Id], aws_statistics: [";
    let config = format!("{config}{rule}Sum]}}\n{rule}Average]}}\n");
    let mut scene = Scene::new(grid(), &config).await;
    let asked = scene.after(0).await;
    assert_eq!(
        (asked.list_metrics.received, asked.queries, asked.get_metric_data.billed),
        (1, 300, 150)
    );
    for _ in 0..4 {
        let asked = scene.after(60).await;
        assert_eq!((asked.list_metrics.received, asked.queries), (0, 300));
    }
    assert_eq!(scene.after(60).await.list_metrics.received, 1);
}

/// What there is nothing of is known as well as what there is.
#[tokio::test]
async fn an_empty_list_is_kept_too() {
    let config = "list_metrics_cache_ttl: 300\nmetrics: [{aws_namespace: G, aws_metric_name: Absent, \
                  aws_dimensions: [Id]}]";
    let mut scene = Scene::new(grid(), config).await;
    assert_eq!(scene.after(0).await.received(), 1);
    assert_eq!(scene.after(60).await.received(), 0);
    assert_eq!(scene.is_incomplete(), [false]);
}

#[tokio::test]
async fn each_rule_has_its_own_time() {
    let metric = Metric::new("G", "Alone");
    let config = "metrics:\n- {aws_namespace: G, aws_metric_name: Alone}\n\
                  - {aws_namespace: G, aws_metric_name: Alone, period_seconds: 300}\n";
    let mut scene = Scene::new(Model::new().metric(metric), config).await;
    let asked = |counters: Counters| counters.get_metric_statistics.received;
    assert_eq!(asked(scene.after(0).await), 2);
    assert_eq!(asked(scene.after(60).await), 1);
    assert_eq!(asked(scene.after(240).await), 2);
}

/// While a new period is fetched, and where that fails, the last one is shown for a while.
#[tokio::test]
async fn what_was_there_is_shown_until_there_is_something_newer() {
    let mut scene = Scene::new(grid(), &rules()).await;
    scene.after(0).await;
    let denied = || Fault::error(403, "AccessDenied", "No.");
    scene.fake.inject(denied().on(Operation::GetMetricData).only(1));
    scene.after(300).await;
    assert_eq!(scene.points(), [750, 750], "500 of them are of the period before");
    assert!(scene.is_incomplete().contains(&true));
    let oldest = |scene: &Scene| {
        let results = scene.results();
        let shown = |results: &Arc<Results>, at| match results.shown(at, scene.now) {
            Point::Value { millis, .. } => millis,
            _ => 0,
        };
        results.iter().flat_map(|one| (0..750).map(|at| shown(one, at)).collect::<Vec<_>>()).min()
    };
    let before = oldest(&scene).unwrap();
    scene.after(10).await;
    assert_eq!(oldest(&scene).unwrap(), before + 300_000);
    assert_eq!(scene.is_incomplete(), [false, false]);
    assert!(scene.results().iter().all(|results| results.previous.is_empty()));
}

/// AWS refuses a call of `GetMetricStatistics` for more datapoints than this.
#[tokio::test]
async fn a_long_range_is_asked_for_in_a_way_that_works() {
    let config = "range_seconds: 172800\nmetrics: [{aws_namespace: G, aws_metric_name: Alone}]";
    let model = || Model::new().metric(Metric::new("G", "Alone"));
    let mut scene = Scene::new(model(), config).await;
    let asked = scene.after(0).await;
    assert_eq!((asked.get_metric_data.answered, asked.get_metric_statistics.received), (1, 0));
    assert_eq!(scene.points(), [5]);
    let mut scene = Scene::new(model(), config).await;
    let denied = Fault::error(403, "AccessDenied", "Only statistics.");
    scene.fake.inject(denied.on(Operation::GetMetricData));
    let asked = scene.after(0).await;
    assert_eq!(asked.get_metric_statistics.answered, 1);
    assert_eq!(scene.points(), [5]);
}

/// Tags have a pace of their own, whatever is said of lists.
#[tokio::test]
async fn tags_are_refreshed_though_lists_are_kept() {
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
    let mut scene = Scene::new(model("id-0"), config).await;
    scene.after(0).await;
    let ids = |scene: &Scene| -> Vec<String> {
        scene.results()[0].sets.iter().map(|set| set.values[0].to_string()).collect()
    };
    assert_eq!(ids(&scene), ["id-0"]);
    scene.fake.set_model(model("id-1"));
    let asked = scene.after(300).await;
    assert_eq!((asked.list_metrics.received, asked.get_resources.received), (0, 1));
    assert_eq!((ids(&scene), scene.points()), (vec!["id-1".to_owned()], vec![5]));
}
