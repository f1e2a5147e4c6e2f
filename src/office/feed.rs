//! Feeds: the records that one user's devices may have, in the order in which they changed (rules
//! F1 to F5).

mod page;
mod retention;
mod watch;

pub(super) use page::{Page, PageRequest, announce, is_light, page};
pub(super) use watch::FeedWatch;
