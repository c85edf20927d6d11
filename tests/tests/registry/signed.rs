//! Tests of signatures in a registry, and of what a trust file permits.

use serde_json::json;
use smp_tests::harness::{Ended, Run};
use smp_tests::registry::{DockerRegistry, FakeRegistry};

use super::{Bench, ID, files, push, refused, run};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A registry with a signed release, and the release's digest.
fn published(bench: &Bench, version: &str) -> (FakeRegistry, String) {
    let fake = FakeRegistry::start();
    let digest = publish(bench, &fake, version);
    (fake, digest)
}

fn publish(bench: &Bench, fake: &FakeRegistry, version: &str) -> String {
    let folder = bench.release(version);
    assert_eq!(bench.sign(folder.to_str().unwrap()).code, Some(0));
    let digest = push(&folder, &format!("{}/it", fake.host()));
    assert_eq!(bench.sign(&format!("{}/it@{digest}", fake.host())).code, Some(0));
    digest
}

fn verify(fake: &FakeRegistry, place: &str, trust: &[String; 2]) -> Ended {
    run("verify").arg(format!("{}/it{place}", fake.host())).args(trust).end()
}

fn signature_tag(digest: &str) -> String {
    format!("{}.sig", digest.replace(':', "-"))
}

#[test]
fn a_release_is_pushed_signed_pulled_and_run_with_a_trust_file() {
    let Some(registry) = DockerRegistry::start() else { return };
    let bench = Bench::new();
    let folder = bench.release("0.1.0");
    assert_eq!(bench.sign(folder.to_str().unwrap()).code, Some(0));
    let reference = format!("{}/connectors/atlassian-cloud", registry.host());
    let digest = push(&folder, &reference);
    let pull = |trust: &[String; 2]| {
        run("pull")
            .arg(format!("{reference}:0.1.0"))
            .args(trust)
            .file("--output", &bench.path("out"))
            .end()
    };
    refused(&pull(&bench.trust()), "untrusted", "the registry has no signature");
    assert!(!bench.path("out").exists());
    let signed = bench.sign(&format!("{reference}@{digest}"));
    assert_eq!(signed.code, Some(0), "{}", signed.stderr);
    let pulled = pull(&bench.trust());
    assert_eq!(
        (pulled.code, &pulled.json()["publisher"]),
        (Some(0), &json!("Example Ltd")),
        "{}",
        pulled.stderr
    );
    assert_eq!(files(&bench.path("out/atlassian-cloud-0.1.0")), files(&folder));
    let component = bench.path("out/atlassian-cloud-0.1.0/atlassian-cloud.wasm");
    let shown = Run::bare().arg("inspect").arg(&component).args(bench.trust()).arg("--json").end();
    assert_eq!(
        (shown.code, &shown.json()["descriptor"]["id"]),
        (Some(0), &json!(ID)),
        "{}",
        shown.stderr
    );
    for place in [":0.1.0".to_owned(), format!("@{digest}"), format!(":0.1.0@{digest}")] {
        let verified = run("verify").arg(format!("{reference}{place}")).args(bench.trust()).end();
        assert_eq!(
            (verified.code, &verified.json()["artifact"]),
            (Some(0), &json!(digest)),
            "{}",
            verified.stderr
        );
    }
}

#[test]
fn a_signature_lies_where_cosign_looks_for_it_and_a_second_key_is_added_to_the_first() {
    let Some(registry) = DockerRegistry::start() else { return };
    let (bench, second) = (Bench::new(), Bench::new());
    let digest = push(&bench.release("0.1.0"), &format!("{}/a", registry.host()));
    let reference = format!("{}/a@{digest}", registry.host());
    for key in [&bench, &bench, &second] {
        assert_eq!(key.sign(&reference).code, Some(0));
    }
    let (_, text) =
        registry.ask("GET", &format!("/v2/a/manifests/{}", signature_tag(&digest)), MANIFEST, "");
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 2, "one for each key");
    assert_eq!(
        (&manifest["subject"]["digest"], &manifest["subject"]["mediaType"]),
        (&json!(digest), &json!(MANIFEST))
    );
    let layer = &manifest["layers"][1];
    assert_eq!(layer["mediaType"], json!("application/vnd.dev.cosign.simplesigning.v1+json"));
    assert!(
        layer["annotations"]["dev.cosignproject.cosign/signature"]
            .as_str()
            .unwrap()
            .starts_with("ME")
    );
    let (_, payload) = registry.ask(
        "GET",
        &format!("/v2/a/blobs/{}", layer["digest"].as_str().unwrap()),
        "*/*",
        "",
    );
    let payload: serde_json::Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(payload["critical"]["image"]["docker-manifest-digest"], json!(digest));
    assert_eq!(
        payload["critical"]["identity"]["docker-reference"],
        json!(format!("{}/a", registry.host()))
    );
    for key in [&bench, &second] {
        let verified = run("verify").arg(&reference).args(key.trust()).end();
        assert_eq!(verified.code, Some(0), "{}", verified.stderr);
    }
}

#[test]
fn a_signature_by_a_key_that_the_trust_file_does_not_name_is_refused() {
    let (bench, other) = (Bench::new(), Bench::new());
    let (fake, _) = published(&bench, "0.1.0");
    refused(
        &verify(&fake, ":0.1.0", &other.trust()),
        "untrusted",
        "signed, but not by a key in the trust file",
    );
    assert_eq!(verify(&fake, ":0.1.0", &bench.trust()).code, Some(0));
}

