//! Panics become traps.
//!
//! A panic in the core ends in a trap either way, and no hook shows its message: the driver discards
//! the instance and starts another. So the calls that would format the message, and the code that
//! prepares their arguments, can go. The compiler does the same with `panic=immediate-abort`, which is
//! not stable yet.
//!
//! Debug output is for developers who have the panic's message: on the phone it is empty. So are
//! fractions in texts, which only such messages have.

use std::collections::HashSet;

use walrus::ir::{Const, Instr, InstrLocId, InstrSeqId, Unreachable, Value, Visitor, dfs_in_order};
use walrus::{FunctionId, LocalFunction, Module, ValType};

/// Functions of the standard library that never return and only report what went wrong.
const PANICS: [&str; 14] = [
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::capacity_overflow",
    "alloc::raw_vec::handle_error",
    "core::cell::panic_already_",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::panicking::",
    "core::result::unwrap_failed",
    "core::slice::copy_from_slice_impl::",
    "core::slice::index::slice_index_fail",
    "core::slice::sort::shared::smallsort::panic_on_ord_violation",
    "core::str::slice_error_fail",
    "std::alloc::rust_oom",
    "std::panicking::",
];

/// Functions of libraries that the core links and never calls, and why.
const UNUSED: [&str; 5] = [
    // Checksums of gzip: all that the core compresses is raw deflate.
    "zlib_rs::crc32::",
    // Levels 0 to 2: Automerge compresses with level 6, the core with level 9.
    "zlib_rs::deflate::algorithm::fast::",
    "zlib_rs::deflate::algorithm::quick::",
    "zlib_rs::deflate::algorithm::stored::",
    // Texts are counted in code points (`TextEncoding::UnicodeCodePoint`).
    "<unicode_segmentation::grapheme::Graphemes as core::iter::traits::iterator::Iterator>::next",
];

/// Empties functions that are not needed on the phone.
pub(crate) fn empty_unneeded(module: &mut Module) {
    let names: Vec<(FunctionId, String)> = module
        .funcs
        .iter_local()
        .filter_map(|(id, _)| Some((id, without_hashes(module.funcs.get(id).name.as_ref()?))))
        .collect();
    for (id, name) in names {
        let types = module.types.get(module.funcs.get(id).ty());
        let formats = types.params() == [ValType::I32; 2] && types.results() == [ValType::I32];
        let body = if formats && is_debug(&name) || name.starts_with("core::fmt::float::") {
            // `Ok(())`.
            Instr::Const(Const { value: Value::I32(0) })
        } else if UNUSED.iter().any(|unused| name.starts_with(unused)) {
            Unreachable {}.into()
        } else {
            continue;
        };
        let function = module.funcs.get_mut(id).kind.unwrap_local_mut();
        let entry = function.entry_block();
        function.block_mut(entry).instrs = vec![(body, InstrLocId::default())];
    }
}

/// Whether a function writes debug output, other than of texts and numbers.
fn is_debug(name: &str) -> bool {
    let written =
        name.strip_prefix('<').and_then(|name| name.split_once(" as core::fmt::Debug>::fmt"));
    written.is_some_and(|(of, _)| !of.chars().all(|letter| letter.is_ascii_alphanumeric()))
}

/// Replaces every call of a panic by a trap.
pub(crate) fn panics_to_traps(module: &mut Module) {
    let mut panics: HashSet<FunctionId> = module
        .funcs
        .iter()
        .filter(|function| function.name.as_deref().is_some_and(is_panic))
        .map(walrus::Function::id)
        .collect();
    loop {
        let mut trapping = Vec::new();
        for (id, function) in module.funcs.iter_local_mut() {
            for sequence in sequences(function) {
                trap(&mut function.block_mut(sequence).instrs, &panics);
            }
            let body = &function.block(function.entry_block()).instrs;
            if matches!(body.first(), Some((Instr::Unreachable(_), _))) {
                trapping.push(id);
            }
        }
        // A function that only panicked is now one that only traps; so are its callers, perhaps.
        let known = panics.len();
        panics.extend(trapping);
        if panics.len() == known {
            return;
        }
    }
}

fn is_panic(name: &str) -> bool {
    let name = without_hashes(name);
    let method = name.starts_with("<alloc::vec::Vec<") && name.contains("::assert_failed");
    method || PANICS.iter().any(|panic| name.starts_with(panic))
}

/// `core[0123abcd]::option` is `core::option`.
fn without_hashes(name: &str) -> String {
    let mut parts = name.split('[');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(']').map_or(part, |(_, rest)| rest))
}

