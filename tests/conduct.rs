//! Conduct: the rules of every layer, the borrower's clock, and what never happens.

#[path = "conduct/layers.rs"]
mod layers;
