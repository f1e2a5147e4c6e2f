//! Removes functions and data that nothing reaches.
//!
//! The linker has done so once, but tables of function pointers and constants keep alive what only
//! panics used. Its relocations (`--emit-relocs`) tell exactly which instruction and which constant
//! refers to which function and which constant.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::{Context, Result, bail};
use walrus::ir::{Const, Instr, InstrLocId, Value, Visitor, dfs_in_order};
use walrus::{
    ConstExpr, DataKind, ElementItems, FunctionBuilder, FunctionId, LocalFunction, Module,
};
use wasmparser::{KnownCustom, Linking, Parser, Payload, RelocationType, SymbolInfo, TypeRef};

/// A constant: the data segment, and the bytes within.
type Constant = (u32, std::ops::Range<u32>);

/// What a place in code or data refers to.
#[derive(Debug, Clone, Copy)]
enum Target {
    /// A function, by its index in the linked module.
    Function(u32),
    /// A constant, by its number.
    Constant(usize),
}

/// The references of a linked module.
pub(crate) struct References {
    /// By the position of the reference in the file.
    in_code: BTreeMap<usize, Target>,
    /// By the position of the reference, relative to the data section.
    in_data: BTreeMap<usize, Target>,
    constants: Vec<Constant>,
    /// Beginning of each data segment's bytes, relative to the data section.
    segments: Vec<usize>,
    /// Function index by the end of its body, relative to the code section.
    functions: HashMap<usize, u32>,
}

