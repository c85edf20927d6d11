//! Tests of TLS: which certificates are trusted, and what is told of those that are not.

use std::path::Path;

use serde_json::json;
use smp_tests::harness::Run;
use smp_tests::mock::Mock;

use crate::between::Between;
use crate::{ca_file, live, organization};

#[test]
fn tls_works_with_the_certificate_of_the_authority() {
    let (mock, folder) = (organization().start_tls().unwrap(), tempfile::tempdir().unwrap());
    let ended = Run::new("collect")
        .at(&mock)
        .file("--ca-file", &ca_file(&mock, folder.path()))
        .args(["--format", "ndjson"])
        .end();
    assert_eq!((ended.code, ended.lines().len()), (Some(0), 25), "{}", ended.stderr);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_told_with_the_way_out() {
    let mock = organization().start_tls().unwrap();
    let (other, folder) = (organization().start_tls().unwrap(), tempfile::tempdir().unwrap());
    let untrusting = |command| Run::new(command).at(&mock).args(["--json"]);
    for ended in [
        untrusting("collect").end(),
        untrusting("connect").end(),
        untrusting("collect").file("--ca-file", &ca_file(&other, folder.path())).end(),
        without_certificates(untrusting("collect"), folder.path()).end(),
    ] {
        let error = ended.error();
        assert_eq!((ended.code, &error["code"]), (Some(1), &json!("upstream")), "{error}");
        assert!(error["message"].as_str().unwrap().contains("certificate"), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("`--ca-file`"), "{error}");
    }
    assert_eq!(mock.requests(), 0);
}

#[test]
fn every_certificate_that_is_amiss_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let validate = |mock: &Mock| Run::new("validate").at(mock).arg("--json");
    // The operator trusts it, which does not help.
    let authority = organization().start_tls_as_authority().unwrap();
    let ended = validate(&authority).file("--ca-file", &ca_file(&authority, folder.path())).end();
    let said = ended.said("upstream");
    assert!(
        said.contains("the certificate of an authority, used as the server's own")
            && said.contains("Give the server a certificate of its own")
            && !said.contains("`--ca-file`"),
        "{said}"
    );
    let mock = organization().start_tls().unwrap();
    let said = without_certificates(validate(&mock), folder.path()).end().said("upstream");
    assert!(
        said.contains("this machine has no certificates of authorities")
            && said.contains("`ca-certificates`")
            && said.contains("`--ca-file`"),
        "{said}"
    );
    assert_eq!((authority.requests(), mock.requests()), (0, 0));
}

#[test]
fn a_file_of_certificates_is_taken_with_its_mark_or_named_for_what_it_is() {
    let (mock, folder) = (organization().start_tls().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("given");
    let validate = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Run::new("validate").at(&mock).file("--ca-file", &file).arg("--json").end()
    };
    let pem = mock.ca_pem().unwrap();
    let ended = validate(format!("\u{feff}{pem}").as_bytes());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, lines).unwrap();
    let before = mock.requests();
    for (bytes, words) in [
        (der, "`openssl x509 -inform der"),
        (pem.replace("CERTIFICATE", "PRIVATE KEY").into_bytes(), "never its private key"),
        (pem.as_bytes()[..pem.len() / 2].to_vec(), "it is not whole"),
        (Vec::new(), "it is empty"),
    ] {
        let ended = validate(&bytes);
        let said = ended.said("invalid-settings");
        assert!(ended.code == Some(2) && said.contains(words), "{said}");
    }
    assert_eq!(mock.requests(), before);
}

#[test]
fn a_validation_tells_of_the_certificate_too() {
    let mock = organization().start_tls().unwrap();
    let ended = Run::new("validate").at(&mock).args(["--json"]).end();
    let (report, error) = (ended.json(), ended.error());
    assert_eq!(
        (ended.code, &report["ready"], &error["code"]),
        (Some(1), &json!(false), &json!("upstream"))
    );
    let checks = report["checks"].as_array().unwrap();
    let failed = checks.iter().find(|check| check["outcome"] == "failed").unwrap();
    assert_eq!((&failed["message"], &failed["hint"]), (&error["message"], &error["hint"]));
    assert!(ended.said("upstream").contains("`--ca-file`"));
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let (mock, folder) = (organization().start_tls().unwrap(), tempfile::tempdir().unwrap());
    let proxy = Between::tunnel(mock.address());
    let ended = live("collect", &mock, &proxy, folder.path()).args(["--json"]).end();
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(1), &json!("upstream")),
        "{}",
        ended.stderr
    );
    assert!(ended.error()["message"].as_str().unwrap().contains("certificate"), "{}", ended.stderr);
    assert_eq!(mock.requests(), 0);
}

#[test]
fn plain_http_to_this_machine_needs_no_certificates() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let run = Run::new("validate").at(&mock).args(["--json"]);
    let ended = without_certificates(run, folder.path()).end();
    assert_eq!((ended.code, &ended.json()["ready"]), (Some(0), &json!(true)), "{}", ended.stderr);
}

/// Simulates a machine without any certificates.
fn without_certificates(run: Run, folder: &Path) -> Run {
    run.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", folder.join("missing"))
}
