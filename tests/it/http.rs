//! The endpoint, through its router and over the real store.

mod access;
mod audit;
mod blob_damage;
mod blobs;
mod complaints;
mod exported;
mod fleet;
mod imports;
mod odata;
mod openid;
mod pages;
mod people;
mod quarantine;
mod queues;
mod receipts;
mod report;
mod rounds;
mod routes;
mod safety;
mod secrecy;
mod sessions;
mod shares;
mod tokens;
mod views;
mod visits;
mod web_push;
