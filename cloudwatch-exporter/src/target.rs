//! Targets: the regions of accounts, from which metrics are fetched.

/// One region of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// `None` if the file has no accounts. Series have no labels for accounts then.
    pub(crate) account: Option<Account>,
    /// `None` uses the region of the environment.
    pub(crate) region: Option<String>,
    pub(crate) endpoints: Endpoints,
}

/// The endpoints of AWS to use; `None` uses the setting of the environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Endpoints {
    pub(crate) fips: Option<bool>,
    /// Endpoints with IPv6 as well as IPv4.
    pub(crate) dual_stack: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Empty for the only account of a file without `accounts`.
    pub(crate) name: String,
    /// Twelve digits, or empty if unknown.
    pub(crate) id: String,
    pub(crate) role: Option<Role>,
    /// Whether it is a monitoring account that also lists the metrics of linked accounts.
    pub(crate) is_linked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) external_id: Option<String>,
}

impl Target {
    /// Whether series have labels for accounts and regions.
    pub(crate) fn is_named(&self) -> bool {
        self.account.as_ref().is_some_and(|account| !account.name.is_empty())
    }

    /// The name in logs: `prod eu-west-1`.
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
