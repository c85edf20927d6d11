//! Tests of artifacts that a trust file revokes, in the folders that they were pulled into.

use std::fs;
use std::path::{Path, PathBuf};

use smp_tests::harness::{Ended, Run, component, folder};
use smp_tests::registry::{FakeRegistry, Release};

use super::{Bench, ID, files, push, refused, run};

const MANIFEST: &str = "SHA256SUMS.manifest.json";
/// A date, as `SOURCE_DATE_EPOCH` and in the form of a listing.
const DATE: (&str, &str) = ("1767323045", "2026-01-02T03:04:05Z");

/// Pushes a package with the date, signs it and its artifact, and returns the artifact's digest.
fn publish(bench: &Bench, fake: &FakeRegistry, package: &Path, date: Option<&str>) -> String {
    assert_eq!(bench.sign(package.to_str().unwrap()).code, Some(0));
    let reference = format!("{}/it", fake.host());
    let pushed = match date {
        None => push(package, &reference),
        Some(date) => {
            let ended = run("push")
                .arg(package)
                .args([&reference, "--overwrite"])
                .env("SOURCE_DATE_EPOCH", date)
                .end();
            assert_eq!(ended.code, Some(0), "{}", ended.stderr);
            ended.json()["digest"].as_str().unwrap().to_owned()
        }
    };
    assert_eq!(bench.sign(&format!("{reference}@{pushed}")).code, Some(0));
    pushed
}

fn pull(bench: &Bench, fake: &FakeRegistry, digest: &str) -> PathBuf {
    let ended = run("pull")
        .arg(format!("{}/it@{digest}", fake.host()))
        .args(bench.trust())
        .file("--output", &bench.path("out"))
        .end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    bench.path("out/atlassian-cloud-0.1.0")
}

/// The options of a trust file that revokes this.
fn revoking(bench: &Bench, digest: &str) -> [String; 2] {
    let trust = bench.trust();
    fs::write(
        &trust[1],
        format!("revoked = [\"{digest}\"]\n{}", fs::read_to_string(&trust[1]).unwrap()),
    )
    .unwrap();
    trust
}

/// Every command that begins with the connector, and `verify`.
fn judged(package: &Path, trust: &[String; 2]) -> Vec<Ended> {
    let file = package.join("atlassian-cloud.wasm");
    let inspect = Run::bare().args(["inspect", "--json"]).arg(&file).args(trust).end();
    let collect =
        Run::bare().args(["collect", "--json", "--format", "ndjson"]).arg(&file).args(trust);
    let collect = collect.file("--fixture", &folder("fixtures/acme")).end();
    let diff = Run::bare().args(["diff", "--json"]).args([&file, &file]).args(trust).end();
    let verify = |what: &Path| Run::bare().args(["verify", "--json"]).arg(what).args(trust).end();
    vec![inspect, collect, diff, verify(package), verify(&file)]
}

fn assert_runs(package: &Path, trust: &[String; 2]) {
    for ended in judged(package, trust) {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}

fn assert_revoked(package: &Path, trust: &[String; 2], digest: &str) {
    for ended in judged(package, trust) {
        refused(&ended, "untrusted", &format!("{digest} is revoked by the trust file"));
        assert!(ended.stdout.is_empty());
    }
}

#[test]
fn a_revoked_artifact_does_not_run_from_the_folder_it_was_pulled_into() {
    let (bench, fake) = (Bench::new(), FakeRegistry::start());
    let made = bench.release("0.1.0");
    let digest = publish(&bench, &fake, &made, None);
    let pulled = pull(&bench, &fake, &digest);
    assert_eq!(files(&pulled), files(&made), "an older command writes the same");
    let other = format!("sha256:{}", "0".repeat(64));
    assert_runs(&pulled, &revoking(&bench, &other));
    assert_revoked(&pulled, &revoking(&bench, &digest), &digest);
    assert_revoked(&made, &revoking(&bench, &digest), &digest);
}

#[test]
fn a_revoked_artifact_with_the_date_of_its_package_is_known_by_its_files() {
    let (bench, fake) = (Bench::new(), FakeRegistry::start());
    let release = Release::new(&fs::read(component()).unwrap(), ID, "0.1.0");
    let made = release
        .listing(&format!("{{\"id\":\"{ID}\",\"date\":\"{}\"}}\n", DATE.1))
        .write(bench.home.path());
    let digest = publish(&bench, &fake, &made, Some(DATE.0));
    let pulled = pull(&bench, &fake, &digest);
    assert_eq!(files(&pulled), files(&made));
    assert_revoked(&pulled, &revoking(&bench, &digest), &digest);
}

#[test]
fn an_artifact_with_another_date_is_known_by_the_manifest_that_is_kept() {
    let (bench, fake) = (Bench::new(), FakeRegistry::start());
    let made = bench.release("0.1.0");
    let digest = publish(&bench, &fake, &made, Some(DATE.0));
    let pulled = pull(&bench, &fake, &digest);
    let manifest = fs::read(pulled.join(MANIFEST)).unwrap();
    assert_runs(&pulled, &bench.trust());
    assert_revoked(&pulled, &revoking(&bench, &digest), &digest);

    // An older command kept none: the same pull adds it, and changes nothing else.
    fs::remove_file(pulled.join(MANIFEST)).unwrap();
    assert_eq!(files(&pulled), files(&made));
    assert_eq!(pull(&bench, &fake, &digest), pulled);
    assert_eq!(fs::read(pulled.join(MANIFEST)).unwrap(), manifest);
    let _again = pull(&bench, &fake, &digest);

    fs::write(
        pulled.join(MANIFEST),
        fake.manifest(&format!("{}.sig", digest.replace(':', "-"))).unwrap().to_string(),
    )
    .unwrap();
    let verify = Run::bare().args(["verify", "--json"]).arg(&pulled).args(bench.trust()).end();
    refused(&verify, "untrusted", "is not the manifest of this package");
}

#[test]
fn what_was_revoked_does_not_come_back_as_another_artifact() {
    let (bench, fake) = (Bench::new(), FakeRegistry::start());
    let made = bench.release("0.1.0");
    let first = publish(&bench, &fake, &made, None);
    let again = publish(&bench, &fake, &made, Some(DATE.0));
    assert_ne!(first, again);
    let ended = run("pull")
        .arg(format!("{}/it@{again}", fake.host()))
        .args(revoking(&bench, &first))
        .file("--output", &bench.path("out"));
    refused(&ended.end(), "untrusted", &format!("{first} is revoked by the trust file"));
    assert!(!bench.path("out").exists());
}

#[test]
fn a_push_says_when_its_date_is_not_the_packages_own() {
    let (bench, fake) = (Bench::new(), FakeRegistry::start());
    let made = bench.release("0.1.0");
    let reference = format!("{}/it", fake.host());
    let push = |date: &str| {
        let ended = run("push")
            .arg(&made)
            .args([&reference, "--overwrite"])
            .env("SOURCE_DATE_EPOCH", date)
            .end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stderr
    };
    assert_eq!(push(""), "");
    let said = push(DATE.0);
    assert!(said.contains("revoke its component too"), "{said}");
}
