//! That the release profile saves no time where a page of members passes through: see
//! `docs/decisions/0019-compiled-for-less.md`.

use std::collections::BTreeSet;
use std::fs;

use smp_tests::harness::folder;

/// What a page passes through, from the socket to the destination. Of TLS, `ring` does the work, and
/// has it in assembly.
const HOT: [&str; 26] = [
    "csv",
    "csv-core",
    "flate2",
    "hashbrown",
    "http",
    "httparse",
    "hyper",
    "hyper-util",
    "indexmap",
    "jiff",
    "lz4_flex",
    "memchr",
    "miniz_oxide",
    "postcard",
    "reqwest",
    "serde",
    "serde_core",
    "serde_json",
    "sha2",
    "smp-guard",
    "smp-harness",
    "smp-host",
    "smp-platform",
    "sqlx-core",
    "tokio",
    "wasmtime",
];

/// The packages of the release profile, `NAME` or `NAME@VERSION`, and the levels of those that have
/// one.
fn levels() -> Vec<(String, Option<i64>)> {
    let manifest = fs::read_to_string(folder("../Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let packages = manifest["profile"]["release"]["package"].as_table().unwrap();
    let level = |profile: &toml::Value| profile.get("opt-level")?.as_integer();
    packages.iter().map(|(name, profile)| (name.clone(), level(profile))).collect()
}

#[test]
fn what_a_page_passes_through_is_compiled_in_full() {
    let levels = levels();
    assert!(levels.len() > 20, "{levels:?}");
    for (spec, level) in levels {
        let name = spec.split('@').next().unwrap();
        let is_hot = HOT.contains(&name) || name.starts_with("wasmtime");
        assert!(!is_hot || level.is_none_or(|level| level >= 2), "{spec} is at {level:?}");
    }
}

#[test]
fn each_level_is_of_a_package_that_is_there() {
    let lock: toml::Table = fs::read_to_string(folder("../Cargo.lock")).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap().iter();
    let text = |package: &toml::Value, field: &str| package[field].as_str().unwrap().to_owned();
    let locked: BTreeSet<(String, String)> =
        packages.map(|package| (text(package, "name"), text(package, "version"))).collect();
    for (spec, _) in levels() {
        let (name, version) = spec.split_once('@').unwrap_or((&spec, ""));
        let is_it = |(its, at): &(String, String)| its == name && at.starts_with(version);
        assert!(locked.iter().any(is_it), "{spec} is not in the lock file");
    }
}
