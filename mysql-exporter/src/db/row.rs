//! What a statement answers.

use exporter_core::desc::Column;
use exporter_core::families::Families;
use mysql_async::prelude::FromRow;
use mysql_async::{FromRowError, Value};

/// The rows of an answer, with the names of their columns.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One row, its values as the server writes them; None is NULL.
#[derive(Debug)]
pub(crate) struct Row(Vec<Option<String>>);

impl Row {
    /// The text of a column; NULL and a column that is not there are empty.
    pub(crate) fn text(&self, column: usize) -> &str {
        self.value(column).unwrap_or_default()
    }

    /// The number of a column, if it is one.
    pub(crate) fn number(&self, column: usize) -> Option<f64> {
        self.value(column)?.parse().ok()
    }

    /// The text of a column, unless it is NULL.
    pub(crate) fn value(&self, column: usize) -> Option<&str> {
        self.0.get(column)?.as_deref()
    }

    #[cfg(test)]
    pub(crate) fn of(values: &[&str]) -> Self {
        Self(values.iter().map(|value| Some((*value).to_owned())).collect())
    }
}

impl Answer {
    /// Writes a family for each of `columns`, with a sample for each row that has a value; the
    /// label values are in the columns at `labels`.
    pub(crate) fn table<const N: usize>(
        &self,
        out: &mut Families,
        columns: &[Column<Row, N>],
        labels: [usize; N],
    ) {
        for column in columns {
            let mut family = out.family(&column.desc);
            for row in &self.rows {
                if let Some(value) = (column.value)(row) {
                    family.sample(labels.map(|label| row.text(label)), value);
                }
            }
        }
    }

    /// The text of a column by its name, whatever the case.
    pub(crate) fn named<'a>(&self, row: &'a Row, name: &str) -> Option<&'a str> {
        let column = self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))?;
        row.value(column)
    }
}

impl FromRow for Row {
    fn from_row_opt(row: mysql_async::Row) -> Result<Self, FromRowError> {
        Ok(Self(row.unwrap().into_iter().map(text).collect()))
    }
}

/// A value of a statement without parameters: the server writes them all as text. What is not
/// UTF-8 is shown as far as it is.
fn text(value: Value) -> Option<String> {
    let Value::Bytes(bytes) = value else { return None };
    Some(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}
