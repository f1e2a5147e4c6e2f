//! The endpoint, through its router and over the real store.

#[path = "http/access.rs"]
mod access;
#[path = "http/blob_damage.rs"]
mod blob_damage;
#[path = "http/blobs.rs"]
mod blobs;
#[path = "http/desk.rs"]
mod desk;
#[path = "http/exported.rs"]
mod exported;
#[path = "http/openid.rs"]
mod openid;
#[path = "http/pages.rs"]
mod pages;
#[path = "http/people.rs"]
mod people;
#[path = "http/quarantine.rs"]
mod quarantine;
#[path = "http/rounds.rs"]
mod rounds;
#[path = "http/routes.rs"]
mod routes;
#[path = "http/secrecy.rs"]
mod secrecy;
#[path = "http/sessions.rs"]
mod sessions;
#[path = "http/shares.rs"]
mod shares;
#[path = "http/visits.rs"]
mod visits;
