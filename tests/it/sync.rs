//! Rounds between phones and the office: the rules of docs/SYNC.md.

mod concurrent;
mod durability;
mod pages;
mod restore;
mod rounds;
mod vectors;
