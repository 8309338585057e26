//! Result sets: the columns and rows of a statement, as text.

use bytes::Bytes;
use exporter_core::desc::Column;
use exporter_core::families::Families;

use super::error::Error;
use super::error_packet;
use super::packet::{MAX_STATUS_PACKET, PacketStream};
use super::payload::{self, Payload};

/// The names of the columns, and the rows.
#[derive(Debug, Default)]
pub(crate) struct ResultSet {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

/// One row, with its values in the text format of the server.
#[derive(Debug)]
pub(crate) struct Row {
    /// The packet: length-encoded strings, all of them valid UTF-8.
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
const MAX_COLUMN_DEFINITION: usize = 4 << 10;

impl Row {
    /// The text of a column; empty for NULL and for missing columns.
    pub(crate) fn text(&self, column: usize) -> &str {
        self.value(column).unwrap_or_default()
    }

    /// The value of a column, if it is a number.
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
            payload.length_encoded_string().ok()?;
        }
        payload.length_encoded_string().ok()?
    }

    #[cfg(test)]
    pub(crate) fn from_values(values: &[&str]) -> Self {
        let packet: Vec<_> =
            values.iter().flat_map(|value| length_encoded_string(value.as_bytes())).collect();
        Self::parse(packet.into(), values.len()).unwrap()
    }

    /// Checks a row packet. Invalid UTF-8 is replaced.
    fn parse(packet: Bytes, columns: usize) -> Result<Self, Error> {
        let mut payload = Payload::new(&packet);
        let mut is_valid = true;
        for _ in 0..columns {
            if let Some(value) = payload.length_encoded_string()? {
                is_valid &= value.is_ascii() || str::from_utf8(value).is_ok();
            }
        }
        if is_valid {
            return Ok(Self { packet });
        }
        let mut payload = Payload::new(&packet);
        let mut replaced = Vec::with_capacity(packet.len());
        for _ in 0..columns {
            payload::push_length_encoded_string(
                &mut replaced,
                payload
                    .length_encoded_string()?
                    .map(String::from_utf8_lossy)
                    .as_deref()
                    .map(str::as_bytes),
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
    /// Writes a family for each of `columns`, with a sample for each row that has a value. `labels`
    /// are the positions of the columns with the label values.
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

    /// The text of a column by its name, ignoring case. `None` for NULL and for missing columns.
    pub(crate) fn value_by_name<'a>(&self, row: &'a Row, name: &str) -> Option<&'a str> {
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
    let first = packets.read(MAX_STATUS_PACKET).await?;
    let count = match first.first() {
        Some(0x00) => return Ok(ResultSet::default()),
        Some(0xff) => return Err(error_packet::parse(&first)),
        Some(0xfb) => return Err(Error::FileRequested),
        _ => column_count(&first)?,
    };
    let mut columns = Vec::new();
    for _ in 0..count {
        columns.push(column_name(&packets.read(MAX_COLUMN_DEFINITION).await?)?);
    }
    if !deprecate_eof {
        match &packets.read(MAX_STATUS_PACKET).await?[..] {
            [0xfe, ..] => {}
            packet @ [0xff, ..] => return Err(error_packet::parse(packet)),
            _ => return Err(Error::Malformed("the end of the columns")),
        }
    }
    let mut result_set = ResultSet { columns, rows: Vec::new() };
    let mut remaining = MAX_BYTES;
    loop {
        let packet = packets.read(remaining).await.map_err(|error| match error {
            Error::TooLarge(_) => TOO_LARGE,
            other => other,
        })?;
        match packet.first() {
            Some(0xff) => return Err(error_packet::parse(&packet)),
            // 0xfe also begins a row whose first value is at least 16 MiB long; such a row is longer
            // than any end packet.
            Some(0xfe) if is_end_packet(&packet, deprecate_eof) => return Ok(result_set),
            _ => {}
        }
        let row = Row::parse(packet.freeze(), result_set.columns.len())?;
        remaining = remaining.checked_sub(row.size()).ok_or(TOO_LARGE)?;
        result_set.rows.push(row);
    }
}

/// Whether a packet that begins with 0xfe ends the result set.
fn is_end_packet(packet: &[u8], deprecate_eof: bool) -> bool {
    packet.len() < if deprecate_eof { 0xff_ffff } else { 9 }
}

fn column_count(packet: &[u8]) -> Result<u64, Error> {
    match Payload::new(packet).length_encoded_integer()? {
        Some(count @ 1..=MAX_COLUMNS) => Ok(count),
        _ => Err(Error::Malformed("the number of columns")),
    }
}

/// The name of a column in the statement.
fn column_name(packet: &[u8]) -> Result<String, Error> {
    let mut payload = Payload::new(packet);
    // Catalog, schema, table, and the original table.
    for _ in 0..4 {
        payload.length_encoded_string()?;
    }
    let name = payload.length_encoded_string()?.unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
fn length_encoded_string(text: &[u8]) -> Vec<u8> {
    let mut packet = Vec::new();
    payload::push_length_encoded_string(&mut packet, Some(text));
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_parsed() {
        let string = length_encoded_string;
        let packet = [&string(b"a")[..], &[0xfb], &string(b"12.5"), &string(b"\xff")].concat();
        let row = Row::parse(packet.clone().into(), 4).unwrap();
        assert_eq!((row.value(0), row.value(1), row.value(4)), (Some("a"), None, None));
        assert_eq!((row.text(1), row.text(3), row.number(2)), ("", "\u{fffd}", Some(12.5)));
        assert!(Row::parse(packet.into(), 5).is_err());
    }
}
