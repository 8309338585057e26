//! Result sets: the columns and rows of a statement, as text.

use bytes::Bytes;
use exporter_core::desc::Column;
use exporter_core::families::Families;

use super::error::Error;
use super::error_packet;
use super::packet::{PacketStream, STATUS_LIMIT};
use super::payload::{self, Payload};

/// The rows of a result set, with the names of their columns.
#[derive(Debug, Default)]
pub(crate) struct ResultSet {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One row, with its values in the text format of the server.
#[derive(Debug)]
pub(crate) struct Row {
    /// The packet: each value with its length before it. All values are valid UTF-8.
    packet: Bytes,
}

/// The maximum memory of a result set in bytes, including its overhead.
const MAX_BYTES: usize = 32 << 20;
const TOO_LARGE: Error = Error::TooLarge(
    "32 MiB of rows, which is the limit: limit the collector by its flags, or disable it",
);
/// The maximum number of columns in a result set.
const MAX_COLUMNS: u64 = 4096;
/// The maximum size of a column definition, which has six names of up to 64 characters.
const MAX_DEFINITION: usize = 4 << 10;

impl Row {
    /// The text of a column; empty for NULL and for missing columns.
    pub(crate) fn text(&self, column: usize) -> &str {
        self.value(column).unwrap_or_default()
    }

    /// The number of a column, if it is one.
    pub(crate) fn number(&self, column: usize) -> Option<f64> {
        self.value(column)?.parse().ok()
    }

    /// The text of a column, unless it is NULL.
    pub(crate) fn value(&self, column: usize) -> Option<&str> {
        str::from_utf8(self.bytes(column)?).ok()
    }

    fn bytes(&self, column: usize) -> Option<&[u8]> {
        let mut payload = Payload::new(&self.packet);
        for _ in 0..column {
            payload.string().ok()?;
        }
        payload.string().ok()?
    }

    #[cfg(test)]
    pub(crate) fn of(values: &[&str]) -> Self {
        let packet: Vec<_> = values.iter().flat_map(|value| string(value.as_bytes())).collect();
        Self::parse(packet.into(), values.len()).unwrap()
    }

    /// Checks a row packet. Invalid UTF-8 is replaced.
    fn parse(packet: Bytes, columns: usize) -> Result<Self, Error> {
        let mut payload = Payload::new(&packet);
        let mut is_valid = true;
        for _ in 0..columns {
            if let Some(value) = payload.string()? {
                is_valid &= value.is_ascii() || str::from_utf8(value).is_ok();
            }
        }
        if is_valid {
            return Ok(Self { packet });
        }
        let mut payload = Payload::new(&packet);
        let mut replaced = Vec::with_capacity(packet.len());
        for _ in 0..columns {
            payload::push_string(
                &mut replaced,
                payload.string()?.map(String::from_utf8_lossy).as_deref().map(str::as_bytes),
            );
        }
        Ok(Self { packet: replaced.into() })
    }

    /// The approximate memory of a row.
    fn size(&self) -> usize {
        self.packet.len() + size_of::<Self>()
    }
}

impl ResultSet {
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

    /// The text of a column by its name, ignoring case.
    pub(crate) fn named<'a>(&self, row: &'a Row, name: &str) -> Option<&'a str> {
        let column = self.columns.iter().position(|column| column.eq_ignore_ascii_case(name))?;
        row.value(column)
    }

    /// The row of a variable, as `SHOW VARIABLES` and `SHOW STATUS` list them, ignoring case.
    pub(crate) fn variable(&self, name: &str) -> Option<&Row> {
        let is_wanted = |value: &[u8]| value.eq_ignore_ascii_case(name.as_bytes());
        self.rows.iter().find(|row| row.bytes(0).is_some_and(is_wanted))
    }
}

/// Reads the response to a statement.
pub(super) async fn read(
    packets: &mut PacketStream,
    deprecate_eof: bool,
) -> Result<ResultSet, Error> {
    let head = packets.read(STATUS_LIMIT).await?;
    let count = match head.first() {
        Some(0x00) => return Ok(ResultSet::default()),
        Some(0xff) => return Err(error_packet::parse(&head)),
        Some(0xfb) => return Err(Error::FileRequested),
        _ => column_count(&head)?,
    };
    let mut columns = Vec::new();
    for _ in 0..count {
        columns.push(column_name(&packets.read(MAX_DEFINITION).await?)?);
    }
    if !deprecate_eof {
        match &packets.read(STATUS_LIMIT).await?[..] {
            [0xfe, ..] => {}
            packet @ [0xff, ..] => return Err(error_packet::parse(packet)),
            _ => return Err(Error::Malformed("the end of the columns")),
        }
    }
    let mut result_set = ResultSet { columns, rows: Vec::new() };
    let mut left = MAX_BYTES;
    loop {
        let packet = packets.read(left).await.map_err(|error| match error {
            Error::TooLarge(_) => TOO_LARGE,
            other => other,
        })?;
        match packet.first() {
            Some(0xff) => return Err(error_packet::parse(&packet)),
            // A row that begins with a value this long is longer than any end packet.
            Some(0xfe) if is_end(&packet, deprecate_eof) => return Ok(result_set),
            _ => {}
        }
        let row = Row::parse(packet.freeze(), result_set.columns.len())?;
        left = left.checked_sub(row.size()).ok_or(TOO_LARGE)?;
        result_set.rows.push(row);
    }
}

fn is_end(packet: &[u8], deprecate_eof: bool) -> bool {
    packet.len() < if deprecate_eof { 0xff_ffff } else { 9 }
}

fn column_count(packet: &[u8]) -> Result<u64, Error> {
    match Payload::new(packet).length()? {
        Some(count @ 1..=MAX_COLUMNS) => Ok(count),
        _ => Err(Error::Malformed("the number of columns")),
    }
}

/// The name of a column in the statement.
fn column_name(packet: &[u8]) -> Result<String, Error> {
    let mut payload = Payload::new(packet);
    // Catalog, schema, table, and the original table.
    for _ in 0..4 {
        payload.string()?;
    }
    let name = payload.string()?.unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
fn string(text: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    payload::push_string(&mut packet, Some(text));
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_parsed() {
        let packet = [&string(b"a")[..], &[0xfb], &string(b"12.5"), &string(b"\xff")].concat();
        let row = Row::parse(packet.clone().into(), 4).unwrap();
        assert_eq!((row.value(0), row.value(1), row.value(4)), (Some("a"), None, None));
        assert_eq!((row.text(1), row.text(3), row.number(2)), ("", "\u{fffd}", Some(12.5)));
        assert!(Row::parse(packet.into(), 5).is_err());
    }
}
