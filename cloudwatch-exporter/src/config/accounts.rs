//! The accounts and regions of the file.

use exporter_core::config_file::Fault;
use exporter_core::config_file::yaml::line_of;
use serde_saphyr::Spanned;

use super::file::{GivenAccount, not_empty};
use crate::target::{Account, Endpoints, Role, Target};

/// The target of a file without `accounts`.
pub(super) fn single_target(region: Option<String>, role_arn: Option<String>) -> Vec<Target> {
    let role = role_arn.map(|arn| Role { arn, external_id: None });
    let account = role.map(|role| Account { role: Some(role), ..Account::default() });
    vec![Target { account, region, endpoints: Endpoints::default() }]
}

/// The targets: each region of each account.
pub(super) fn targets(
    accounts: Vec<Spanned<GivenAccount>>,
    region: Option<&String>,
) -> Result<Vec<Target>, Fault> {
    let mut targets: Vec<Target> = Vec::new();
    for given in accounts {
        let line = line_of(&given).unwrap_or_default();
        let GivenAccount { name, account_id, role_arn, external_id, linked, regions } = given.value;
        let Some(name) = not_empty(name, "accounts")? else {
            return Err(Fault::new("accounts", Some(line), "each account needs a `name`"));
        };
        let is_known =
            |target: &Target| target.account.as_ref().is_some_and(|known| known.name == name);
        if targets.iter().any(is_known) {
            let problem = format!("there are two accounts called {name:?}");
            return Err(Fault::new("accounts", Some(line), problem));
        }
        let arn = not_empty(role_arn, "role_arn")?;
        let external_id = not_empty(external_id, "external_id")?;
        if arn.is_none() && external_id.is_some() {
            let problem = "external_id is for a role; give a role_arn as well";
            return Err(Fault::new("external_id", Some(line), problem));
        }
        if let Some(arn) = arn.as_ref().filter(|arn| !is_role(arn)) {
            let problem = format!("{arn:?} is not the ARN of a role, arn:aws:iam::ID:role/NAME");
            return Err(Fault::new("role_arn", Some(line), problem));
        }
        let of_role = arn.as_ref().and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
        let account = Account {
            id: not_empty(account_id, "account_id")?.or(of_role).unwrap_or_default(),
            role: arn.map(|arn| Role { arn, external_id }),
            is_linked: linked.is_some_and(|linked| linked.value),
            name,
        };
        let regions = regions.map(|regions| regions.value);
        let regions = match regions.as_deref() {
            Some([]) | None => vec![region.cloned()],
            Some(regions) => regions.iter().cloned().map(Some).collect(),
        };
        let target = |region| {
            let endpoints = Endpoints::default();
            Target { account: Some(account.clone()), region, endpoints }
        };
        targets.extend(regions.into_iter().map(target));
    }
    if targets.is_empty() {
        return Err(Fault::new("accounts", None, "is empty; leave it out, or name an account"));
    }
    Ok(targets)
}

/// `arn:aws:iam::111111111111:role/NAME`, in any partition.
fn is_role(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, "iam", "", _, resource]
        if partition.starts_with("aws") && resource.starts_with("role/"))
}

/// The names of the `accounts` of an entry, each of which must exist.
pub(super) fn account_names(
    given: Spanned<Vec<String>>,
    targets: &[Target],
) -> Result<Vec<String>, Fault> {
    let known: Vec<_> = targets.iter().filter_map(|target| target.account.as_ref()).collect();
    for name in &given.value {
        if !known.iter().any(|account| account.name == *name) {
            let problem = format!("there is no account called {name:?} in `accounts`");
            return Err(Fault::at(&given, "accounts", problem));
        }
    }
    Ok(given.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn accounts_and_regions_are_read() {
        let text = "labels: {env: live}\nbudget_dollars: 300\naccounts:\n- name: prod\n  role_arn: \
                    arn:aws-cn:iam::111111111111:role/a/monitoring\n  external_id: x\n  regions: [r1, r2]\n\
                    - {name: org, linked: true, account_id: '222222222222'}\nregion: r3\nmetrics:\n\
                    - {aws_namespace: A, aws_metric_name: B, accounts: [org]}\n";
        let config = Config::parse(text.as_bytes()).unwrap();
        let titles: Vec<_> = config.targets.iter().map(Target::title).collect();
        assert_eq!(titles, ["prod r1", "prod r2", "org r3"]);
        let account = |index: usize| config.targets[index].account.as_ref().unwrap();
        assert_eq!(account(0).id, "111111111111");
        assert_eq!(account(0).role.as_ref().unwrap().external_id.as_deref(), Some("x"));
        assert_eq!((account(2).id.as_str(), account(2).is_linked), ("222222222222", true));
        let applies: Vec<_> =
            config.targets.iter().map(|target| config.rules[0].applies_to(target)).collect();
        assert_eq!(applies, [false, false, true]);
        assert_eq!(config.labels, [("env".to_owned(), "live".to_owned())]);
        assert_eq!(config.budget, Some(300.0));
    }

    #[test]
    fn invalid_accounts_are_errors() {
        for (text, problem) in [
            ("accounts: []\nmetrics: []", "is empty"),
            ("accounts: [{regions: [a]}]\nmetrics: []", "needs a `name`"),
            ("accounts: [{name: a}, {name: a}]\nmetrics: []", "two accounts called \"a\""),
            ("accounts: [{name: a, role_arn: x}]\nmetrics: []", "not the ARN of a role"),
            ("accounts: [{name: a, external_id: x}]\nmetrics: []", "give a role_arn"),
            ("role_arn: x\naccounts: [{name: a}]\nmetrics: []", "without `accounts`"),
            (
                "metrics: [{aws_namespace: A, aws_metric_name: B, accounts: [b]}]",
                "no account called \"b\"",
            ),
            ("labels: {job: x}\nmetrics: []", "cannot be the name of a label"),
            ("labels: {a-b: x}\nmetrics: []", "cannot be the name of a label"),
            ("budget_dollars: -1\nmetrics: []", "more than 0"),
        ] {
            let fault = Config::parse(text.as_bytes()).unwrap_err();
            assert!(fault.problem.contains(problem), "{text}: {fault:?}");
        }
    }
}
