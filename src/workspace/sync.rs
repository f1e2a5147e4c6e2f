//! The device's side of sync: the link, rounds, replies, repair, refused work and revocation.

mod apply;
pub(super) mod link;
mod phase;
pub(super) mod refused;
pub(super) mod repair;
mod revoked;
pub(super) mod round;
mod schedule;
pub(super) mod status;
mod withdrawal;
