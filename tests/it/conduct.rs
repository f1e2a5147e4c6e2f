//! Conduct: the rules of every layer, the borrower's clock, and what never happens.

mod clock;
mod layers;
mod never;
mod phone;
mod rules;
mod scene;
mod words;
