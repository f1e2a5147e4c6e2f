//! The layers that the program brings along, and what is said of a layer that is wrong.

use std::path::Path;

use doorstep::conduct::builtin::{TEXTS, layers, pack};
use doorstep::conduct::parse::parse;
use doorstep::conduct::policy::Layer;

fn texts() -> Vec<Layer> {
    TEXTS
        .iter()
        .map(|(name, text)| parse(text).unwrap_or_else(|wrong| panic!("{name}: {wrong:?}")))
        .collect()
}

#[test]
fn the_packed_layers_are_what_their_texts_say() {
    let texts = texts();
    if std::env::var_os("UPDATE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/conduct/layers/packed.cbor");
        std::fs::write(path, pack(&texts)).expect("written");
        return;
    }
    assert_eq!(layers(), texts, "UPDATE=1 cargo nextest run --test conduct packed");
}
