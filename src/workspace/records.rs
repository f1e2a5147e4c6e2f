//! Records on the device: their entries, the list, drafts, cards, and the rules of conduct.

pub(super) mod cards;
pub(super) mod conduct;
pub(super) mod drafts;
pub(super) mod entry;
pub(super) mod listing;
mod practice;
