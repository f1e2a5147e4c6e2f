//! The network edge: bounds on what strangers may hold, ask and wait for, and how the office
//! stops. Bounds are short here, so that each is reached at once.

mod connection;
mod limits;
mod queue;
mod shutdown;
