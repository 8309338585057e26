//! The format of a page, with its options.

use std::time::Instant;

use crate::exposition::families::Families;
use crate::exposition::format::{Escaping, Format};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Encoding {
    pub(super) format: Format,
    pub(super) escaping: Escaping,
    pub(super) created_lines: bool,
}

impl Encoding {
    /// An empty sink in this format.
    pub(super) fn families(self, deadline: Instant) -> Families {
        let mut families = Families::new(self.format, self.escaping);
        families.created_lines = self.created_lines;
        families.deadline = Some(deadline);
        families
    }
}
