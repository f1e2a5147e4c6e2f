//! A phone's workspace against the real office.

mod damage;
mod drafts;
mod list;
mod office_edits;
mod retention;
mod rounds;
mod signals;
mod start;
