//! Tests of what is not packaged, and of the messages. Nothing is left in the output folder.

use std::fs;
use std::path::Path;

use smp_tests::harness::{Run, component, folder, names, test_component};

use crate::setup::{CASES, VERSION, bill, bill_of, packaging, packaging_of};

#[test]
fn a_connector_that_does_not_pass_its_check_is_not_packaged() {
    let (output, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ended =
        packaging_of(&test_component("tame"), &bill_of(files.path(), "0.1.0"), output.path()).end();
    assert_eq!(ended.code, Some(1));
    let said = ended.said("contract");
    assert!(
        said.starts_with(
            "the connector does not pass its check, so it is not packaged: the rule \
             `listing-complete` is not kept"
        ),
        "{said}"
    );
    assert!(said.contains("Fill in what is missing in the descriptor"), "{said}");
    assert!(names(output.path()).is_empty());
}

#[test]
fn what_is_only_a_warning_is_packaged_unless_the_check_is_strict() {
    let output = tempfile::tempdir().unwrap();
    let ended = packaging(output.path()).arg("--strict").end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (output, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let case = files.path().join("case");
    copy(&folder(CASES[0]), &case);
    fs::remove_file(case.join("expected.json")).unwrap();
    let lenient = packaging(output.path()).file("--fixtures", &case);
    assert_eq!(lenient.end().code, Some(0));
    let other = tempfile::tempdir().unwrap();
    let strict = packaging(other.path()).file("--fixtures", &case).arg("--strict").end();
    assert!(strict.said("contract").contains("`fixtures-told`"), "{}", strict.stderr);
    assert!(names(other.path()).is_empty());
}

#[test]
fn what_is_no_component_is_not_packaged() {
    let (output, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let module = files.path().join("module.wasm");
    fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    let ended = packaging_of(&module, &bill(), output.path()).end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.said("component").contains("core WebAssembly module"), "{}", ended.stderr);
    assert!(names(output.path()).is_empty());
}

#[test]
fn a_bill_of_another_version_is_refused() {
    let (output, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ended = packaging_of(&component(), &bill_of(files.path(), "99.0.0"), output.path()).end();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended
            .said("invalid-settings")
            .contains(&format!("it is of 99.0.0, and the connector is {VERSION}")),
        "{}",
        ended.stderr
    );
}

const NOWHERE: &str = "no/such/file";

#[test]
fn what_is_named_wrongly_is_wrong_usage() {
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (text, spdx) = (file("text", "text"), file("spdx.json", r#"{"spdxVersion": "SPDX-2.3"}"#));
    for (option, value, said) in [
        ("--sbom", text.as_str(), "it is not a JSON object"),
        ("--sbom", &spdx, "it is not a CycloneDX 1.5, 1.6 or 1.7 document"),
        ("--sbom", NOWHERE, "`--sbom no/such/file` cannot be read"),
        ("--changelog", NOWHERE, "`--changelog no/such/file` cannot be read"),
        ("--figures", NOWHERE, "`--figures no/such/file` cannot be read"),
        ("--icon", NOWHERE, "`--icon no/such/file` cannot be read"),
        ("--figures", &text, "the figures cannot be used"),
        ("--licenses", "Apache 2", "`--licenses` is not an SPDX expression"),
        ("--source", "http://example.test", "`--source` is not a web address"),
        ("--homepage", "/a/folder", "`--homepage` is not a web address"),
        ("--authors", "", "`--authors` is empty"),
        ("--revision", "a\nb", "`--revision` contains a line break"),
        ("--fixtures", &text, "`--fixtures "),
    ] {
        let output = tempfile::tempdir().unwrap();
        let defaults = [
            ("--sbom", bill()),
            ("--changelog", folder("../CHANGELOG.md")),
            ("--fixtures", folder(CASES[0])),
        ];
        let run =
            Run::new("package").args(["--json", option, value]).file("--output", output.path());
        let run = defaults
            .iter()
            .filter(|(name, _)| *name != option)
            .fold(run, |run, (name, path)| run.file(name, path));
        let ended = run.end();
        // A file that is not there is no wrong usage.
        let code = if value == NOWHERE { 1 } else { 2 };
        assert_eq!(ended.code, Some(code), "{option} {value}: {}", ended.stderr);
        assert!(
            ended.said("invalid-settings").contains(said),
            "{option} {value}: {}",
            ended.stderr
        );
        assert!(names(output.path()).is_empty(), "{option} {value}");
    }
    let ended = packaging(files.path()).env("SOURCE_DATE_EPOCH", "yesterday").end();
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.said("invalid-settings").contains("SOURCE_DATE_EPOCH is no number of seconds"),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_is_no_release_is_refused_as_one() {
    let files = tempfile::tempdir().unwrap();
    let changelog = |title: &str| {
        let path = files.path().join(title.to_lowercase());
        fs::write(&path, format!("# Changelog\n\n## {title}\n\n- this\n")).unwrap();
        path
    };
    let (released, unreleased) = (changelog(VERSION), changelog("Unreleased"));
    for (changelog, revision, said) in [
        (&unreleased, Some("0123abcd"), format!("the changelog has no entry for {VERSION}")),
        (&released, None, "the commit that it was built from is not named".to_owned()),
        (
            &released,
            Some("0123abcd-dirty"),
            "the commit that it was built from has local changes: 0123abcd-dirty".to_owned(),
        ),
    ] {
        let output = tempfile::tempdir().unwrap();
        let run = Run::new("package")
            .args(["--json", "--release"])
            .file("--output", output.path())
            .file("--sbom", &bill());
        let run = run.file("--fixtures", &folder(CASES[0])).file("--changelog", changelog);
        let ended = revision
            .into_iter()
            .fold(run, |run, revision| run.args(["--revision", revision]))
            .end();
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.said("invalid-settings").starts_with(&format!("this is not a release: {said}")),
            "{}",
            ended.stderr
        );
        assert!(names(output.path()).is_empty());
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).map(drop).unwrap()
        }
    }
}
