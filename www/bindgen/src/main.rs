//! Turns the compiled core into a JavaScript module with TypeScript types.
//!
//! Usage: `bindgen INPUT.wasm OUTPUT_DIR`. The library and not the CLI is used so that
//! Cargo.lock pins it beside `wasm-bindgen` itself; the two must be of one version.

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let input = args.next().context("usage: bindgen INPUT.wasm OUTPUT_DIR")?;
    let output = args.next().context("usage: bindgen INPUT.wasm OUTPUT_DIR")?;
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(&input)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&output)
}
