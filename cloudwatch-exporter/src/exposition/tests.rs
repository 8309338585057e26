use super::*;

#[test]
fn conflicting_labels_get_a_suffix() {
    let names = ["Instance", "Job", "a-b", "a_b"].map(str::to_owned);
    assert_eq!(labels(&names, Naming::Java), ["instance", "job_", "a_b", "a_b_"]);
    let mut labels = Labels::new(vec!["job".to_owned(), "instance".to_owned()], Naming::Java);
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Arc<[_]>>();
    let (one, other) = (list(&["Instance", "Job"]), list(&["Other", "Job"]));
    labels.add(&one);
    labels.add(&other);
    assert_eq!(labels.names, ["job", "instance", "job_", "other"]);
    assert_eq!(
        labels.dimension_positions(&one),
        [1, 2],
        "a dimension `instance` is the label `instance`"
    );
    assert_eq!(labels.dimension_positions(&other), [3, 2]);
}

#[test]
fn outdated_results_are_not_exposed() {
    let rule = crate::rule::tests::rule("A", "M", &["D"]);
    let results = |fetched_at| Results { valid_until: 1000, fetched_at, ..Results::default() };
    assert!(!is_too_old(&rule, &results(Some(900)), 1300));
    assert!(is_too_old(&rule, &results(Some(900)), 1301));
    assert!(!is_too_old(&rule, &results(None), 9999), "its first fetch is in progress");
}
