//! Tests of the architecture, from Cargo's metadata: which crate depends on which, what an embedder
//! takes along, and that wasmtime is compiled once for every choice of packages. From the files:
//! that none import each other in a circle, and that none is too long.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use smp_tests::harness::folder;

#[path = "architecture/circles.rs"]
mod circles;
#[path = "architecture/length.rs"]
mod length;
#[path = "architecture/levels.rs"]
mod levels;

/// Each crate of the host and its permitted dependencies. Any other is an error.
const ARROWS: &[(&str, &[&str])] = &[
    ("smp-guard", &[]),
    ("smp-host", &["smp-guard"]),
    ("smp-listing", &["smp-host"]),
    ("smp-replay", &["smp-host"]),
    ("smp-conformance", &["smp-host", "smp-listing", "smp-replay"]),
    ("smp-distribution", &["smp-host"]),
    ("smp-seal", &[]),
    (
        "smp-harness",
        &[
            "smp-host",
            "smp-listing",
            "smp-replay",
            "smp-conformance",
            "smp-distribution",
            "smp-seal",
        ],
    ),
];
/// The platform stands on these: it makes no package, and replays no traffic.
const PLATFORM: &[&str] = &["smp-host", "smp-listing", "smp-distribution", "smp-conformance"];
/// Further dependencies of `smp-distribution` for making packages: only with its feature `publish`.
const PUBLISH: &[&str] = &["smp-conformance", "smp-listing", "smp-replay"];

/// Packages that a library for embedding must not bring: they belong to a command.
const COMMANDS_OWN: [&str; 8] = [
    "clap",
    "indicatif",
    "rpassword",
    "terminal_size",
    "tracing-subscriber",
    "pulldown-cmark",
    "docker_credential",
    "scrypt",
];

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ended = Command::new(cargo)
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(folder(".."))
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap()
}