/// Ends the instructions at the first call of a panic, and drops the work on its arguments: nobody
/// reads the memory of an instance that has trapped.
fn trap(instrs: &mut Vec<(Instr, InstrLocId)>, panics: &HashSet<FunctionId>) {
    let call = instrs.windows(2).position(|pair| match pair {
        [(Instr::Call(call), _), (Instr::Unreachable(_), _)] => panics.contains(&call.func),
        _ => false,
    });
    let Some(call) = call else { return };
    let kept =
        instrs[..call].iter().rposition(|(instr, _)| !is_local(instr)).map_or(0, |at| at + 1);
    instrs.truncate(kept);
    // Whatever is left on the stack, a trap accepts.
    instrs.push((Unreachable {}.into(), InstrLocId::default()));
}

/// Whether an instruction only computes and stores values, without branches, calls or effects
/// outside this instance.
fn is_local(instr: &Instr) -> bool {
    matches!(
        instr,
        Instr::Const(_)
            | Instr::LocalGet(_)
            | Instr::LocalSet(_)
            | Instr::LocalTee(_)
            | Instr::GlobalGet(_)
            | Instr::Load(_)
            | Instr::Store(_)
            | Instr::Binop(_)
            | Instr::Unop(_)
            | Instr::Select(_)
            | Instr::Drop(_)
    )
}

/// All sequences of instructions of a function.
fn sequences(function: &LocalFunction) -> Vec<InstrSeqId> {
    struct Collect(Vec<InstrSeqId>);
    impl<'i> Visitor<'i> for Collect {
        fn start_instr_seq(&mut self, sequence: &'i walrus::ir::InstrSeq) {
            self.0.push(sequence.id());
        }
    }
    let mut all = Collect(Vec::new());
    dfs_in_order(&mut all, function, function.entry_block());
    all.0
}

#[cfg(test)]
mod tests {
    use walrus::FunctionBuilder;

    use super::*;

    fn function(
        module: &mut Module,
        name: &str,
        build: impl FnOnce(&mut walrus::InstrSeqBuilder<'_>),
    ) -> FunctionId {
        let mut builder = FunctionBuilder::new(&mut module.types, &[], &[]);
        build(&mut builder.func_body());
        let id = builder.finish(Vec::new(), &mut module.funcs);
        module.funcs.get_mut(id).name = Some(name.to_owned());
        id
    }

    fn body(module: &Module, id: FunctionId) -> Vec<String> {
        let function = module.funcs.get(id).kind.unwrap_local();
        let instrs = &function.block(function.entry_block()).instrs;
        instrs.iter().map(|(instr, _)| format!("{instr:?}")).collect()
    }

    #[test]
    fn a_panic_becomes_a_trap_and_so_do_functions_that_only_panic() {
        let mut module = Module::default();
        let panic = function(&mut module, "core[0a1b]::panicking::panic", |body| {
            body.unreachable();
        });
        let wrapper = function(&mut module, "app::wrapper", |body| {
            body.i32_const(7).drop().call(panic).unreachable();
        });
        let other = function(&mut module, "app::other", |_| {});
        let caller = function(&mut module, "app::caller", |body| {
            body.call(other).i32_const(7).drop().call(wrapper).unreachable();
        });
        panics_to_traps(&mut module);
        assert_eq!(body(&module, wrapper), ["Unreachable(Unreachable)"]);
        let caller = body(&module, caller);
        assert!(caller[0].starts_with("Call("), "calls before the panic stay: {caller:?}");
        assert_eq!(caller[1..], ["Unreachable(Unreachable)"]);
    }

    #[test]
    fn a_call_that_returns_is_no_panic_whatever_its_name() {
        let mut module = Module::default();
        let returns = function(&mut module, "core::panicking::returns", |_| {});
        let caller = function(&mut module, "app::caller", |body| {
            body.call(returns);
        });
        panics_to_traps(&mut module);
        assert!(body(&module, caller)[0].starts_with("Call("));
    }

    #[test]
    fn debug_output_is_empty_except_for_texts_and_numbers() {
        for (name, emptied) in [
            ("<app::Error as core::fmt::Debug>::fmt::h0123", true),
            ("<&T as core::fmt::Debug>::fmt", true),
            ("<str as core::fmt::Debug>::fmt", false),
            ("<u32 as core::fmt::Debug>::fmt", false),
            ("<app::Error as core::fmt::Display>::fmt", false),
        ] {
            assert_eq!(is_debug(name), emptied, "{name}");
        }
    }
}
