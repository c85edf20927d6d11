//! Tests with a registry that lies, and with one that has the referrers API.

use serde_json::{Value, json};
use smp_tests::harness::Lonely;
use smp_tests::registry::FakeRegistry;

use super::{Bench, files, push, refused, run};

/// A registry with a signed release, and the release's digest.
fn published(bench: &Bench) -> (FakeRegistry, String) {
    let fake = FakeRegistry::start();
    let folder = bench.release("0.1.0");
    bench.sign(folder.to_str().unwrap());
    let digest = push(&folder, &format!("{}/it", fake.host()));
    let signed = bench.sign(&format!("{}/it@{digest}", fake.host()));
    assert_eq!(signed.code, Some(0), "{}", signed.stderr);
    (fake, digest)
}

/// The digest of the file of a package.
fn digest_of(bench: &Bench, name: &str) -> String {
    let sums = std::fs::read_to_string(bench.path("atlassian-cloud-0.1.0/SHA256SUMS")).unwrap();
    let line = sums.lines().find(|line| line.ends_with(name)).unwrap();
    format!("sha256:{}", &line[..64])
}

#[test]
fn a_registry_that_keeps_account_of_referrers_is_given_no_list_of_them() {
    let bench = Bench::new();
    let (fake, digest) = published(&bench);
    assert_eq!(fake.tags(), ["0.1.0".to_owned(), format!("{}.sig", digest.replace(':', "-"))]);
    let old = FakeRegistry::without_referrers();
    assert_eq!(push(&bench.path("atlassian-cloud-0.1.0"), &format!("{}/it", old.host())), digest);
    assert_eq!(old.tags(), ["0.1.0".to_owned(), digest.replace(':', "-")]);
    for (fake, name) in [(&fake, "new"), (&old, "old")] {
        let pulled = run("pull")
            .arg(format!("{}/it:0.1.0", fake.host()))
            .file("--output", &bench.path(name))
            .end();
        assert_eq!(pulled.code, Some(0), "{}", pulled.stderr);
        let pulled = files(&bench.path(name).join("atlassian-cloud-0.1.0"));
        assert!(pulled.iter().any(|(name, _)| name == "SHA256SUMS.sig"));
        assert_eq!(pulled, files(&bench.path("atlassian-cloud-0.1.0")));
    }
}

#[test]
fn content_that_is_not_what_it_was_asked_by_is_refused() {
    let bench = Bench::new();
    let (fake, digest) = published(&bench);
    let (component, listing) = (digest_of(&bench, ".wasm"), digest_of(&bench, "listing.json"));
    let pull = || {
        run("pull")
            .arg(format!("{}/it@{digest}", fake.host()))
            .file("--output", &bench.path("out"))
            .end()
    };
    for (place, bytes, words) in [
        (&digest, &b"{\"schemaVersion\":2}"[..], "serves other content in place of a manifest"),
        (&component, b"\0asm\x0d\0\x01\0", "serves other content in place of the component"),
        (&listing, b"{}", "serves other content in place of `listing.json`"),
    ] {
        fake.serve(place, bytes);
        refused(&pull(), "untrusted", words);
        fake.repent();
    }
    assert!(!bench.path("out").exists());
    assert_eq!(pull().code, Some(0));
}

#[test]
fn an_answer_without_end_is_read_to_its_bound() {
    let bench = Bench::new();
    let (fake, digest) = published(&bench);
    let pull = || {
        run("pull")
            .arg(format!("{}/it:0.1.0", fake.host()))
            .file("--output", &bench.path("out"))
            .end()
    };
    let places = [
        "/manifests/0.1.0".to_owned(),
        digest_of(&bench, ".wasm"),
        digest_of(&bench, "listing.json"),
        format!("/referrers/{digest}"),
    ];
    for place in places {
        fake.serve_without_end(&place);
        refused(&pull(), "limit", "is larger than");
        fake.repent();
    }
}

