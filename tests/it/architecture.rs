//! The import rule of docs/ARCHITECTURE.md: which module may import which, and no import cycles
//! inside the modules whose files each have one concern.
//!
//! Read from the source text: `use` declarations and paths that begin with `crate` or `super`.
//! Comments and test modules are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules from the lowest layer to the highest, each with the modules that it may import. A file
/// belongs to the longest module that its path begins with.
const LAYERS: &[(&str, &[&str])] = &[
    ("ids", &[]),
    ("types", &[]),
    ("sync", &["ids", "types"]),
    ("vault", &["ids", "types", "sync"]),
    ("record", &["ids", "types"]),
    ("conduct", &["record", "types"]),
    ("workspace", &["ids", "types", "sync", "vault", "record", "conduct"]),
    ("wasm", &["ids", "types", "sync", "vault", "record", "conduct", "workspace"]),
    ("office::change", &["ids"]),
    ("office::private", &[]),
    (
        "office::store",
        &["ids", "types", "sync", "record", "conduct", "office::change", "office::private"],
    ),
    ("office::merge", &["ids", "sync", "record", "office::change"]),
    (
        "office",
        &[
            "ids",
            "types",
            "sync",
            "vault",
            "record",
            "conduct",
            "office::change",
            "office::private",
            "office::store",
            "office::merge",
        ],
    ),
    (
        "office::http",
        &["ids", "sync", "record", "conduct", "office", "office::private", "office::store"],
    ),
    ("simulate", &["ids", "sync", "vault", "record", "workspace", "office", "office::store"]),
    (
        "office::cli",
        &[
            "ids",
            "sync",
            "record",
            "conduct",
            "office",
            "office::private",
            "office::store",
            "office::http",
            "simulate",
        ],
    ),
    ("bin", &["office::cli"]),
];

/// Modules inside which no two files may import each other, directly or through others.
const ACYCLIC: &[&str] = &["record", "conduct", "sync", "office::merge"];

/// Imports of one file, as absolute paths without `crate`.
struct Source {
    module: Vec<String>,
    imports: BTreeSet<Vec<String>>,
    reexports: Vec<(String, Vec<String>)>,
}

#[test]
fn modules_import_lower_layers_only() {
    let mut violations = BTreeSet::new();
    for source in sources() {
        let from = layer(&source.module);
        for import in &source.imports {
            let to = layer(import);
            if from != to && !LAYERS.iter().any(|(name, may)| *name == from && may.contains(&to)) {
                violations.insert(format!(
                    "{from} -> {to}: {} imports {}",
                    source.module.join("::"),
                    import.join("::")
                ));
            }
        }
    }
    assert!(violations.is_empty(), "{violations:#?}");
}

#[test]
fn layers_are_listed_from_the_lowest_to_the_highest() {
    for (at, (name, may_import)) in LAYERS.iter().enumerate() {
        for lower in *may_import {
            let found = LAYERS.iter().position(|(other, _)| other == lower);
            assert!(found.is_some_and(|found| found < at), "{name} may not import {lower}");
        }
    }
}

#[test]
fn files_of_different_concern_do_not_import_each_other_in_a_cycle() {
    for module in ACYCLIC {
        let graph = graph_within(module);
        assert!(graph.len() > 2, "{module} has no files");
        if let Some(cycle) = cycle(&graph) {
            panic!("{module}: {}", cycle.join(" -> "));
        }
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let text = "use super::{a, b::{C, d::E}};\n// use crate::no;\nfn f() { crate::x::y(); super::z::w() }\n\
                #[cfg(test)]\nmod tests { use crate::never; }\n";
    let module = ["office".to_owned(), "http".to_owned()];
    let found: Vec<String> = imports(text, &module).iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["office::a", "office::b::C", "office::b::d::E", "office::z::w", "x::y"]);
    let graph = BTreeMap::from([
        ("a".to_owned(), BTreeSet::from(["b".to_owned()])),
        ("b".to_owned(), BTreeSet::from(["a".to_owned()])),
    ]);
    assert_eq!(cycle(&graph), Some(vec!["a".to_owned(), "b".to_owned(), "a".to_owned()]));
}

fn layer(path: &[String]) -> &'static str {
    let named = |name: &str| name.split("::").zip(path).filter(|(want, have)| want == have).count();
    LAYERS
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| named(name) == name.split("::").count())
        .max_by_key(|name| name.len())
        .unwrap_or("lib")
}

