//! Types that are exported to TypeScript: declarations are generated in the wasm build only.

/// Exports types to TypeScript under the same names.
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
