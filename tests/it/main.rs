//! Tests of what crosses modules, by subject: through the library's own interface, the router, or
//! the real program. Crash, overload and telemetry tests are crates of their own beside this one.

#![cfg(not(target_arch = "wasm32"))]

mod architecture;
mod cli;
mod conduct;
#[cfg(unix)]
mod endpoints;
mod formats;
mod fuzz;
#[cfg(target_os = "linux")]
mod hostile;
mod http;
mod judge;
mod office;
mod record;
mod simulate;
mod store;
mod support;
mod sync;
#[cfg(unix)]
mod tls;
mod traffic;
mod workspace;
