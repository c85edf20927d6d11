//! Tests of packages that are signed in their folder, and of what a trust file permits for every
//! command.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use smp_distribution::loading::load_trusted;
use smp_distribution::trust::TrustPolicy;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::failure::Code;
use smp_host::remedy::Remedy;
use smp_tests::harness::{Ended, Run, component, folder};
use smp_tests::registry::{Release, policy};

const ID: &str = "atlassian-cloud";
const ALL: &str = "{ atlassian-cloud = {} }";
/// A component that can be read but not compiled: it imports a function of a type that it does not
/// have.
const NOT_COMPILABLE: &[u8] = b"\0asm\x0d\0\x01\0\x0a\x06\x01\0\x01a\x01\x05";

/// A signed release, its publisher's key pair and a trust file.
struct Signed {
    home: tempfile::TempDir,
    package: PathBuf,
}

impl Signed {
    fn new(release: &Release) -> Self {
        let home = tempfile::tempdir().unwrap();
        let package = release.write(home.path());
        let signed = Self { home, package };
        pair(&signed.path("keys"), "");
        assert_eq!(sign(&signed.package, &signed.path("keys/cosign.key"), "").code, Some(0));
        signed.trust(ALL);
        signed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn trust(&self, connectors: &str) -> PathBuf {
        policy(self.home.path(), &self.path("keys/cosign.pub"), connectors)
    }

    fn verify(&self, what: &Path) -> Ended {
        Run::bare()
            .args(["verify", "--json"])
            .arg(what)
            .file("--trust", &self.path("trust.toml"))
            .end()
    }

    fn refused(&self, words: &str) {
        let ended = self.verify(&self.package);
        let said = ended.said("untrusted");
        assert!(ended.code == Some(1) && said.contains(words), "{words:?} is not in {said:?}");
    }
}

fn real() -> Release {
    Release::new(&fs::read(component()).unwrap(), ID, "0.1.0")
}

fn pair(within: &Path, password: &str) {
    let made =
        Run::bare().args(["sign", "--generate"]).arg(within).env("COSIGN_PASSWORD", password).end();
    assert_eq!(made.code, Some(0), "{}", made.stderr);
}

fn sign(package: &Path, key: &Path, password: &str) -> Ended {
    Run::bare()
        .args(["sign", "--json"])
        .arg(package)
        .file("--key", key)
        .env("COSIGN_PASSWORD", password)
        .end()
}

/// Whether openssl is installed and accepts. If it is not installed, a message says so.
fn openssl(arguments: &[&str]) -> Option<bool> {
    match Command::new("openssl").args(arguments).output() {
        Ok(output) => Some(output.status.success()),
        Err(_) => {
            smp_tests::harness::skipped("openssl is not installed here");
            None
        }
    }
}

#[test]
fn a_signed_package_is_vouched_for_as_a_whole_and_by_its_file() {
    let signed = Signed::new(&real());
    for what in [signed.package.clone(), signed.package.join("atlassian-cloud.wasm")] {
        let ended = signed.verify(&what);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let said = ended.json();
        assert_eq!(
            (&said["id"], &said["version"], &said["publisher"]),
            (&json!(ID), &json!("0.1.0"), &json!("Example Ltd"))
        );
    }
    let text = Run::bare()
        .arg("verify")
        .arg(&signed.package)
        .file("--trust", &signed.path("trust.toml"))
        .end();
    assert!(
        text.stdout.starts_with("atlassian-cloud 0.1.0, signed by Example Ltd\nkey        sha256:"),
        "{}",
        text.stdout
    );
}

#[test]
fn whatever_of_a_package_is_changed_after_it_was_signed_is_named() {
    for name in
        ["atlassian-cloud.wasm", "listing.json", "listing.md", "sbom.cdx.json", "CHANGELOG.md"]
    {
        let signed = Signed::new(&real());
        let path = signed.package.join(name);
        fs::write(&path, [fs::read(&path).unwrap(), b" ".to_vec()].concat()).unwrap();
        signed.refused(&format!("`{name}` does not match its digest in SHA256SUMS"));
    }
    let signed = Signed::new(&real());
    let sums = signed.package.join("SHA256SUMS");
    let text = fs::read_to_string(&sums).unwrap();
    let without: String = text
        .lines()
        .filter(|line| !line.ends_with("listing.json"))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&sums, without).unwrap();
    signed.refused("`listing.json` is in the folder but not in SHA256SUMS");
    fs::remove_file(signed.package.join("listing.json")).unwrap();
    signed.refused("signed, but not by a key in the trust file, or it was changed after signing");
}

