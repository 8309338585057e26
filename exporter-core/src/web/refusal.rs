//! Stand-in until the web configuration is merged.

use std::io;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    Other,
    PlainHttp,
    Timeout,
}

impl Refusal {
    pub const ALL: [Self; 3] = [Self::Other, Self::PlainHttp, Self::Timeout];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::PlainHttp => "plain_http",
            Self::Timeout => "timeout",
        }
    }

    pub fn of(_error: &io::Error) -> Self {
        Self::Other
    }
}
