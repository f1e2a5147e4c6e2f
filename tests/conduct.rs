//! Conduct: the rules of every layer, the borrower's clock, and what never happens.

#[path = "conduct/clock.rs"]
mod clock;
#[path = "conduct/layers.rs"]
mod layers;
#[path = "conduct/never.rs"]
mod never;
#[path = "conduct/rules.rs"]
mod rules;
#[path = "conduct/scene.rs"]
mod scene;
#[path = "conduct/words.rs"]
mod words;