#[test]
fn a_package_without_a_signature_or_with_one_of_a_stranger_is_refused() {
    let signed = Signed::new(&real());
    let (key, other) = (signed.path("keys/cosign.key"), signed.path("other"));
    pair(&other, "");
    assert_eq!(sign(&signed.package, &other.join("cosign.key"), "").code, Some(0));
    signed.refused("signed, but not by a key in the trust file");
    fs::write(signed.package.join("SHA256SUMS.sig"), "no signature").unwrap();
    signed.refused("SHA256SUMS.sig holds no signature");
    fs::remove_file(signed.package.join("SHA256SUMS.sig")).unwrap();
    signed.refused("it is not signed: there is no SHA256SUMS.sig");
    assert_eq!(sign(&signed.package, &key, "").code, Some(0));
    assert_eq!(signed.verify(&signed.package).code, Some(0));
}

#[test]
fn a_publisher_vouches_for_its_own_connectors_from_the_minimum_on() {
    let signed = Signed::new(&real());
    signed.trust("{ another = {} }");
    signed.refused("Example Ltd signed it, who may not publish the connector `atlassian-cloud`");
    signed.trust("{ atlassian-cloud = { minimum = \"0.1.1\" } }");
    signed.refused(
        "atlassian-cloud 0.1.0 is older than the minimum in the trust file, which is 0.1.1",
    );
    let path = signed.trust("{ atlassian-cloud = { minimum = \"0.1.0\" } }");
    let component = signed.verify(&signed.package).json()["component"].clone();
    fs::write(&path, format!("revoked = [{component}]\n{}", fs::read_to_string(&path).unwrap()))
        .unwrap();
    signed.refused("is revoked by the trust file");
}

#[test]
fn every_command_asks_the_trust_file_before_it_compiles_anything() {
    let signed = Signed::new(&Release::new(NOT_COMPILABLE, ID, "0.1.0"));
    let file = signed.package.join("atlassian-cloud.wasm");
    let (fixture, output) = (folder("fixtures/acme"), signed.path("recorded"));
    let run = |command: &str| {
        let run = Run::bare().arg(command).arg(&file).file("--trust", &signed.path("trust.toml"));
        match command {
            "guide" | "inspect" => run,
            "check" => run.file("--fixtures", &fixture),
            "record" => run.file("--fixture", &fixture).file("--output", &output),
            _ => run.file("--fixture", &fixture),
        }
    };
    let commands = ["inspect", "validate", "connect", "collect", "guide", "record", "check"];
    // A trusted file is judged by its imports, and would be compiled then, which cannot be either.
    for command in commands {
        let ended = run(command).end();
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            ended.code == Some(1)
                && (said.contains("compile") || said.contains("imports"))
                && !said.contains("not signed"),
            "{command}: {said}"
        );
    }
    fs::remove_file(signed.package.join("SHA256SUMS.sig")).unwrap();
    for command in commands {
        let ended = run(command).end();
        assert!(ended.code == Some(1) && ended.stdout.is_empty(), "{command}: {}", ended.stdout);
        assert!(
            ended.stderr.contains("it is not signed") && !ended.stderr.contains("compile"),
            "{command}: {}",
            ended.stderr
        );
    }
}

#[test]
fn what_is_trusted_runs_as_it_does_without_a_trust_file() {
    let signed = Signed::new(&real());
    let file = signed.package.join("atlassian-cloud.wasm");
    let collect = |run: Run| {
        run.file("--fixture", &folder("fixtures/acme")).args(["--format", "ndjson"]).end()
    };
    let trusted =
        collect(Run::bare().arg("collect").arg(&file).file("--trust", &signed.path("trust.toml")));
    assert_eq!(trusted.code, Some(0), "{}", trusted.stderr);
    assert_eq!(trusted.stdout, collect(Run::new("collect")).stdout);
}

