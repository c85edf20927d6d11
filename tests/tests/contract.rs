//! Tests that the contract has not changed: every name in it is listed, and the built component
//! imports and exports exactly these.
//!
//! `contract.txt` has the names; `BLESS=1` generates it again. A change there is a new version of
//! the package, or breaks it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;

use serde_json::json;
use smp_host::limits::{Bound, Limits};
use smp_tests::harness::{Run, component, folder};
use wit_component::WitPrinter;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Docs, PackageId, Resolve, Type, TypeDefKind, WorldId};

const PACKAGE: &str = "smp:connector@0.2.0";
const IMPORTS: [&str; 2] = ["smp:connector/http@0.2.0", "smp:connector/log@0.2.0"];
const EXPORTS: [&str; 2] = ["smp:connector/connector@0.2.0", "smp:connector/usage@0.2.0"];

#[test]
fn every_name_of_the_contract_is_as_it_was() {
    let (resolve, package) = parsed();
    let mut printer = WitPrinter::default();
    printer.emit_docs(false).print(&resolve, package, &[]).unwrap();
    let there = printer.output.to_string();
    let path = folder("tests/contract.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &there).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        there, expected,
        "the contract changed; `make bless` generates `contract.txt` again"
    );
}

#[test]
fn a_world_imports_http_and_log_and_exports_the_connector_and_one_of_them_usage() {
    let (resolve, package) = parsed();
    let package = &resolve.packages[package];
    assert_eq!(package.name.to_string(), PACKAGE);
    let worlds = ["connector-plugin", "metering-connector-plugin"];
    assert_eq!(package.worlds.keys().collect::<Vec<_>>(), worlds);
    for (world, exports) in worlds.into_iter().zip([&EXPORTS[..1], &EXPORTS[..]]) {
        exports_only(&resolve, package.worlds[world], exports);
    }
}

#[test]
fn the_contract_tells_the_bounds_that_a_host_has() {
    let (resolve, _) = parsed();
    let interface = resolve
        .interfaces
        .iter()
        .find(|(_, interface)| interface.name.as_deref() == Some("connector"))
        .unwrap()
        .1;
    let told =
        interface.docs.contents.as_deref().unwrap_or_default().replace('\n', " ").replace(',', "");
    let (limits, role) = (Limits::default(), Limits::default().member_text * 16 / 1024);
    for bound in [
        format!("{} for any text", limits.shown(Bound::Text)),
        format!("which have {}", limits.shown(Bound::MemberText)),
        format!("a role which has {role};"),
        format!("{} entries", limits.shown(Bound::Entries)),
        format!("{} members and products", limits.shown(Bound::PageMembers)),
    ] {
        assert!(told.contains(&bound), "“{bound}” is not in: {told}");
    }
}

#[test]
fn every_item_of_the_contract_is_documented() {
    let (resolve, _) = parsed();
    assert!(items(&resolve).len() > 100, "the contract was not read");
    let undocumented: Vec<String> = items(&resolve)
        .into_iter()
        .filter(|(_, docs)| !is_told(docs))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(undocumented, [""; 0]);
}

#[test]
fn the_component_needs_and_offers_what_the_contract_says_and_nothing_else() {
    let DecodedWasm::Component(resolve, world) = decode(&fs::read(component()).unwrap()).unwrap()
    else {
        panic!("no component")
    };
    exports_only(&resolve, world, &EXPORTS);
    let inspected = Run::new("inspect").args(["--json"]).end().json();
    assert_eq!((&inspected["imports"], &inspected["exports"]), (&json!(IMPORTS), &json!(EXPORTS)));
    assert_eq!(inspected["contract_version"], "0.2.0");
}

#[test]
fn the_component_tells_nothing_of_the_machine_that_built_it() {
    let bytes = fs::read(component()).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let workspace = fs::canonicalize(folder("..")).unwrap();
    let mut told = vec![
        workspace.to_str().unwrap().to_owned(),
        "/.cargo/".into(),
        "/home/".into(),
        "/Users/".into(),
        "/root/".into(),
        "/tmp/".into(),
    ];
    for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "HOSTNAME"] {
        told.extend(std::env::var(name).ok().filter(|value| value.len() > 3));
    }
    // A name as common as these may be a word of the connector.
    let user = std::env::var("USER")
        .ok()
        .filter(|user| !["root", "user", "admin", "atlassian", "runner"].contains(&user.as_str()));
    told.extend(user.filter(|user| user.len() > 3));
    for place in told {
        assert!(!text.contains(&place), "`{place}` is in the component");
    }
}

fn parsed() -> (Resolve, PackageId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder("../wit")).unwrap();
    (resolve, package)
}

fn exports_only(resolve: &Resolve, world: WorldId, expected: &[&str]) {
    let world = &resolve.worlds[world];
    let imports: Vec<String> =
        world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    let exports: Vec<String> =
        world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    let expected = expected.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!((imports, exports), (IMPORTS.map(String::from).to_vec(), expected));
}

fn is_told(docs: &Docs) -> bool {
    docs.contents.as_deref().is_some_and(|text| text.trim().len() > 3)
}

/// Every item by its full name, with its documentation.
fn items(resolve: &Resolve) -> Vec<(String, Docs)> {
    let mut items = Vec::new();
    for (_, world) in &resolve.worlds {
        items.push((format!("world {}", world.name), world.docs.clone()));
    }
    for (_, interface) in &resolve.interfaces {
        let of = interface.name.clone().unwrap_or_default();
        items.push((format!("interface {of}"), interface.docs.clone()));
        for (name, function) in &interface.functions {
            items.push((format!("{of}.{name}"), function.docs.clone()));
        }
        for (name, id) in &interface.types {
            let defined = &resolve.types[*id];
            // A type that is used from another interface is documented there.
            if !matches!(defined.kind, TypeDefKind::Type(Type::Id(_))) {
                items.push((format!("{of}.{name}"), defined.docs.clone()));
            }
            items.extend(
                parts(&defined.kind)
                    .into_iter()
                    .map(|(part, docs)| (format!("{of}.{name}.{part}"), docs.clone())),
            );
        }
    }
    items
}

/// The fields or the cases of a type.
fn parts(kind: &TypeDefKind) -> Vec<(&str, &Docs)> {
    match kind {
        TypeDefKind::Record(record) => {
            record.fields.iter().map(|field| (field.name.as_str(), &field.docs)).collect()
        }
        TypeDefKind::Variant(variant) => {
            variant.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect()
        }
        TypeDefKind::Enum(cases) => {
            cases.cases.iter().map(|case| (case.name.as_str(), &case.docs)).collect()
        }
        TypeDefKind::Flags(flags) => {
            flags.flags.iter().map(|flag| (flag.name.as_str(), &flag.docs)).collect()
        }
        _ => Vec::new(),
    }
}
