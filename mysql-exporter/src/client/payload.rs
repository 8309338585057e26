//! The values in the payload of a packet.

use super::error::Error;

/// Reads values from the start of a payload. Reading past the end is an error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payload<'a>(&'a [u8]);

impl<'a> Payload<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let Some((bytes, rest)) = self.0.split_at_checked(length) else { return Err(TOO_SHORT) };
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        // Not with ok_or, which would drop an unused error for each value of a result set.
        let Some((bytes, rest)) = self.0.split_first_chunk() else { return Err(TOO_SHORT) };
        self.0 = rest;
        Ok(*bytes)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }

    /// A length-encoded integer; `None` is NULL.
    pub(super) fn length_encoded_integer(&mut self) -> Result<Option<u64>, Error> {
        Ok(Some(match self.u8()? {
            0xfb => return Ok(None),
            0xfc => self.u16()?.into(),
            0xfd => {
                let [a, b, c] = self.array()?;
                u32::from_le_bytes([a, b, c, 0]).into()
            }
            0xfe => self.array().map(u64::from_le_bytes)?,
            0xff => return Err(Error::Malformed("a length")),
            small => small.into(),
        }))
    }

    /// A length-encoded string; `None` is NULL.
    pub(super) fn length_encoded_string(&mut self) -> Result<Option<&'a [u8]>, Error> {
        let Some(length) = self.length_encoded_integer()? else { return Ok(None) };
        let length = usize::try_from(length).map_err(|_| TOO_SHORT)?;
        self.bytes(length).map(Some)
    }

    /// A string that ends with a NUL, without the NUL.
    pub(super) fn null_terminated_string(&mut self) -> Result<&'a [u8], Error> {
        let end = self.0.iter().position(|byte| *byte == 0).ok_or(TOO_SHORT)?;
        let text = self.bytes(end)?;
        self.u8()?;
        Ok(text)
    }

    /// The bytes that were not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }
}

/// Appends a length-encoded string; `None` is NULL.
pub(super) fn push_length_encoded_string(packet: &mut Vec<u8>, text: Option<&[u8]>) {
    let Some(text) = text else {
        packet.push(0xfb);
        return;
    };
    let [a, b, c, ..] = (text.len() as u64).to_le_bytes();
    match text.len() {
        0..=250 => packet.push(a),
        251..=0xffff => packet.extend([0xfc, a, b]),
        0x1_0000..=0xff_ffff => packet.extend([0xfd, a, b, c]),
        length => {
            packet.push(0xfe);
            packet.extend((length as u64).to_le_bytes());
        }
    }
    packet.extend(text);
}

const TOO_SHORT: Error = Error::Malformed("it ends too early");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_encoded_integers_are_parsed() {
        for (bytes, length) in [
            (&[250][..], Some(Some(250))),
            (&[0xfb], Some(None)),
            (&[0xfc, 1, 2], Some(Some(0x201))),
            (&[0xfd, 1, 2, 3], Some(Some(0x3_0201))),
            (&[0xfe, 1, 0, 0, 0, 0, 0, 0, 1], Some(Some((1 << 56) + 1))),
            (&[0xfe, 1, 0, 0, 0, 0, 0, 0], None),
            (&[0xfc, 1], None),
            (&[0xff], None),
            (&[], None),
        ] {
            assert_eq!(Payload::new(bytes).length_encoded_integer().ok(), length, "{bytes:?}");
        }
    }

    #[test]
    fn written_strings_are_parsed() {
        for length in [0, 250, 251, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000] {
            let (text, mut packet) = (vec![b'x'; length], Vec::new());
            push_length_encoded_string(&mut packet, Some(&text));
            push_length_encoded_string(&mut packet, None);
            let mut payload = Payload::new(&packet);
            assert!(payload.length_encoded_string().unwrap() == Some(&text), "{length}");
            assert_eq!(payload.length_encoded_string().unwrap(), None, "{length}");
            assert!(payload.rest().is_empty(), "{length}");
        }
    }

    #[test]
    fn strings_past_the_end_of_the_packet_are_errors() {
        for (bytes, text) in [
            (&[2, b'a', b'b', b'c'][..], Some(Some(&b"ab"[..]))),
            (&[0], Some(Some(b""))),
            (&[0xfb], Some(None)),
            (&[3, b'a'], None),
            (&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, b'a'], None),
        ] {
            assert_eq!(Payload::new(bytes).length_encoded_string().ok(), text, "{bytes:?}");
        }
        assert_eq!(Payload::new(b"ab\0c").null_terminated_string().ok(), Some(&b"ab"[..]));
        assert!(Payload::new(b"ab").null_terminated_string().is_err());
    }
}
