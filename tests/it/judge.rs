//! The office's judge: which changes of a device it accepts.

mod authority;
mod dice;
mod forge;
mod groups;
mod hands;
mod histories;
mod history;
mod malicious;
mod signatures;
