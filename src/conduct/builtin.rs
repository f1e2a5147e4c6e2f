//! The built-in layers.
//!
//! `layers/*.toml` are the source. The phone's core contains no TOML parser: it carries the same
//! values in CBOR, written by `UPDATE=1 cargo nextest run --test it packed`, which also
//! fails where the two differ.

use super::policy::Layer;

const PACKED: &[u8] = include_bytes!("layers/packed.cbor");

/// The TOML texts of the layers, by file name.
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

/// The layers. A test checks that they are present and equal to the texts.
pub fn layers() -> Vec<Layer> {
    unpack(PACKED).unwrap_or_default()
}

/// Decodes layers from CBOR, the form in which a lender's layers are sent to phones.
pub fn unpack(bytes: &[u8]) -> Option<Vec<Layer>> {
    minicbor_serde::from_slice(bytes).ok()
}

/// Encodes layers as CBOR.
pub fn pack(layers: &[Layer]) -> Vec<u8> {
    // Writing to a vector cannot fail.
    minicbor_serde::to_vec(layers).unwrap_or_default()
}
