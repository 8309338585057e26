//! The parts that all samples of a family have in common, encoded once for the format.

/// Consecutive pieces of bytes. The allocation is reused for the next family.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Frame {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Appends to the last piece.
    pub(crate) fn add(&mut self, bytes: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(bytes.as_ref());
    }

    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends the last piece.
    pub(crate) fn close(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// The pieces in order, followed by an infinite number of empty ones.
    pub(crate) fn pieces(&self) -> Pieces<'_> {
        Pieces { bytes: &self.bytes, ends: &self.ends, start: 0 }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pieces<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
    start: usize,
}

impl<'a> Pieces<'a> {
    pub(crate) fn next(&mut self) -> &'a [u8] {
        let Some((&end, rest)) = self.ends.split_first() else { return &[] };
        let piece = self.bytes.get(self.start..end).unwrap_or_default();
        (self.start, self.ends) = (end, rest);
        piece
    }
}
