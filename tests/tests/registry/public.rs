//! Tests of pulls that need no login, whatever is in the way, of hiccups, and of artifacts that are
//! not a connector's.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use smp_tests::harness::{Ended, Run};
use smp_tests::registry::FakeRegistry;

use super::{Bench, push, refused, run};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A registry with a release that anyone may pull with an anonymous token.
fn public(bench: &Bench) -> FakeRegistry {
    let fake = FakeRegistry::start();
    push(&bench.release("0.1.0"), &format!("{}/it", fake.host()));
    fake.ask_for_a_token_of("{}/token");
    fake
}

fn pull(bench: &Bench, fake: &FakeRegistry, name: &str) -> Run {
    run("pull").arg(format!("{}/it:0.1.0", fake.host())).file("--output", &bench.path(name))
}

fn done(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// A folder with logins under this name.
fn logins(bench: &Bench, name: &str, text: &str) -> std::path::PathBuf {
    let file = bench.path(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_login_that_is_in_the_way_of_a_public_pull_is_left_out() {
    let bench = Bench::new();
    let fake = public(&bench);
    let missing = logins(&bench, "missing/config.json", r#"{"credsStore":"not-installed"}"#);
    let pulled = pull(&bench, &fake, "a").env("DOCKER_CONFIG", missing.parent().unwrap()).end();
    done(&pulled);
    for words in ["config.json` has no login that can be used", "It was not needed."] {
        assert!(pulled.stderr.contains(words), "{}", pulled.stderr);
    }
    done(&pull(&bench, &fake, "c").end());

    fake.refuse_logins();
    let stale = |run: Run| run.env("SMP_REGISTRY_USER", "me").env("SMP_REGISTRY_PASSWORD", "old");
    let pulled = stale(pull(&bench, &fake, "b")).end();
    done(&pulled);
    let words = format!("{} does not accept your login", fake.host());
    assert!(pulled.stderr.contains(&words), "{}", pulled.stderr);
    let folder = bench.path("atlassian-cloud-0.1.0");
    let pushed = stale(run("push")).arg(folder).arg(format!("{}/it:new", fake.host())).end();
    refused(&pushed, "permission", &format!("the token service of {}", fake.host()));
}

#[test]
fn a_login_that_cannot_be_read_is_told_where_one_is_required() {
    let bench = Bench::new();
    let fake = public(&bench);
    fake.challenge_with("Basic realm=\"x\"");
    let missing = logins(&bench, "missing/config.json", r#"{"credsStore":"not-installed"}"#);
    let pull = || pull(&bench, &fake, "a");
    let ended = pull().env("DOCKER_CONFIG", missing.parent().unwrap()).end();
    refused(&ended, "credentials", "`docker-credential-not-installed` cannot be started");
    refused(&pull().end(), "credentials", "requires a login");
}

#[test]
fn logins_of_podman_are_read() {
    let bench = Bench::new();
    let fake = public(&bench);
    let auth = STANDARD.encode("podman:secret");
    let text = format!(r#"{{"auths":{{"{}/it":{{"auth":"{auth}"}}}}}}"#, fake.host());
    let basic = Some(format!("Basic {auth}"));
    for (name, file, variable, value) in [
        ("a", "auth.json", "REGISTRY_AUTH_FILE", "auth.json"),
        ("b", "run/containers/auth.json", "XDG_RUNTIME_DIR", "run"),
        ("c", "config/containers/auth.json", "XDG_CONFIG_HOME", "config"),
    ] {
        logins(&bench, file, &text);
        let before = fake.seen().len();
        done(&pull(&bench, &fake, name).env(variable, bench.path(value)).end());
        let asked = fake.seen().into_iter().skip(before);
        let mut asked = asked.filter(|seen| seen.path.starts_with("/token"));
        assert!(asked.any(|seen| seen.authorization == basic), "{variable}");
    }
}

#[test]
fn a_pull_asks_for_no_more_than_a_pull_wherever_the_challenge_stands() {
    let bench = Bench::new();
    let fake = public(&bench);
    fake.challenge_with("Basic realm=\"x, y\", Bearer realm=\"{}\",service=\"fake\"");
    done(&pull(&bench, &fake, "a").end());
    let scopes = |from: usize| -> Vec<String> {
        let seen = fake.seen().into_iter().skip(from).map(|seen| seen.path);
        seen.filter(|path| path.starts_with("/token")).collect()
    };
    assert_eq!(scopes(0), ["/token?scope=repository%3Ait%3Apull&service=fake"]);
    let before = fake.seen().len();
    fake.challenge_with("Bearer realm=\"{}\",service=\"fake\",scope=\"repository:it:pull,push\"");
    done(&pull(&bench, &fake, "b").end());
    assert_eq!(scopes(before), ["/token?scope=repository%3Ait%3Apull&service=fake"]);
    let before = fake.seen().len();
    push(&bench.release("0.2.0"), &format!("{}/it", fake.host()));
    assert_eq!(scopes(before), ["/token?scope=repository%3Ait%3Apull%2Cpush&service=fake"]);
}

#[test]
fn a_hiccup_on_a_pull_is_waited_out_and_an_outage_is_not() {
    let bench = Bench::new();
    let fake = public(&bench);
    let component = fake.manifest("0.1.0").unwrap()["layers"][0]["digest"].clone();
    let component = component.as_str().unwrap();
    for (name, status, place) in [("a", 502, "/manifests/0.1.0"), ("b", 429, component)] {
        fake.refuse_for_a_moment(place, status, 1);
        done(&pull(&bench, &fake, name).end());
    }
    fake.repent();
    fake.refuse("/manifests/0.1.0", 503);
    let before = fake.seen().len();
    refused(&pull(&bench, &fake, "c").end(), "upstream", "does not work properly (status 503)");
    let tries = fake.seen().into_iter().skip(before);
    assert_eq!(tries.filter(|seen| seen.path.ends_with("/manifests/0.1.0")).count(), 1 + 4);
}

#[test]
fn what_is_not_a_connector_is_named_for_what_it_is() {
    let bench = Bench::new();
    let fake = FakeRegistry::without_referrers();
    let digest = push(&bench.release("0.1.0"), &format!("{}/it", fake.host()));
    bench.sign(&format!("{}/it@{digest}", fake.host()));
    fake.put_manifest("image", &json!({
        "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": { "mediaType": "application/vnd.docker.container.image.v1+json" }, "layers": [],
    }));
    let tag = digest.replace(':', "-");
    for (tag, words) in [
        (tag.clone(), "it is an index"),
        (tag.clone(), &format!("belongs to another artifact: {}/it@{digest}", fake.host())),
        (format!("{tag}.sig"), "it is a signature of another artifact"),
        ("image".to_owned(), "it is the image of a container"),
    ] {
        for trust in [vec![], bench.trust().to_vec()] {
            let place = format!("{}/it:{tag}", fake.host());
            let ended = run("pull").arg(place).args(&trust).file("--output", &bench.path("out"));
            refused(&ended.end(), "unexpected-response", words);
        }
    }
}

#[test]
fn a_release_signed_by_cosign_3_is_verified_by_its_key_and_a_keyless_one_is_named() {
    let bench = Bench::new();
    let fake = FakeRegistry::start();
    let digest = push(&bench.release("0.1.0"), &format!("{}/it", fake.host()));
    let payload = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": digest.trim_start_matches("sha256:") } }],
        "predicateType": "https://sigstore.dev/cosign/sign/v1", "predicate": {},
    });
    let payload = payload.to_string();
    let kind = "application/vnd.in-toto+json";
    let signed = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    let Some(signature) = signature(&bench, signed.as_bytes()) else { return };
    let attach = |material: serde_json::Value| {
        let bundle = json!({
            "mediaType": BUNDLE, "verificationMaterial": material,
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload), "payloadType": kind,
                "signatures": [{ "sig": signature }],
            },
        });
        let bundle = bundle.to_string();
        let layer = json!({
            "mediaType": BUNDLE, "digest": fake.put_blob(bundle.as_bytes()), "size": bundle.len(),
        });
        fake.put_manifest("bundle", &json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE,
            "config": {
                "mediaType": "application/vnd.oci.empty.v1+json", "digest": fake.put_blob(b"{}"),
                "size": 2,
            },
            "layers": [layer], "subject": { "mediaType": MANIFEST, "digest": digest, "size": 1 },
        }));
    };
    let place = format!("{}/it:0.1.0", fake.host());
    let verify = |bench: &Bench| run("verify").arg(&place).args(bench.trust()).end();
    attach(json!({ "certificate": { "rawBytes": "AAAA" } }));
    refused(&verify(&bench), "untrusted", "it is signed without a key");
    attach(json!({ "publicKey": { "hint": "x" } }));
    done(&verify(&bench));
    let other = Bench::new();
    assert_eq!(verify(&other).code, Some(1));
}

/// A signature by the bench's key, made by openssl. `None` if it is not installed.
fn signature(bench: &Bench, message: &[u8]) -> Option<String> {
    let pair = |name: &str| bench.path(name);
    let made = |arguments: &[&str]| {
        let ended =
            std::process::Command::new("openssl").args(arguments).current_dir(pair(".")).output();
        ended.is_ok_and(|ended| ended.status.success())
    };
    fs::write(pair("message"), message).unwrap();
    let curve = "ec_paramgen_curve:P-256";
    if !made(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", "plain.pem"]) {
        smp_tests::harness::skipped("openssl is not installed here");
        return None;
    }
    assert!(made(&["pkey", "-in", "plain.pem", "-pubout", "-out", "cosign.pub"]));
    assert!(made(&["dgst", "-sha256", "-sign", "plain.pem", "-out", "signature", "message"]));
    Some(STANDARD.encode(fs::read(pair("signature")).unwrap()))
}