#[test]
fn a_file_that_lies_in_no_package_is_not_trusted() {
    let signed = Signed::new(&real());
    let alone = signed.path("alone.wasm");
    fs::copy(signed.package.join("atlassian-cloud.wasm"), &alone).unwrap();
    let beside = signed.package.join("other.wasm");
    let inspect = |file: &Path| {
        Run::bare()
            .args(["inspect", "--json"])
            .arg(file)
            .file("--trust", &signed.path("trust.toml"))
            .end()
    };
    assert!(inspect(&alone).said("untrusted").contains("no SHA256SUMS beside it lists it"));
    fs::copy(&alone, &beside).unwrap();
    assert!(
        inspect(&beside)
            .said("untrusted")
            .contains("`other.wasm` is in the folder but not in SHA256SUMS")
    );
    fs::remove_file(&beside).unwrap();
    assert!(inspect(&beside).said("untrusted").contains("no SHA256SUMS beside it lists it"));
}

#[tokio::test]
async fn a_platform_loads_what_is_trusted_in_one_call() {
    let engine = Engine::new(&EngineOptions::new(Compiler::Inside)).unwrap();
    let load = async |release: &Release, file: &str| {
        let signed = Signed::new(release);
        let policy = TrustPolicy::read(&fs::read(signed.path("trust.toml")).unwrap()).unwrap();
        load_trusted(&engine, &policy, &signed.package.join(file)).await
    };
    let trusted = load(&real(), "atlassian-cloud.wasm").await.ok().unwrap();
    assert_eq!(
        (trusted.plugin.descriptor().id.as_str(), trusted.verified.publisher.as_str()),
        (ID, "Example Ltd")
    );
    let lying = Release::new(&fs::read(component()).unwrap(), ID, "9.9.9");
    let other = load(&lying, "atlassian-cloud.wasm").await.err().unwrap();
    assert!(
        other.code == Code::Untrusted
            && other.message.contains("describes itself as atlassian-cloud 0.1.0"),
        "{other}"
    );
    let stranger = load(&Release::new(NOT_COMPILABLE, "another", "0.1.0"), "another.wasm")
        .await
        .err()
        .unwrap();
    let remedy =
        Remedy::TrustPublisher { publisher: "Example Ltd".into(), connector: "another".into() };
    assert_eq!((stranger.code, &*stranger.remedy), (Code::Untrusted, &remedy), "{stranger}");
}

#[test]
fn a_connector_that_calls_itself_something_else_than_was_signed_does_not_run() {
    for command in ["inspect", "check"] {
        let signed = Signed::new(&Release::new(&fs::read(component()).unwrap(), ID, "9.9.9"));
        let run =
            Run::bare().args([command, "--json"]).arg(signed.package.join("atlassian-cloud.wasm"));
        let ended = run.file("--trust", &signed.path("trust.toml")).end();
        let said = ended.said("untrusted");
        assert!(ended.code == Some(1) && ended.stdout.is_empty(), "{command}");
        assert!(
            said.contains(
                "signed as atlassian-cloud 9.9.9, but the connector in it describes itself as \
                 atlassian-cloud 0.1.0"
            ),
            "{said}"
        );
    }
}

#[test]
fn a_trust_file_that_cannot_be_read_is_told_apart_from_a_wrong_one() {
    let signed = Signed::new(&real());
    let inspect = |file: &Path| {
        Run::bare().args(["inspect", "--json"]).arg(component()).file("--trust", file).end()
    };
    let none = inspect(&signed.path("none.toml"));
    assert!(
        none.code == Some(1) && none.said("invalid-settings").contains("cannot be read"),
        "{}",
        none.stderr
    );
    fs::write(
        signed.path("bad.toml"),
        "[[publisher]]\nname = \"A\"\nkeys = []\nconnectors = {}\nlevel = 3\n",
    )
    .unwrap();
    let bad = inspect(&signed.path("bad.toml"));
    assert!(
        bad.code == Some(2) && bad.said("invalid-settings").contains("unknown field `level`"),
        "{}",
        bad.stderr
    );
}

