//! Types that cross a boundary. TypeScript for the phone is generated from them in the wasm build;
//! the office's OpenAPI description is generated from them in the native build.

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

/// Declares types that the phone's TypeScript and the office's API share: [`TsType`] with a JSON
/// schema.
macro_rules! ApiType {
    ($($item:item)+) => {
        $crate::types::TsType! {
            $(
                #[cfg_attr(not(target_arch = "wasm32"), derive(schemars::JsonSchema))]
                $item
            )+
        }
    };
}
pub(crate) use {ApiType, TsType};
