//! Fixtures of all tests.

pub(crate) mod api_schema;
pub(crate) mod http_office;
pub(crate) mod phone;
pub(crate) mod sync_client;
