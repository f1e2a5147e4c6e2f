//! The endpoint, through its router and over the real store.

#[path = "http/blobs.rs"]
mod blobs;
#[path = "http/desk.rs"]
mod desk;
#[path = "http/pages.rs"]
mod pages;
#[path = "http/quarantine.rs"]
mod quarantine;
#[path = "http/rounds.rs"]
mod rounds;
#[path = "http/routes.rs"]
mod routes;
#[path = "http/sessions.rs"]
mod sessions;
#[path = "http/visits.rs"]
mod visits;
