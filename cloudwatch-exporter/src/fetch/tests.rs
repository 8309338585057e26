//! Fetches one after another, at times of our own, against a CloudWatch of our own.

use fake_cloudwatch::{Counters, Fake, Fault, Metric, Model, Operation, Values};

use super::*;
use crate::config::Config;

/// A fetch does not ask for what is kept; this is what one after another asks for.
struct Scene {
    fake: Fake,
    cloud: Cloud,
    rules: Vec<Rule>,
    sheets: Vec<Arc<Sheet>>,
    now: u64,
}

impl Scene {
    async fn new(model: Model, config: &str) -> Self {
        let fake = Fake::start(model).unwrap();
        let cloud = Cloud::at(&fake.url()).await;
        let rules = Config::parse(config.as_bytes()).unwrap().rules;
        // Well within a period of five minutes.
        let now = crate::poll::now() / 300 * 300 - 3000 + 10;
        Self { fake, cloud, rules, sheets: Vec::new(), now }
    }

    /// Fetches some seconds later, and gives what was asked for by then.
    async fn after(&mut self, seconds: u64) -> Counters {
        self.now += seconds;
        self.fake.reset();
        let fetched = fetch(&self.cloud, &self.rules, &self.sheets, self.now, 4).await;
        self.sheets = fetched.sheets;
        self.fake.counters()
    }

    /// Points that are there, rule by rule.
    fn points(&self) -> Vec<usize> {
        let there = |point: &&Point| matches!(point, Point::At { .. });
        self.sheets.iter().map(|sheet| sheet.points.iter().filter(there).count()).collect()
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
    scene.fake.inject(Fault::throttle().on(Operation::GetMetricData).only(2));
    scene.after(0).await;
    assert_eq!(scene.points().iter().sum::<usize>(), 1000);
    assert_eq!(scene.after(59).await.received(), 0, "not yet");
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
    assert!(scene.sheets[1].is_incomplete && !scene.sheets[0].is_incomplete);
    let asked = scene.after(60).await;
    assert_eq!((asked.list_metrics.received, asked.queries), (1, 0));
    assert_eq!(scene.points(), [750, 750]);
    assert!(!scene.sheets[1].is_incomplete);
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
    assert!(!scene.sheets[0].is_incomplete);
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
