//! The accounts and regions to ask.

use exporter_core::config_file::line_of;
use serde_saphyr::Spanned;

use super::file::GivenAccount;
use super::{Fault, text_of};

/// One region of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// `None` where the file names no accounts: series then have no labels for them.
    pub(crate) account: Option<Account>,
    /// `None` leaves it to the environment.
    pub(crate) region: Option<String>,
    pub(crate) endpoints: Endpoints,
}

/// Which of the endpoints of AWS are called; `None` leaves it to the environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) fips: Option<bool>,
    /// Over IPv6 as well as over IPv4.
    pub(crate) dual_stack: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Empty for the one account of a file without a list of them.
    pub(crate) name: String,
    /// Twelve digits, where they are known.
    pub(crate) id: String,
    pub(crate) role: Option<Role>,
    /// Whether it is a monitoring account, to list the metrics of the accounts linked to it.
    pub(crate) is_linked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) external_id: Option<String>,
}

impl Target {
    /// Whether series carry the labels of accounts and regions.
    pub(crate) fn is_named(&self) -> bool {
        self.account.as_ref().is_some_and(|account| !account.name.is_empty())
    }

    /// As logs name it: `prod eu-west-1`.
    pub(crate) fn title(&self) -> String {
        let account = self.account.as_ref().map_or("", |account| &account.name);
        let region = self.region.as_deref().unwrap_or_default();
        [account, region]
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The target of a file without `accounts`.
pub(super) fn only(region: Option<String>, role_arn: Option<String>) -> Vec<Target> {
    let role = role_arn.map(|arn| Role { arn, external_id: None });
    let account = role.map(|role| Account { role: Some(role), ..Account::default() });
    vec![Target { account, region, endpoints: Endpoints::default() }]
}

/// Each region of each account.
pub(super) fn all(
    accounts: Vec<Spanned<GivenAccount>>,
    region: Option<&String>,
) -> Result<Vec<Target>, Fault> {
    let mut targets: Vec<Target> = Vec::new();
    for given in accounts {
        let line = line_of(&given).unwrap_or_default();
        let GivenAccount { name, account_id, role_arn, external_id, linked, regions } = given.value;
        let Some(name) = text_of(name, "accounts")? else {
            return Err(Fault::on(line, Some("accounts"), "each account needs a `name`"));
        };
        let is_known =
            |target: &Target| target.account.as_ref().is_some_and(|known| known.name == name);
        if targets.iter().any(is_known) {
            let problem = format!("there are two accounts called {name:?}");
            return Err(Fault::on(line, Some("accounts"), problem));
        }
        let arn = text_of(role_arn, "role_arn")?;
        let external_id = text_of(external_id, "external_id")?;
        if arn.is_none() && external_id.is_some() {
            let problem = "external_id is for a role; give a role_arn as well";
            return Err(Fault::on(line, Some("external_id"), problem));
        }
        if let Some(arn) = arn.as_ref().filter(|arn| !is_role(arn)) {
            let problem = format!("{arn:?} is not the ARN of a role, arn:aws:iam::ID:role/NAME");
            return Err(Fault::on(line, Some("role_arn"), problem));
        }
        let of_role = arn.as_ref().and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
        let account = Account {
            id: text_of(account_id, "account_id")?.or(of_role).unwrap_or_default(),
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
        return Err(Fault {
            line: None,
            key: Some("accounts"),
            problem: "is empty; leave it out, or name an account".into(),
        });
    }
    Ok(targets)
}

/// `arn:aws:iam::111111111111:role/NAME`, in any partition.
fn is_role(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, "iam", "", _, resource]
        if partition.starts_with("aws") && resource.starts_with("role/"))
}
