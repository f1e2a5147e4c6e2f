//! One switch for types that TypeScript sees: in the wasm they bring their declaration along,
//! natively they are plain.

/// Declares types that TypeScript sees under the same names.
macro_rules! TsType {
    ($($item:item)+) => {
        $(
            #[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
            #[cfg_attr(target_arch = "wasm32", tsify(missing_as_null))]
            $item
        )+
    };
}
pub(crate) use TsType;
