//! Fixtures: an office, a phone with the real workspace, a bare client of the sync protocol, and
//! the real program.

pub(crate) mod api_schema;
pub(crate) mod http_office;
pub(crate) mod office;
pub(crate) mod phone;
#[cfg(unix)]
pub(crate) mod postgres;
pub(crate) mod program;
#[cfg(unix)]
pub(crate) mod proxy;
pub(crate) mod sync_client;
