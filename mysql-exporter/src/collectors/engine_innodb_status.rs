//! Queries in InnoDB's monitor output: `SHOW ENGINE INNODB STATUS`.

use async_trait::async_trait;
use exporter_core::collector::{AsyncCollector, Error, Source};
use exporter_core::desc::Desc;
use exporter_core::families::Families;

use super::collector::{Definition, MysqlCollector};
use crate::db::Db;
use crate::grants::Privilege;

pub(super) static COLLECTOR: MysqlCollector = MysqlCollector {
    definition: Definition::new(
        "engine_innodb_status",
        "Queries and read views inside InnoDB",
        |db, _| Ok(Source::asynchronous(EngineInnodbStatus(db.clone()))),
    )
    .off_by_default()
    .reads(&["SHOW ENGINE INNODB STATUS"])
    .metrics(&[&INSIDE, &IN_QUEUE, &READ_VIEWS]),
    privileges: |_, _| vec![Privilege::global("PROCESS")],
};

static INSIDE: Desc =
    Desc::gauge("mysql_engine_innodb_queries_inside_innodb", "Queries inside InnoDB.", []);
static IN_QUEUE: Desc =
    Desc::gauge("mysql_engine_innodb_queries_in_queue", "Queries waiting to enter InnoDB.", []);
static READ_VIEWS: Desc = Desc::gauge(
    "mysql_engine_innodb_read_views_open_inside_innodb",
    "Read views open inside InnoDB.",
    [],
);

struct EngineInnodbStatus(Db);

#[async_trait]
impl AsyncCollector for EngineInnodbStatus {
    async fn collect(&mut self, out: &mut Families) -> Result<(), Error> {
        let result_set = self.0.query("SHOW ENGINE INNODB STATUS").await?;
        let status = result_set.rows.first().map(|row| row.text(2)).unwrap_or_default();
        for (desc, words) in [
            (&INSIDE, " queries inside InnoDB"),
            (&IN_QUEUE, " queries in queue"),
            (&READ_VIEWS, " read views open inside InnoDB"),
        ] {
            if let Some(number) = number_before(status, words) {
                out.family(desc).sample([], number);
            }
        }
        Ok(())
    }
}

/// The number before the given words.
fn number_before(text: &str, words: &str) -> Option<f64> {
    let (head, _) = text.split_once(words)?;
    let start = head.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |index| index + 1);
    head.get(start..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::number_before;

    #[test]
    fn numbers_before_words_are_parsed() {
        let text = "ROW OPERATIONS\n--------------\n3 queries inside InnoDB, 12 queries in queue\n\
                    1 read views open inside InnoDB\n";
        for (words, number) in [
            (" queries inside InnoDB", Some(3.0)),
            (" queries in queue", Some(12.0)),
            (" read views open inside InnoDB", Some(1.0)),
            (" no such words", None),
        ] {
            assert_eq!(number_before(text, words), number);
        }
        assert_eq!(number_before("é queries", " queries"), None);
    }
}
