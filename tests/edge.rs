//! The network edge: bounds on what strangers may hold, ask and wait for, and how the office
//! stops. Bounds are short here, so that each is reached at once.

#![cfg(not(target_arch = "wasm32"))]

#[path = "edge/bounds.rs"]
mod bounds;
#[path = "http/desk.rs"]
mod desk;
#[path = "edge/stopping.rs"]
mod stopping;
#[path = "edge/turns.rs"]
mod turns;
#[path = "edge/wire.rs"]
mod wire;
