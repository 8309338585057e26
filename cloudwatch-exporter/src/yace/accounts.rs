//! Converts roles and regions of jobs to accounts.

use serde::Serialize;

use super::mapping::{Mapping, Report};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Account {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    regions: Vec<String>,
}

/// An account for each combination of a role and a list of regions.
#[derive(Debug, Default)]
pub(super) struct Accounts(Vec<Account>);

impl Accounts {
    /// Adds the accounts of a job. Returns their names.
    pub(super) fn add(&mut self, job: &mut Mapping, report: &mut Report) -> Vec<String> {
        let regions = job.texts("regions");
        let mut roles: Vec<_> = job
            .list("roles", report)
            .into_iter()
            .map(|mut role| {
                let pair = (role.text("roleArn"), role.text("externalId"));
                role.report_rest(report);
                pair
            })
            .collect();
        if roles.is_empty() {
            roles.push((None, None));
        }
        roles.into_iter().map(|(arn, id)| self.name(arn, id, &regions)).collect()
    }

    fn name(
        &mut self,
        role_arn: Option<String>,
        external_id: Option<String>,
        regions: &[String],
    ) -> String {
        let known = self.0.iter().find(|known| {
            known.role_arn == role_arn
                && known.external_id == external_id
                && known.regions == regions
        });
        if let Some(known) = known {
            return known.name.clone();
        }
        let account = role_arn.as_deref().and_then(|arn| arn.split(':').nth(4));
        let base = account.filter(|id| !id.is_empty()).unwrap_or("own").to_owned();
        let mut name = base.clone();
        let mut number = 1;
        while self.0.iter().any(|known| known.name == name) {
            number += 1;
            name = format!("{base}-{number}");
        }
        let regions = regions.to_vec();
        self.0.push(Account { name: name.clone(), role_arn, external_id, regions });
        name
    }

    pub(super) fn all(self) -> Vec<Account> {
        self.0
    }
}
