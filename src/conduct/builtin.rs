//! The layers that the program brings along.
//!
//! `layers/*.toml` are what people read and change. The phone's core needs no TOML: it carries the
//! same values in CBOR, written by `UPDATE=1 cargo nextest run --test it packed`, which also
//! fails where the two differ.

use super::policy::Layer;

const PACKED: &[u8] = include_bytes!("layers/packed.cbor");

/// The texts of the layers, by file name.
#[cfg(not(target_arch = "wasm32"))]
pub const TEXTS: [(&str, &str); 8] = [
    ("cn.toml", include_str!("layers/cn.toml")),
    ("us.toml", include_str!("layers/us.toml")),
    ("us-ma.toml", include_str!("layers/us-ma.toml")),
    ("in.toml", include_str!("layers/in.toml")),
    ("uk.toml", include_str!("layers/uk.toml")),
    ("tw.toml", include_str!("layers/tw.toml")),
    ("au.toml", include_str!("layers/au.toml")),
    ("product.toml", include_str!("layers/product.toml")),
];

/// The layers. A test shows that they are there and are what the texts say.
pub fn layers() -> Vec<Layer> {
    unpack(PACKED).unwrap_or_default()
}

/// Layers from their packed form, which is also how a lender's layers travel to phones.
pub fn unpack(bytes: &[u8]) -> Option<Vec<Layer>> {
    minicbor_serde::from_slice(bytes).ok()
}

/// Layers in their packed form.
pub fn pack(layers: &[Layer]) -> Vec<u8> {
    // A vector takes whatever is written to it.
    minicbor_serde::to_vec(layers).unwrap_or_default()
}
