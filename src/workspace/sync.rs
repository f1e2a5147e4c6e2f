//! The device's side of sync: the link, rounds, replies, repair, refused work and revocation.

pub(super) mod apply;
mod leaving;
pub(super) mod link;
pub(super) mod refused;
pub(super) mod repair;
pub(super) mod round;
mod status;