/// The files directly below a module, each with its own children, and what they import of each
/// other. What the module itself re-exports counts as an import of the file that has it.
fn graph_within(module: &str) -> BTreeMap<String, BTreeSet<String>> {
    let root: Vec<String> = module.split("::").map(str::to_owned).collect();
    let sources = sources();
    let child = |path: &[String]| path.strip_prefix(root.as_slice())?.first().cloned();
    let children: BTreeSet<String> =
        sources.iter().filter_map(|source| child(&source.module)).collect();
    let reexports: BTreeMap<String, String> = sources
        .iter()
        .filter(|source| source.module == root)
        .flat_map(|source| &source.reexports)
        .filter_map(|(name, from)| Some((name.clone(), from.first()?.clone())))
        .collect();
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in &sources {
        let Some(from) = child(&source.module) else { continue };
        let edges = graph.entry(from.clone()).or_default();
        for import in &source.imports {
            let to = child(import).map(|to| reexports.get(&to).cloned().unwrap_or(to));
            edges.extend(to.filter(|to| *to != from && children.contains(to)));
        }
    }
    graph
}

/// Some cycle of a graph, its first node also last.
fn cycle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn visit(
        node: &String,
        graph: &BTreeMap<String, BTreeSet<String>>,
        path: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        if let Some(at) = path.iter().position(|other| other == node) {
            return Some(path[at..].iter().chain([node]).cloned().collect());
        }
        if !done.insert(node.clone()) {
            return None;
        }
        path.push(node.clone());
        let found = graph.get(node)?.iter().find_map(|next| visit(next, graph, path, done));
        path.pop();
        found
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|node| visit(node, graph, &mut Vec::new(), &mut done))
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 100, "the sources are not where they are looked for");
    files
        .iter()
        .filter(|path| !path.ends_with("lib.rs") && !path.ends_with("tests.rs"))
        .map(|path| {
            let module: Vec<String> = path
                .strip_prefix(&root)
                .expect("below src")
                .with_extension("")
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            let text = fs::read_to_string(path).expect("readable").replace("doorstep::", "crate::");
            Source { imports: imports(&text, &module), reexports: reexports(&text), module }
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The code of a file: without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text);
    let lines = code.lines().map(|line| line.split("//").next().unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Every path that begins with `crate` or `super`, from the crate's root.
fn imports(text: &str, module: &[String]) -> BTreeSet<Vec<String>> {
    let code = code(text);
    let mut found = BTreeSet::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let before = &code[..at];
            let within = |c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$';
            // `pub(in crate::office)` is no import.
            if before.ends_with(within) || before.ends_with("(in ") {
                continue;
            }
            for path in expand(&code[at..]) {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let skipped = ups.max(1);
                let base =
                    if ups == 0 { &[][..] } else { &module[..module.len().saturating_sub(ups)] };
                let absolute = base.iter().chain(path.iter().skip(skipped)).cloned().collect();
                found.insert(absolute);
            }
        }
    }
    found
}

/// What a file re-exports from its children: name, and the path below the file.
fn reexports(text: &str) -> Vec<(String, Vec<String>)> {
    let code = code(text);
    code.match_indices("use ")
        .map(|(at, start)| &code[at + start.len()..])
        .filter(|path| !path.starts_with("crate::") && !path.starts_with("super::"))
        .flat_map(expand)
        .filter_map(|path| Some((path.last()?.clone(), path)))
        .collect()
}

/// The paths of `a::{b, c::d}…` at the beginning of a text; `as` names are left out.
fn expand(text: &str) -> Vec<Vec<String>> {
    let end =
        text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    let head: Vec<String> =
        head.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
    if !(text[..end].ends_with("::") && rest.starts_with('{')) {
        return vec![head];
    }
    let mut depth = 0;
    let mut items = vec![String::new()];
    for c in rest.chars() {
        match c {
            '{' if depth == 0 => {}
            '}' if depth == 1 => break,
            ',' if depth == 1 => {
                items.push(String::new());
                continue;
            }
            _ => items.last_mut().expect("one at least").push(c),
        }
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    items
        .iter()
        .map(|item| item.trim())
        .filter(|item| !item.is_empty())
        .flat_map(expand)
        .map(|tail| {
            head.iter().cloned().chain(tail.into_iter().filter(|part| part != "self")).collect()
        })
        .collect()
}

/// Files that the documentation names exist: a moved file takes its mention along.
#[test]
fn files_that_the_documentation_names_exist() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = ["README.md", "CONTRIBUTING.md"].map(|name| root.join(name));
    let mut missing = BTreeSet::new();
    for page in docs.chain(pages).filter(|page| page.extension().is_some_and(|ext| ext == "md")) {
        let text = fs::read_to_string(&page).unwrap();
        for name in text.split('`').skip(1).step_by(2).filter(|name| is_source_path(name)) {
            if !root.join(name).exists() {
                missing.insert(format!("{}: {name}", page.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Whether text in backticks is the path of a file or folder in the repository.
fn is_source_path(name: &str) -> bool {
    let top = ["src/", "tests/", "docs/", "benches/", "fuzz/", "www/src/", "www/bindgen/"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    top.iter().any(|top| name.starts_with(top))
        && name.chars().all(plain)
        && !name.contains("VERSION")
}
