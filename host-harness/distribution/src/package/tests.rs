//! Tests of packages in folders: what belongs to one, and what is refused.

use super::*;
use crate::metadata::testing::component;

/// A folder as `sha256sum` would describe it.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut sums = String::new();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
        sums.push_str(&format!("{}  {name}\n", Digest::of(bytes).hex()));
    }
    fs::write(folder.path().join(SUMS), sums).unwrap();
    folder
}

fn opened(folder: &tempfile::TempDir) -> Result<Package, Failure> {
    Package::open(folder.path(), &Limits::default())
}

#[test]
fn a_package_is_read_and_written_as_it_is() {
    let wasm = component("example", "1.0.0");
    let folder = folder(&[("example.wasm", &wasm), ("listing.json", b"{}")]);
    fs::write(folder.path().join(SIGNATURE), "c2ln").unwrap();
    fs::write(folder.path().join(BUNDLE), "{}").unwrap();
    let package = opened(&folder).unwrap();
    assert_eq!((package.component(), package.component_name()), (wasm.as_slice(), "example.wasm"));
    assert_eq!((package.files().len(), package.signature()), (1, Some(&b"c2ln"[..])));
    let copy = folder.path().with_extension("copy").join("deeper");
    package.write(&copy).unwrap();
    assert_eq!(Package::open(&copy, &Limits::default()).unwrap(), package);
    package.write(&copy).unwrap();
    fs::write(copy.join("listing.json"), "{} ").unwrap();
    assert_eq!(package.write(&copy).unwrap_err().code, Code::Output);
    fs::remove_dir_all(copy.parent().unwrap()).unwrap();
}

#[test]
fn a_file_that_was_changed_added_or_removed_is_named() {
    let make = || folder(&[("example.wasm", b"\0asm"), ("listing.json", b"{}")]);
    let said = |folder: &tempfile::TempDir| {
        let failure = opened(folder).unwrap_err();
        assert!(failure.code == Code::Untrusted && failure.hint.is_some());
        failure.message
    };
    let changed = make();
    fs::write(changed.path().join("listing.json"), "[]").unwrap();
    assert!(said(&changed).starts_with("`listing.json` does not match its digest"));
    let added = make();
    fs::write(added.path().join("listing.md"), "# New").unwrap();
    assert_eq!(said(&added), "`listing.md` is in the folder but not in SHA256SUMS");
    let removed = make();
    fs::remove_file(removed.path().join("listing.json")).unwrap();
    assert_eq!(said(&removed), "`listing.json` is missing, which SHA256SUMS names");
}

#[test]
fn unsigned_files_are_refused_whatever_their_names_and_number() {
    for (number, name) in [
        (1, "SHA256SUMS.evil.html"),
        (1, "SHA256SUMS.1"),
        (1, "SHA256SUMS.sig.bak"),
        (1, ".hidden"),
        (3_000, "SHA256SUMS.N"),
    ] {
        let folder = folder(&[("example.wasm", b"\0asm"), ("listing.json", b"{}")]);
        for number in 0..number {
            let name = name.replace('N', &number.to_string());
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let failure = opened(&folder).unwrap_err();
        let is_named = failure.message.ends_with("is in the folder but not in SHA256SUMS");
        assert!(is_named && failure.code == Code::Untrusted, "{name}: {}", failure.message);
    }
}

#[test]
fn sums_name_plain_files_once_and_one_component() {
    let digest = "0".repeat(64);
    for text in [
        String::new(),
        format!("{digest}  ../a.wasm\n"),
        format!("{digest}  .a.wasm\n"),
        format!("{digest}  a.wasm\n{digest}  a.wasm\n"),
        format!("{digest}  a.wasm\n{digest}  b.wasm\n"),
        format!("{digest}  a.wasm\n{digest}  SHA256SUMS.sig\n"),
        format!("{digest} a.wasm\n"),
        format!("{}  a.wasm\n", "g".repeat(64)),
        format!("{}é  a.wasm\n", "0".repeat(63)),
        (0..40).map(|number| format!("{digest}  {number}.txt\n")).collect(),
    ] {
        assert_eq!(
            Sums::read(text.clone().into_bytes()).unwrap_err().code,
            Code::Component,
            "{text}"
        );
    }
    assert!(Sums::read(format!("{digest} *a.wasm\n{digest}  a.txt").into_bytes()).is_ok());
}

#[test]
fn a_link_in_place_of_a_file_is_not_followed() {
    let folder = folder(&[("example.wasm", b"\0asm"), ("listing.json", b"{}")]);
    let secret = folder.path().with_extension("secret");
    fs::write(&secret, "{}").unwrap();
    fs::remove_file(folder.path().join("listing.json")).unwrap();
    std::os::unix::fs::symlink(&secret, folder.path().join("listing.json")).unwrap();
    assert!(opened(&folder).unwrap_err().message.contains("it is a link"));
    fs::remove_file(secret).unwrap();
}