impl References {
    /// Reads the relocations of a module.
    pub(crate) fn read(wasm: &[u8]) -> Result<Self> {
        // Position of the section's contents, and its number.
        let (mut code, mut data) = ((0, None), None);
        let (mut section, mut imported) = (0, 0);
        let (mut segments, mut functions) = (Vec::new(), HashMap::new());
        let (mut constants, mut symbols, mut relocations) = (Vec::new(), Vec::new(), Vec::new());
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            match &payload {
                Payload::ImportSection(imports) => {
                    for import in imports.clone().into_imports() {
                        imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::CodeSectionStart { range, .. } => {
                    code = (range.start, Some(section));
                }
                Payload::CodeSectionEntry(body) => {
                    let index = imported + u32::try_from(functions.len())?;
                    functions.insert(body.range().end - code.0, index);
                }
                Payload::DataSection(reader) => {
                    data = Some(section);
                    let start = reader.range().start;
                    for segment in reader.clone() {
                        let segment = segment?;
                        segments.push(segment.range.end - segment.data.len() - start);
                    }
                }
                Payload::CustomSection(custom) => match custom.as_known() {
                    KnownCustom::Linking(linking) => {
                        for part in linking.subsections() {
                            if let Linking::SymbolTable(table) = part? {
                                for symbol in table {
                                    symbols.push(target(&symbol?, &mut constants));
                                }
                            }
                        }
                    }
                    KnownCustom::Reloc(reader) => {
                        for entry in reader.entries() {
                            relocations.push((reader.section_index(), entry?));
                        }
                    }
                    _ => {}
                },
                _ => {}
            }
            section += u32::from(payload.as_section().is_some());
        }
        let (mut in_code, mut in_data) = (BTreeMap::new(), BTreeMap::new());
        for (section, entry) in relocations {
            let wanted = matches!(
                entry.ty,
                RelocationType::MemoryAddrLeb
                    | RelocationType::MemoryAddrSleb
                    | RelocationType::MemoryAddrI32
                    | RelocationType::TableIndexSleb
                    | RelocationType::TableIndexI32
            );
            let symbol: Option<Target> = symbols.get(entry.index as usize).copied().flatten();
            if let (true, Some(target)) = (wanted, symbol) {
                let offset = entry.offset as usize;
                if Some(section) == code.1 {
                    in_code.insert(code.0 + offset, target);
                } else if Some(section) == data {
                    in_data.insert(offset, target);
                }
            }
        }
        if in_code.is_empty() || in_data.is_empty() || constants.is_empty() {
            bail!("the module has no relocations: link it with --emit-relocs");
        }
        Ok(Self { in_code, in_data, constants, segments, functions })
    }
}

fn target(symbol: &SymbolInfo<'_>, constants: &mut Vec<Constant>) -> Option<Target> {
    match symbol {
        SymbolInfo::Func { index, .. } => Some(Target::Function(*index)),
        SymbolInfo::Data { symbol: Some(data), .. } if data.size > 0 => {
            constants.push((data.index, data.offset..data.offset + data.size));
            Some(Target::Constant(constants.len() - 1))
        }
        _ => None,
    }
}

/// Removes functions and overwrites constants with zeros, which cost nothing when they are compressed.
pub(crate) fn remove_unreachable(module: &mut Module, references: &References) -> Result<()> {
    let known: HashMap<u32, FunctionId> = module
        .funcs
        .iter_local()
        .filter_map(|(id, function)| {
            let end = function.original_range.as_ref()?.end;
            Some((*references.functions.get(&end)?, id))
        })
        .collect();
    let reached = Reached::from(module, references, &known);

    // A pointer to an unreachable function can't be called: its place holds a trap.
    let mut builder = FunctionBuilder::new(&mut module.types, &[], &[]);
    builder.func_body().unreachable();
    let trap = builder.finish(Vec::new(), &mut module.funcs);
    let original: HashSet<FunctionId> = known.values().copied().collect();
    for element in module.elements.iter_mut() {
        if let ElementItems::Functions(functions) = &mut element.items {
            for function in functions {
                if original.contains(function) && !reached.functions.contains(function) {
                    *function = trap;
                }
            }
        }
    }
    for (segment, bytes) in dead_bytes(module, references, &reached)? {
        let id = module.data.iter().nth(segment as usize).context("no such segment")?.id();
        let data = module.data.get_mut(id);
        for byte in bytes {
            data.value[byte as usize] = 0;
        }
    }
    let customs: Vec<String> =
        module.customs.iter().map(|(_, custom)| custom.name().to_owned()).collect();
    for name in customs {
        if name == "linking" || name.starts_with("reloc.") {
            module.customs.remove_raw(&name);
        }
    }
    walrus::passes::gc::run(module);
    Ok(())
}

/// Functions and constants that are in use.
struct Reached {
    functions: HashSet<FunctionId>,
    constants: BTreeSet<usize>,
    /// Numbers in reached code that may be addresses.
    numbers: BTreeSet<u32>,
}

impl Reached {
    fn from(module: &Module, references: &References, known: &HashMap<u32, FunctionId>) -> Self {
        let mut reached = Self {
            functions: HashSet::new(),
            constants: BTreeSet::new(),
            numbers: BTreeSet::new(),
        };
        let exported = module.exports.iter().filter_map(|export| match export.item {
            walrus::ExportItem::Function(function) => Some(function),
            _ => None,
        });
        let mut functions: Vec<FunctionId> = exported.chain(module.start).collect();
        let mut constants: Vec<usize> = Vec::new();
        loop {
            let mut targets = Vec::new();
            if let Some(function) = functions.pop() {
                let function = module.funcs.get(function);
                if !reached.functions.insert(function.id()) {
                    continue;
                }
                if let walrus::FunctionKind::Local(local) = &function.kind {
                    let uses = Uses::of(local);
                    functions.extend(&uses.functions);
                    reached.numbers.extend(&uses.numbers);
                    // The operand of a constant follows its opcode, that of a load or a store
                    // follows the alignment too.
                    targets.extend(uses.positions.iter().flat_map(|position| {
                        [position + 1, position + 2]
                            .map(|at| references.in_code.get(&at))
                            .into_iter()
                    }));
                }
            } else if let Some(constant) = constants.pop() {
                if !reached.constants.insert(constant) {
                    continue;
                }
                let (segment, bytes) = &references.constants[constant];
                let start = references.segments[*segment as usize];
                let range = start + bytes.start as usize..start + bytes.end as usize;
                targets.extend(references.in_data.range(range).map(|(_, target)| Some(target)));
            } else {
                return reached;
            }
            for target in targets.into_iter().flatten() {
                match target {
                    Target::Function(index) => functions.extend(known.get(index)),
                    Target::Constant(constant) => constants.push(*constant),
                }
            }
        }
    }
}

/// What the instructions of a function refer to.
#[derive(Default)]
struct Uses {
    functions: Vec<FunctionId>,
    numbers: Vec<u32>,
    /// Positions of the instructions in the linked file.
    positions: Vec<usize>,
}

impl Uses {
    fn of(function: &LocalFunction) -> Self {
        let mut uses = Self::default();
        dfs_in_order(&mut uses, function, function.entry_block());
        uses
    }
}

impl<'i> Visitor<'i> for Uses {
    fn visit_instr(&mut self, _: &'i Instr, position: &'i InstrLocId) {
        if !position.is_default() {
            self.positions.push(position.data() as usize);
        }
    }

    fn visit_function_id(&mut self, function: &FunctionId) {
        self.functions.push(*function);
    }

    fn visit_const(&mut self, number: &Const) {
        if let Value::I32(number) = number.value {
            self.numbers.push(number.cast_unsigned());
        }
    }
}

/// Bytes of constants that are not in use, by segment. A constant into which any number in reached
/// code points is left alone, whether or not the number is an address.
fn dead_bytes(
    module: &Module,
    references: &References,
    reached: &Reached,
) -> Result<Vec<(u32, BTreeSet<u32>)>> {
    let mut dead = Vec::new();
    for (segment, data) in (0..).zip(module.data.iter()) {
        let DataKind::Active { offset: ConstExpr::Value(Value::I32(start)), .. } = data.kind else {
            bail!("a data segment has no fixed address");
        };
        let start = start.cast_unsigned();
        let mut bytes = BTreeSet::new();
        let mut live = Vec::new();
        for (number, (own, range)) in references.constants.iter().enumerate() {
            if *own != segment {
                continue;
            }
            let addresses = start + range.start..start + range.end;
            if reached.constants.contains(&number)
                || reached.numbers.range(addresses).next().is_some()
            {
                live.push(range.clone());
            } else {
                bytes.extend(range.clone());
            }
        }
        // Symbols may overlap.
        for byte in live.into_iter().flatten() {
            bytes.remove(&byte);
        }
        dead.push((segment, bytes));
    }
    Ok(dead)
}
