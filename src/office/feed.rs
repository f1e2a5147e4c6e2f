//! Feeds: the records that one user's devices may have, in the order in which they changed (rules
//! F1 to F5).

mod page;
mod retention;

pub(super) use page::{PageRequest, page};