#[test]
fn a_manifest_that_is_none_of_a_component_is_refused() {
    let bench = Bench::new();
    let (fake, _) = published(&bench);
    let good = fake.manifest("0.1.0").unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        fake.put_manifest("changed", &manifest);
        run("pull")
            .arg(format!("{}/it:changed", fake.host()))
            .file("--output", &bench.path("out"))
            .end()
    };
    let layer = &good["layers"][0];
    refused(&changed(&|it| it["layers"] = json!([])), "unexpected-response", "has 0 layers");
    refused(
        &changed(&|it| it["layers"] = json!([layer, layer])),
        "unexpected-response",
        "has 2 layers",
    );
    refused(
        &changed(&|it| it["layers"] = json!(vec![layer; 300])),
        "unexpected-response",
        "too many layers",
    );
    refused(
        &changed(&|it| it["layers"][0]["mediaType"] = json!("text/plain")),
        "unexpected-response",
        "not a WebAssembly component",
    );
    refused(
        &changed(&|it| it["config"]["mediaType"] = json!("text/plain")),
        "unexpected-response",
        "not a WebAssembly component",
    );
    refused(
        &changed(&|it| it["layers"][0]["size"] = json!(1_u64 << 40)),
        "component",
        "the limit `component`",
    );
    refused(
        &changed(&|it| it["layers"][0]["digest"] = json!("sha256:../..")),
        "unexpected-response",
        "not a manifest",
    );
    refused(
        &changed(&|it| it["annotations"]["smp.connector.sha256sums"] = json!("x")),
        "unexpected-response",
        "SHA256SUMS",
    );
    assert!(!bench.path("out").exists());
}

#[test]
fn more_referrers_than_anybody_needs_are_refused() {
    let bench = Bench::new();
    let (fake, digest) = published(&bench);
    let entry = json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1 });
    let index = json!({ "schemaVersion": 2, "manifests": vec![entry; 201] });
    fake.serve(&format!("/referrers/{digest}"), index.to_string().as_bytes());
    let pulled = run("pull")
        .arg(format!("{}/it:0.1.0", fake.host()))
        .file("--output", &bench.path("out"))
        .end();
    refused(&pulled, "unexpected-response", "more than 200 artifacts");
}

#[test]
fn a_list_in_pages_is_read_to_its_end_and_leads_nowhere_else() {
    let bench = Bench::new();
    let (fake, digest) = published(&bench);
    fake.remove(&format!("{}.sig", digest.replace(':', "-")));
    let trust = bench.trust();
    let pull = |name: &str| {
        run("pull")
            .arg(format!("{}/it:0.1.0", fake.host()))
            .args(&trust)
            .file("--output", &bench.path(name))
            .end()
    };
    for (name, place) in [("path", ""), ("url", "{}")] {
        fake.list_in_pages_at(place);
        let pulled = pull(name);
        assert_eq!(pulled.code, Some(0), "{}", pulled.stderr);
        assert!(bench.path(name).join("atlassian-cloud-0.1.0/SHA256SUMS.sig").exists());
    }
    let lonely = Lonely::start();
    fake.list_in_pages_at(&lonely.url());
    refused(&pull("elsewhere"), "denied", "redirects to an address");
    assert!(!lonely.was_visited());
}

#[test]
fn a_redirect_leads_only_where_it_is_permitted() {
    let bench = Bench::new();
    let (fake, lonely) = (published(&bench).0, Lonely::start());
    let component = digest_of(&bench, ".wasm");
    let pull = || {
        run("pull")
            .arg(format!("{}/it:0.1.0", fake.host()))
            .file("--output", &bench.path("out"))
            .end()
    };
    let back = format!("/v2/it/blobs/{component}");
    for place in [
        lonely.url(),
        "http://169.254.169.254/latest".into(),
        "https://localhost/".into(),
        "file:///etc/passwd".into(),
        back,
    ] {
        fake.redirect(&component, &place);
        let ended = pull();
        assert_eq!(ended.code, Some(1), "{place}");
        ended.said("denied");
        fake.repent();
    }
    assert!(!lonely.was_visited());
}

#[test]
fn an_upload_goes_to_the_registry_alone() {
    let (fake, lonely, bench) = (FakeRegistry::start(), Lonely::start(), Bench::new());
    fake.upload_to(&format!("{}/v2/it/blobs/uploads/1", lonely.url()));
    let pushed = run("push").arg(bench.release("0.1.0")).arg(format!("{}/it", fake.host())).end();
    refused(&pushed, "denied", "another origin");
    assert!(!lonely.was_visited());
}

#[test]
fn what_a_registry_refuses_is_told_by_what_to_do_next() {
    let (fake, bench) = (FakeRegistry::start(), Bench::new());
    let folder = bench.release("0.1.0");
    for (status, code) in [
        (401, "credentials"),
        (403, "permission"),
        (429, "rate-limited"),
        (500, "upstream"),
        (418, "unexpected-response"),
    ] {
        fake.refuse("/manifests/0.1.0", status);
        let ended = run("push").arg(&folder).arg(format!("{}/it", fake.host())).end();
        assert_eq!(ended.code, Some(1), "{status}");
        ended.said(code);
        fake.repent();
    }
}
