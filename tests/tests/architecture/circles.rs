//! Tests that no files import each other in a circle: two such files cannot be read one after the
//! other.
//!
//! It reads paths that begin with `crate::` or `super::`, in `use` lines and elsewhere, with their
//! braces. It does not read unit tests, files named `testing`, comments, or names from a glob or
//! another crate. A file may use items of its parent, which names it by `mod`: that is not a
//! circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

use smp_tests::harness::folder;

/// A module, by its path from the root of its crate.
type Module = Vec<String>;

#[test]
fn no_files_of_a_crate_import_each_other_in_a_circle() {
    let mut crates = 0;
    for house in ["../host-harness", "../connector", "../connector/tools"] {
        for entry in fs::read_dir(folder(house)).unwrap() {
            let source = entry.unwrap().path().join("src");
            if source.is_dir() {
                let imports = imports(&source);
                assert_eq!(circle(&imports), None, "in {}", source.display());
                crates += 1;
            }
        }
    }
    assert!(crates >= 10, "only {crates} crates were found");
}

#[test]
fn a_circle_is_found_however_a_path_is_written() {
    let text = "use crate::{a::{self, b::C}, d};\nuse super::e::*; // crate::f::G\nfn x() { \
                super::super::g::h() }";
    let found: Vec<String> =
        named(text, &module("m::n")).iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["a::self", "a::b::C", "d", "m::e::*", "g::h"]);
    let table = |rows: &[(&str, &[&str])]| {
        rows.iter()
            .map(|(from, to)| (module(from), to.iter().map(|to| module(to)).collect()))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(circle(&table(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])), None);
    let expected = Some(["b", "c", "b"].map(module).to_vec());
    assert_eq!(circle(&table(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])])), expected);
}

fn module(text: &str) -> Module {
    text.split("::").map(Into::into).collect()
}

/// Each file of a crate, and the other files that it names.
fn imports(source: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(source.to_path_buf(), Module::new())];
    while let Some((folder, above)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let mut module = above.clone();
            if !["lib", "main", "mod"].contains(&name.as_str()) {
                module.push(name);
            }
            match path.extension() {
                _ if module.iter().any(|name| name == "testing") => {}
                None => folders.push((path, module)),
                Some(_) => drop(files.insert(module, fs::read_to_string(path).unwrap())),
            }
        }
    }
    let file_of = |path: Module| {
        (0..=path.len()).rev().map(|end| path[..end].to_vec()).find(|path| files.contains_key(path))
    };
    let others = |module: &Module, text: &str| {
        let named = named(text, module).into_iter().filter_map(file_of);
        named.filter(|other| !module.starts_with(other)).collect()
    };
    files.iter().map(|(module, text)| (module.clone(), others(module, text))).collect()
}

/// The paths in a file, from the root of its crate.
fn named(text: &str, module: &Module) -> Vec<Module> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let text: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    let begins = text.match_indices("crate::").chain(text.match_indices("super::"));
    let begins: BTreeSet<usize> =
        begins.map(|(at, _)| at).filter(|at| !text[..*at].ends_with(is_of_a_path)).collect();
    begins
        .into_iter()
        .flat_map(|at| tree(&mut &text[at..]))
        .map(|path| from_the_root(path, module))
        .collect()
}

fn is_of_a_path(sign: char) -> bool {
    sign.is_alphanumeric() || "_:".contains(sign)
}

/// The paths of a tree such as `a::{b, c::{d, e}}`.
fn tree(text: &mut &str) -> Vec<Module> {
    if let Some(inside) = text.strip_prefix('{') {
        *text = inside;
        let mut paths = Vec::new();
        loop {
            *text = text.trim_start_matches([' ', ',']);
            match text.strip_prefix('}') {
                Some(rest) => *text = rest,
                None if text.is_empty() => {}
                None => {
                    paths.extend(tree(text));
                    continue;
                }
            }
            return paths;
        }
    }
    let end = text
        .find(|sign: char| !sign.is_alphanumeric() && !"_*".contains(sign))
        .unwrap_or(text.len());
    // Anything else, such as `as`, is skipped.
    let (name, rest) = text.split_at(end.max(text.chars().next().map_or(0, char::len_utf8)));
    *text = rest;
    let Some(below) = rest.strip_prefix("::") else { return vec![vec![name.to_owned()]] };
    *text = below;
    tree(text).into_iter().map(|path| [vec![name.to_owned()], path].concat()).collect()
}

fn from_the_root(path: Module, module: &Module) -> Module {
    let ups = path.iter().take_while(|name| *name == "super").count();
    let base = if ups == 0 { &[][..] } else { &module[..module.len().saturating_sub(ups)] };
    [base, &path[ups.max(1)..]].concat()
}

/// A shortest path from a file over others back to itself, for the first such file.
fn circle(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    imports.keys().find_map(|start| {
        let (mut ways, mut met) = (VecDeque::from([vec![start.clone()]]), BTreeSet::new());
        while let Some(way) = ways.pop_front() {
            for next in way.last().and_then(|last| imports.get(last)).into_iter().flatten() {
                let way = [way.clone(), vec![next.clone()]].concat();
                if next == start {
                    return Some(way);
                }
                if met.insert(next.clone()) {
                    ways.push_back(way);
                }
            }
        }
        None
    })
}
