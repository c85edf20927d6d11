//! Tests that the Atlassian connector's bill of materials lists what is linked into it: it agrees
//! with Cargo's tree and the component's bytes. `tests/documents` checks that it is CycloneDX for
//! another reader.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;
use smp_tests::harness::{component, folder};

use crate::setup::{OURS, VERSION, digest};

/// The standard library, which comes with the compiler.
const STANDARD_LIBRARY: &str = "rust-std";

fn document() -> Value {
    OURS.json("sbom.cdx.json")
}

/// Name and version of each part.
fn parts() -> BTreeSet<(String, String)> {
    let document = document();
    let text = |part: &Value, key: &str| part[key].as_str().unwrap().to_owned();
    document["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (text(part, "name"), text(part, "version")))
        .collect()
}

#[test]
fn it_has_what_cargo_links_for_webassembly_and_neither_macros_nor_build_scripts() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "--package",
        "atlassian-cloud",
        "--target",
        "wasm32-unknown-unknown",
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
    ];
    let tree = Command::new(cargo)
        .args(["tree", "--locked", "--offline", "--format", "{p}"])
        .args(arguments)
        .current_dir(folder(".."))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let line = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.next().unwrap().trim_start_matches('v').to_owned())
    };
    let mut linked: BTreeSet<_> =
        String::from_utf8(tree.stdout).unwrap().lines().map(line).collect();
    assert!(linked.remove(&("atlassian-cloud".to_owned(), VERSION.to_owned())));
    assert!(linked.len() > 3, "{linked:?}");
    let mut parts = parts();
    parts.retain(|(name, _)| name != STANDARD_LIBRARY);
    assert_eq!(parts, linked);
}

#[test]
fn every_source_file_that_the_component_mentions_belongs_to_a_part() {
    let bytes = fs::read(component()).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    // A panic message contains the source file's path in the compiler's view.
    let commits: BTreeSet<_> =
        text.split("/rustc/").skip(1).filter_map(|rest| rest.split('/').next()).collect();
    let standard = document()["components"]
        .as_array()
        .unwrap()
        .iter()
        .find(|part| part["name"] == STANDARD_LIBRARY)
        .cloned()
        .unwrap();
    assert_eq!(
        commits.into_iter().collect::<Vec<_>>(),
        [standard["externalReferences"][0]["comment"].as_str().unwrap()]
    );
    let parts: BTreeSet<_> =
        parts().into_iter().map(|(name, version)| format!("{name}-{version}")).collect();
    for package in text.split("/registry/src/").skip(1).filter_map(|rest| rest.split('/').nth(1)) {
        assert!(parts.contains(package), "{package} is linked, and is no part");
    }
}

#[test]
fn the_bindings_that_the_component_names_are_a_part() {
    let bytes = fs::read(component()).unwrap();
    let wasm_metadata::Payload::Component { children, .. } =
        wasm_metadata::Payload::from_binary(&bytes).unwrap()
    else {
        panic!("no component")
    };
    // The core module names the tools that made it.
    let mut tools = children
        .iter()
        .filter_map(|child| child.metadata().producers.as_ref()?.get("processed-by"));
    let version = tools.find_map(|tools| tools.get("wit-bindgen-rust")).unwrap();
    assert!(
        parts().contains(&("wit-bindgen".to_owned(), version.clone())),
        "{version}: {:?}",
        parts()
    );
}

#[test]
fn it_is_of_this_very_file() {
    let document = document();
    let component = &document["metadata"]["component"];
    assert_eq!(
        (&component["name"], &component["version"]),
        (&"atlassian-cloud".into(), &VERSION.into())
    );
    assert_eq!(component["hashes"][0]["content"], digest(&OURS.bytes("atlassian-cloud.wasm")));
}

#[test]
fn every_part_is_reached_from_the_connector() {
    let document = document();
    let edges = document["dependencies"].as_array().unwrap();
    let of = |part: &str| -> Vec<String> {
        let entry = edges
            .iter()
            .find(|edge| edge["ref"] == part)
            .unwrap_or_else(|| panic!("{part} has no entry"));
        entry["dependsOn"]
            .as_array()
            .unwrap()
            .iter()
            .map(|other| other.as_str().unwrap().to_owned())
            .collect()
    };
    let mut reached = BTreeSet::new();
    let mut open = vec![format!("atlassian-cloud@{VERSION}")];
    while let Some(part) = open.pop() {
        open.extend(of(&part).into_iter().filter(|other| !reached.contains(other)));
        reached.insert(part);
    }
    let parts = parts().into_iter().map(|(name, version)| format!("{name}@{version}"));
    assert_eq!(reached, parts.chain([format!("atlassian-cloud@{VERSION}")]).collect());
}