#[test]
fn a_signature_that_was_stripped_is_missed() {
    let bench = Bench::new();
    let (fake, digest) = published(&bench, "0.1.0");
    let signature = fake.manifest(&signature_tag(&digest)).unwrap();
    fake.remove(&signature_tag(&digest));
    assert_eq!(
        verify(&fake, ":0.1.0", &bench.trust()).code,
        Some(0),
        "it is found among the artifact's referrers"
    );
    fake.serve(&format!("/referrers/{digest}"), b"{\"schemaVersion\":2,\"manifests\":[]}");
    refused(
        &verify(&fake, ":0.1.0", &bench.trust()),
        "untrusted",
        "it is not signed: the registry has no signature",
    );
    let mut emptied = signature;
    emptied["layers"][0]["annotations"] = json!({});
    fake.put_manifest(&signature_tag(&digest), &emptied);
    refused(&verify(&fake, ":0.1.0", &bench.trust()), "untrusted", "it is not signed");
}

#[test]
fn the_signature_of_another_artifact_vouches_for_nothing() {
    let bench = Bench::new();
    let (fake, first) = published(&bench, "0.1.0");
    let second = push(&bench.release("0.2.0"), &format!("{}/it", fake.host()));
    fake.move_tag(&signature_tag(&second), &signature_tag(&first));
    refused(&verify(&fake, ":0.2.0", &bench.trust()), "untrusted", "belongs to another artifact");
}

#[test]
fn a_layer_that_was_swapped_and_a_listing_that_was_changed_are_refused() {
    let bench = Bench::new();
    let (fake, digest) = published(&bench, "0.1.0");
    let mut swapped = fake.manifest("0.1.0").unwrap();
    let other = bench.release("0.1.1");
    push(&other, &format!("{}/it", fake.host()));
    swapped["layers"][0] = fake.manifest("0.1.1").unwrap()["layers"][0].clone();
    fake.put_manifest("0.1.0", &swapped);
    refused(&verify(&fake, ":0.1.0", &bench.trust()), "untrusted", "the registry has no signature");
    fake.serve(&format!("/manifests/{digest}"), swapped.to_string().as_bytes());
    refused(
        &verify(&fake, &format!("@{digest}"), &bench.trust()),
        "untrusted",
        "serves other content in place of a manifest",
    );
    fake.repent();
    let sums = std::fs::read_to_string(bench.path("atlassian-cloud-0.1.0/SHA256SUMS")).unwrap();
    let listing = sums
        .lines()
        .find(|line| line.ends_with("listing.json"))
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    fake.serve(
        &format!("sha256:{listing}"),
        b"{\"id\":\"atlassian-cloud\",\"vendor\":\"somebody else\"}",
    );
    refused(
        &verify(&fake, &format!("@{digest}"), &bench.trust()),
        "untrusted",
        "in place of `listing.json`",
    );
}

#[test]
fn an_older_release_under_the_tag_of_a_newer_one_is_refused() {
    let bench = Bench::new();
    let (fake, _) = published(&bench, "0.1.0");
    publish(&bench, &fake, "0.2.0");
    assert_eq!(verify(&fake, ":0.2.0", &bench.trust()).code, Some(0));
    fake.move_tag("0.2.0", "0.1.0");
    refused(
        &verify(&fake, ":0.2.0", &bench.trust()),
        "untrusted",
        "the tag `0.2.0` leads to a file that was signed as atlassian-cloud 0.1.0",
    );
    fake.move_tag("latest", "0.1.0");
    refused(&verify(&fake, ":latest", &bench.trust()), "untrusted", "the tag `latest` leads to");
}

#[test]
fn a_release_below_the_minimum_or_revoked_is_refused() {
    let bench = Bench::new();
    let (fake, digest) = published(&bench, "0.1.0");
    let trust = bench.trusting("{ atlassian-cloud = { minimum = \"0.2.0\" } }");
    refused(
        &verify(&fake, ":0.1.0", &trust),
        "untrusted",
        "older than the minimum in the trust file, which is 0.2.0",
    );
    let other = bench.trusting("{ another-one = {} }");
    refused(
        &verify(&fake, ":0.1.0", &other),
        "untrusted",
        "may not publish the connector `atlassian-cloud`",
    );
    let trust = bench.trust();
    let text = std::fs::read_to_string(&trust[1]).unwrap();
    std::fs::write(&trust[1], format!("revoked = [\"{digest}\"]\n{text}")).unwrap();
    refused(&verify(&fake, ":0.1.0", &trust), "untrusted", "is revoked by the trust file");
}

#[test]
fn an_artifact_is_signed_by_its_digest_alone() {
    let bench = Bench::new();
    let (fake, digest) = published(&bench, "0.1.0");
    let tagged = Run::bare()
        .args(["sign", "--plain-http", "--json"])
        .arg(format!("{}/it:0.1.0", fake.host()));
    let tagged = tagged.file("--key", &bench.path("cosign.key")).env("COSIGN_PASSWORD", "").end();
    assert!(
        tagged.code == Some(2)
            && tagged.said("invalid-settings").contains("by its digest, not by a tag"),
        "{}",
        tagged.stderr
    );
    fake.serve(
        &format!("/manifests/{digest}"),
        b"{\"schemaVersion\":2,\"config\":{},\"layers\":[]}",
    );
    refused(
        &bench.sign(&format!("{}/it@{digest}", fake.host())),
        "untrusted",
        "serves other content",
    );
}