/// The packages of the workspace, as Cargo describes them.
fn workspace() -> Vec<Value> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps"])).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The workspace's packages that this one depends on, without tests; the flag says whether each is
/// optional.
fn stands_on(package: &Value, ours: &BTreeSet<String>) -> BTreeMap<String, bool> {
    let dependencies = package["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|dependency| dependency["kind"].is_null());
    let named = dependencies.map(|dependency| {
        (dependency["name"].as_str().unwrap().to_owned(), dependency["optional"] == true)
    });
    named.filter(|(name, _)| ours.contains(name)).collect()
}

#[test]
fn crates_stand_on_those_below_them_alone() {
    let packages = workspace();
    let name = |package: &Value| package["name"].as_str().unwrap().to_owned();
    let ours: BTreeSet<_> = packages.iter().map(name).collect();
    for (crate_name, below) in ARROWS {
        let package = packages.iter().find(|package| name(package) == *crate_name).unwrap();
        for (other, optional) in stands_on(package, &ours) {
            let behind_publish =
                *crate_name == "smp-distribution" && optional && PUBLISH.contains(&other.as_str());
            assert!(
                below.contains(&other.as_str()) || behind_publish,
                "{crate_name} stands on {other}"
            );
        }
    }
    let platform = packages.iter().find(|package| name(package) == "smp-platform").unwrap();
    for other in stands_on(platform, &ours).keys() {
        assert!(PLATFORM.contains(&other.as_str()), "smp-platform stands on {other}");
    }
    let houses = packages
        .iter()
        .filter(|package| package["manifest_path"].as_str().unwrap().contains("/host-harness/"));
    let known: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(
        houses.map(name).collect::<BTreeSet<_>>(),
        known,
        "every crate of host-harness has its row here"
    );
}

/// The packages that come with this crate and these flags, including the crate itself.
fn embedded(package: &str, flags: &[&str]) -> BTreeSet<String> {
    let arguments =
        [&["tree", "--package", package, "--edges", "normal", "--prefix", "none"], flags].concat();
    cargo(&arguments).lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn an_embedder_takes_a_library_and_not_a_command() {
    for (flags, most) in [(&[][..], 205), (&["--no-default-features"][..], 134)] {
        let packages = embedded("smp-host", flags);
        assert!(
            packages.len() <= most,
            "{} packages with {flags:?}: {packages:#?}",
            packages.len()
        );
        for package in &packages {
            let name = package.split_whitespace().next().unwrap();
            assert!(!COMMANDS_OWN.contains(&name), "{name} with {flags:?}");
        }
    }
}

#[test]
fn the_guard_takes_no_runtime_with_it_and_the_host_nothing_more_for_it() {
    let (guard, host) =
        (embedded("smp-guard", &[]), embedded("smp-host", &["--no-default-features"]));
    assert!(guard.len() <= 20, "{} packages: {guard:#?}", guard.len());
    let new: Vec<_> = guard.difference(&host).collect();
    assert!(new.is_empty(), "{new:?}");
    let runtime = |package: &&String| {
        ["wasmtime", "tokio", "wit"].iter().any(|word| package.starts_with(word))
    };
    assert_eq!(guard.iter().find(runtime), None);
}

#[test]
fn the_bridge_to_an_engine_has_no_database_no_runtime_and_nothing_of_ours() {
    let lock = std::fs::read_to_string(folder("../platform/temporal/Cargo.lock")).unwrap();
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = "));
    let names: BTreeSet<&str> = names.map(|name| name.trim_matches('"')).collect();
    assert!(names.contains("smp-temporal") && names.contains("temporalio-sdk"), "{names:?}");
    let foreign = |name: &&&str| {
        let ours = name.starts_with("smp-") && **name != "smp-temporal";
        ours || name.starts_with("sqlx") || name.starts_with("wasmtime")
    };
    assert_eq!(names.iter().find(foreign), None);
    let root = std::fs::read_to_string(folder("../Cargo.lock")).unwrap();
    assert!(!root.contains("temporalio"), "authors of connectors compile none of it");
}

/// Each package below wasmtime with its features: for the machine that compiles, and for the one
/// that runs.
fn below_wasmtime(selection: &[&str]) -> BTreeSet<String> {
    let arguments = [
        &["tree", "--edges", "normal,build", "--prefix", "depth", "--format", " {p}|{f}"],
        selection,
    ]
    .concat();
    let (mut stands_on, mut path) =
        (BTreeMap::<String, BTreeSet<String>>::new(), Vec::<String>::new());
    for line in cargo(&arguments).lines() {
        let Some((depth, package)) = line.split_once(' ') else { continue };
        // The tree below a package is printed only at its first occurrence.
        let package = package.trim_end_matches(" (*)").to_owned();
        path.truncate(depth.parse().unwrap());
        if let Some(above) = path.last() {
            stands_on.entry(above.clone()).or_default().insert(package.clone());
        }
        path.push(package);
    }
    let mut open: Vec<&String> =
        stands_on.keys().filter(|package| package.starts_with("wasmtime v")).collect();
    let mut below = BTreeSet::new();
    while let Some(package) = open.pop() {
        if below.insert(package.clone()) {
            open.extend(stands_on.get(package).into_iter().flatten());
        }
    }
    below
}

#[test]
fn wasmtime_is_compiled_once_for_every_choice_of_packages() {
    let all = below_wasmtime(&["--workspace"]);
    assert!(all.len() > 50, "{all:?}");
    // The second one is what `make run` builds.
    for selection in [
        &["--package", "smp-harness"][..],
        &["--package", "smp-harness", "--package", "componentize"][..],
        &["--package", "smp-host"][..],
    ] {
        let chosen = below_wasmtime(selection);
        let other: Vec<_> = chosen.difference(&all).collect();
        assert!(
            other.is_empty(),
            "with {selection:?} these have other features than with --workspace: {other:#?}"
        );
    }
}
