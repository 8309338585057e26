//! `--check`: privileges that the configured user lacks for the enabled collectors.

use exporter_core::exporter::CheckLine;
use exporter_core::run::Plan;

use crate::collectors;
use crate::db::{Db, Error};
use crate::grants::Grants;

/// One line for the grants of the user, and one for each collector that lacks a privilege, with the
/// statement that grants it.
pub(crate) async fn grants(db: &Db, plan: &Plan<Db>) -> Vec<CheckLine> {
    match check_grants(db, plan).await {
        Ok(lines) => lines,
        Err(error) => vec![CheckLine::new(false, "grants", error.to_string())],
    }
}

async fn check_grants(db: &Db, plan: &Plan<Db>) -> Result<Vec<CheckLine>, Error> {
    let mut session = db.session().await?;
    let server = session.server().clone();
    let user = session.query("SELECT CURRENT_USER()").await?;
    let user = user.rows.first().map(|row| row.text(0).to_owned()).unwrap_or_default();
    let grants = session.query("SHOW GRANTS").await?;
    let grants = Grants::parse(grants.rows.iter().map(|row| row.text(0)));
    let mut lines = Vec::new();
    for def in &plan.enabled {
        let required = collectors::privileges(def.name, &server, &plan.flags);
        for privilege in required.iter().filter(|privilege| !grants.include(privilege)) {
            let subject = format!("collector {}", def.name);
            lines.push(CheckLine::new(
                false,
                subject,
                format!("lacks a grant: GRANT {privilege} TO {};", quoted(&user)),
            ));
        }
    }
    if lines.is_empty() {
        lines.push(CheckLine::new(true, "grants", format!("{user} has all required privileges")));
    }
    Ok(lines)
}

/// `user@host`, each in quotes. A user name may contain an @, a host name cannot.
fn quoted(account: &str) -> String {
    let (user, host) = account.rsplit_once('@').unwrap_or((account, "%"));
    format!("'{}'@'{}'", user.replace('\'', "''"), host.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn accounts_are_quoted() {
        assert_eq!(quoted("exporter@127.0.0.1"), "'exporter'@'127.0.0.1'");
        assert_eq!(quoted("a@b'c@%"), "'a@b''c'@'%'");
    }
}
