//! CBOR for the protocol RPC v2.

use std::convert::Infallible;

use minicbor::data::{IanaTag, Type};
use minicbor::{Decoder, Encoder, decode, encode};

use crate::metric::Dimension;

pub(crate) type Encoded = Result<(), encode::Error<Infallible>>;
pub(crate) type Writer = Encoder<Vec<u8>>;

/// Calls `field` for each non-null value of a map. `field` must skip unknown fields.
pub(crate) fn fields<'b>(
    decoder: &mut Decoder<'b>,
    mut field: impl FnMut(&'b str, &mut Decoder<'b>) -> Result<(), decode::Error>,
) -> Result<(), decode::Error> {
    let mut remaining = decoder.map()?;
    while has_next(decoder, &mut remaining)? {
        let name = decoder.str()?;
        if decoder.datatype()? == Type::Null {
            decoder.null()?;
        } else {
            field(name, decoder)?;
        }
    }
    Ok(())
}

pub(crate) fn list<'b, T>(
    decoder: &mut Decoder<'b>,
    mut item: impl FnMut(&mut Decoder<'b>) -> Result<T, decode::Error>,
) -> Result<Vec<T>, decode::Error> {
    let mut remaining = decoder.array()?;
    let mut items = Vec::new();
    while has_next(decoder, &mut remaining)? {
        items.push(item(decoder)?);
    }
    Ok(items)
}

/// Whether a map or an array has another item. `remaining` is `None` for an indefinite length, which a break ends.
fn has_next(decoder: &mut Decoder<'_>, remaining: &mut Option<u64>) -> Result<bool, decode::Error> {
    match remaining {
        Some(0) => Ok(false),
        Some(remaining) => {
            *remaining -= 1;
            Ok(true)
        }
        None if decoder.datatype()? == Type::Break => {
            decoder.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

pub(crate) fn text(decoder: &mut Decoder<'_>) -> Result<String, decode::Error> {
    decoder.str().map(str::to_owned)
}

/// Unix seconds, rounded down and limited to the years 1970 to 9999.
#[expect(clippy::cast_possible_truncation, reason = "values out of range become the nearest time")]
pub(crate) fn time(decoder: &mut Decoder<'_>) -> Result<i64, decode::Error> {
    if decoder.tag()? != IanaTag::Timestamp.tag() {
        return Err(decode::Error::message("a time is tagged 1"));
    }
    let unix = match decoder.datatype()? {
        Type::F16 | Type::F32 | Type::F64 => decoder.f64()?.floor() as i64,
        _ => decoder.i64()?,
    };
    Ok(unix.clamp(0, 253_402_300_799))
}

pub(crate) fn dimension(decoder: &mut Decoder<'_>) -> Result<Dimension, decode::Error> {
    let mut dimension = Dimension::default();
    fields(decoder, |name, decoder| {
        match name {
            "Name" => dimension.name = text(decoder)?,
            "Value" => dimension.value = text(decoder)?,
            _ => decoder.skip()?,
        }
        Ok(())
    })?;
    Ok(dimension)
}

pub(crate) fn write_time(writer: &mut Writer, unix: i64) -> Encoded {
    writer.tag(IanaTag::Timestamp)?.f64(unix as f64)?;
    Ok(())
}

pub(crate) fn write_dimensions(writer: &mut Writer, dimensions: &[Dimension]) -> Encoded {
    writer.array(dimensions.len() as u64)?;
    for dimension in dimensions {
        writer.map(2)?.str("Name")?.str(&dimension.name)?.str("Value")?.str(&dimension.value)?;
    }
    Ok(())
}

/// A map with its `NextToken` replaced.
pub(crate) fn with_token(page: &[u8], token: &str) -> Option<Vec<u8>> {
    let mut writer = Writer::new(Vec::with_capacity(page.len() + token.len() + 16));
    writer.begin_map().ok()?.str("NextToken").ok()?.str(token).ok()?;
    let mut decoder = Decoder::new(page);
    let mut remaining = decoder.map().ok()?;
    while has_next(&mut decoder, &mut remaining).ok()? {
        let start = decoder.position();
        let name = decoder.str().ok()?;
        decoder.skip().ok()?;
        if name != "NextToken" {
            writer.writer_mut().extend_from_slice(page.get(start..decoder.position())?);
        }
    }
    writer.end().ok()?;
    Some(writer.into_writer())
}

/// `__type` and `message`.
pub(crate) fn error(shape: &str, message: &str) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    let body = |writer: &mut Writer| -> Encoded {
        writer.map(2)?.str("__type")?.str(shape)?.str("message")?.str(message)?;
        Ok(())
    };
    // Writing to memory does not fail; if it did, clients would reject the empty body.
    if body(&mut writer).is_err() { Vec::new() } else { writer.into_writer() }
}
