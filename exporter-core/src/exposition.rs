//! The output of collectors, and the formats of a page.

pub mod desc;
pub mod families;
pub mod format;
mod frame;
mod hash;
pub mod limits;
mod name;
mod negotiate;
mod number;
mod page;
mod protobuf;
mod text;
pub mod value;

pub(crate) use self::page::*;
