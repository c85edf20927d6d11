//! Tests that the component and its bill of materials are reproducible: they are built again from
//! another folder, with another Cargo home, in another environment. `make reproduce` does so with
//! the whole package, twice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use smp_tests::harness::{binary, component, folder, make};

#[test]
fn another_folder_and_another_cargo_home_give_the_same_bytes() {
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("a/folder/with/a/name/of/another/length");
    copy_sources(&folder(".."), &copy);
    let home = cargo_home(elsewhere.path());

    // The part of the project's `make` that builds the component.
    let made = make()
        .args(["--silent", "core-module", "TARGET=target"])
        .current_dir(&copy)
        .env("CARGO_HOME", &home)
        .env("CARGO_NET_OFFLINE", "true")
        .env("TZ", "Pacific/Auckland")
        .env("LC_ALL", "C")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let built = copy.join("target/wasm32-unknown-unknown/component");
    let (again, bill) =
        (elsewhere.path().join("again.wasm"), elsewhere.path().join("again.cdx.json"));
    step("componentize", &copy, &[&built.join("atlassian_cloud.wasm"), &again]);
    let (messages, lock) = (built.join("atlassian_cloud.messages.json"), copy.join("Cargo.lock"));
    step(
        "bill-of-materials",
        &copy,
        &[
            Path::new("atlassian-cloud"),
            Path::new("wasm32-unknown-unknown"),
            &messages,
            &lock,
            &bill,
        ],
    );

    assert_same(&component(), &again);
    assert_same(&component().with_extension("cdx.json"), &bill);
}

/// Runs a build step that was built before.
fn step(name: &str, within: &Path, arguments: &[&Path]) {
    let ended = Command::new(binary().with_file_name(name))
        .args(arguments)
        .current_dir(within)
        .output()
        .unwrap();
    assert!(ended.status.success(), "{name}: {}", String::from_utf8_lossy(&ended.stderr));
}

fn assert_same(one: &Path, other: &Path) {
    let (one_bytes, other_bytes) = (fs::read(one).unwrap(), fs::read(other).unwrap());
    let differs = one_bytes.iter().zip(&other_bytes).position(|(one, other)| one != other);
    let (length, other_length) = (one_bytes.len(), other_bytes.len());
    assert!(
        one_bytes == other_bytes,
        "{} has {length} bytes, and {other_length} when it is built elsewhere; byte {differs:?} \
         is the first that differs",
        one.display()
    );
}

/// A Cargo home that has the downloads of the registries, and unpacks them again.
fn cargo_home(within: &Path) -> PathBuf {
    let usual = std::env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cargo"),
        PathBuf::from,
    );
    let home = within.join("cargo");
    fs::create_dir_all(home.join("registry")).unwrap();
    for part in ["index", "cache"] {
        symlink(usual.join("registry").join(part), home.join("registry").join(part)).unwrap();
    }
    if usual.join("config.toml").exists() {
        fs::copy(usual.join("config.toml"), home.join("config.toml")).unwrap();
    }
    home
}

/// Copies a folder without build output.
fn copy_sources(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name());
        if ["target", "dist", ".git"].iter().any(|left_out| name == *left_out) {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy_sources(&path, &to.join(&name));
        } else if kind.is_file() {
            fs::copy(&path, to.join(&name)).unwrap();
        }
    }
}
