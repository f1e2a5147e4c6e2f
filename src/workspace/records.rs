//! Records on the device: their entries, the list, drafts, cards, and the rules of conduct.

pub(super) mod cards;
pub(super) mod conduct;
pub(super) mod drafts;
pub(super) mod entries;
pub(super) mod entry;
pub(super) mod listing;
pub(super) mod outbox;
mod practice;
pub(super) mod problem;
