//! Turns the compiled core into a JavaScript module with TypeScript types, and makes it small:
//! [panics become traps](trap), [what nothing reaches is removed](reach), and [similar functions are
//! stored next to each other](order).
//!
//! Usage: `bindgen INPUT.wasm OUTPUT_DIR`. The library and not the CLI is used so that
//! Cargo.lock pins it beside `wasm-bindgen` itself; the two must be of one version.

mod order;
mod reach;
mod trap;

use std::path::Path;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let input = args.next().context("usage: bindgen INPUT.wasm OUTPUT_DIR")?;
    let output = args.next().context("usage: bindgen INPUT.wasm OUTPUT_DIR")?;
    let linked = std::fs::read(&input).with_context(|| format!("can't read {input}"))?;
    let references = reach::References::read(&linked)?;
    let stem = Path::new(&input).file_stem().and_then(|stem| stem.to_str());
    let stem = stem.context("the input has no name")?;

    let mut bound = wasm_bindgen_cli_support::Bindgen::new()
        .input_bytes(stem, linked)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()?;
    trap::empty_unneeded(bound.wasm_mut());
    trap::panics_to_traps(bound.wasm_mut());
    reach::remove_unreachable(bound.wasm_mut(), &references)?;
    bound.emit(&output)?;

    let path = Path::new(&output).join(format!("{stem}_bg.wasm"));
    let ordered = order::by_similarity(&std::fs::read(&path)?)?;
    std::fs::write(path, ordered)?;
    Ok(())
}