#[test]
fn openssl_agrees_with_our_signatures_and_we_with_its_keys() {
    let signed = Signed::new(&real());
    let path = |name: &str| signed.path(name).to_str().unwrap().to_owned();
    let (sums, text) = (
        signed.package.join("SHA256SUMS"),
        fs::read(signed.package.join("SHA256SUMS.sig")).unwrap(),
    );
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text.trim_ascii())
        .unwrap();
    fs::write(signed.path("der"), der).unwrap();
    let agrees = |key: &str| {
        openssl(&[
            "dgst",
            "-sha256",
            "-verify",
            key,
            "-signature",
            &path("der"),
            sums.to_str().unwrap(),
        ])
    };
    let Some(agreed) = agrees(&path("keys/cosign.pub")) else { return };
    assert!(agreed);
    pair(&signed.path("other"), "");
    assert_eq!(agrees(&path("other/cosign.pub")), Some(false));

    fs::create_dir(signed.path("openssl")).unwrap();
    let (key, public) = (path("openssl/key.pem"), path("openssl/cosign.pub"));
    assert_eq!(
        openssl(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            &key
        ]),
        Some(true)
    );
    assert_eq!(openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]), Some(true));
    let ended = sign(&signed.package, Path::new(&key), "");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let _ = policy(signed.home.path(), Path::new(&public), ALL);
    assert_eq!(signed.verify(&signed.package).code, Some(0));

    assert_eq!(
        openssl(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-384",
            "-out",
            &key
        ]),
        Some(true)
    );
    let ended = sign(&signed.package, Path::new(&key), "");
    assert!(
        ended.code == Some(2) && ended.said("invalid-settings").contains("not an ECDSA P-256 key"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_private_key_is_sealed_never_written_over_and_opened_by_its_password_alone() {
    let home = tempfile::tempdir().unwrap();
    let (package, key) = (real().write(home.path()), home.path().join("cosign.key"));
    pair(home.path(), "open sesame");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(
        fs::read_to_string(&key)
            .unwrap()
            .starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----")
    );
    assert_eq!(sign(&package, &key, "open sesame").code, Some(0));
    let wrong = sign(&package, &key, "open barley");
    assert!(
        wrong.code == Some(2)
            && wrong.said("invalid-settings").contains("the password does not open it"),
        "{}",
        wrong.stderr
    );
    let unasked = Run::bare().args(["sign", "--json"]).arg(&package).file("--key", &key).end();
    assert!(
        unasked.code == Some(2) && unasked.said("invalid-settings").contains("COSIGN_PASSWORD"),
        "{}",
        unasked.stderr
    );
    let before = fs::read(&key).unwrap();
    let again = Run::bare()
        .args(["sign", "--json", "--generate"])
        .arg(home.path())
        .env("COSIGN_PASSWORD", "x")
        .end();
    assert!(
        again.code == Some(1) && again.said("output").contains("never overwritten"),
        "{}",
        again.stderr
    );
    assert_eq!(fs::read(&key).unwrap(), before);
}

#[test]
fn only_what_is_a_package_as_its_sums_say_is_signed() {
    let signed = Signed::new(&real());
    let key = signed.path("keys/cosign.key");
    let file = sign(&signed.package.join("atlassian-cloud.wasm"), &key, "");
    assert!(
        file.code == Some(2)
            && file.said("invalid-settings").contains("is not the folder of a package"),
        "{}",
        file.stderr
    );
    let none = sign(signed.home.path(), &key, "");
    assert!(
        none.code == Some(1) && none.said("component").contains("it has no SHA256SUMS"),
        "{}",
        none.stderr
    );
    fs::write(signed.package.join("listing.md"), "# Another\n").unwrap();
    assert!(
        sign(&signed.package, &key, "")
            .said("untrusted")
            .contains("`listing.md` does not match its digest")
    );
    // A key that is not there is no wrong usage, nor is a trust file.
    let no_key = sign(&signed.package, &signed.path("none.key"), "");
    assert!(
        no_key.code == Some(1) && no_key.said("invalid-settings").contains("none.key"),
        "{}",
        no_key.stderr
    );
    let verify = Run::bare().args(["verify", "--json"]).arg(&signed.package);
    let no_trust = verify.file("--trust", &signed.path("none.toml")).end();
    assert!(
        no_trust.code == Some(1) && no_trust.said("invalid-settings").contains("none.toml"),
        "{}",
        no_trust.stderr
    );
    let nowhere = sign(&signed.path("nowhere"), &key, "");
    assert!(
        nowhere.code == Some(2) && nowhere.stderr.contains("there is no such folder or file"),
        "{}",
        nowhere.stderr
    );
}
