//! Tests with docker-registry, which has no referrers API.

use serde_json::{Value, json};
use smp_tests::harness::{Run, component};
use smp_tests::registry::{DockerRegistry, with_metadata};

use super::{Bench, files, push, refused, run};

#[test]
fn what_was_pushed_comes_back_as_it_was_by_tag_and_by_digest() {
    let Some(registry) = DockerRegistry::start() else { return };
    let bench = Bench::new();
    let folder = bench.release("0.1.0");
    let reference = format!("{}/connectors/atlassian-cloud", registry.host());
    let digest = push(&folder, &reference);
    for (name, reference) in
        [("tag", format!("{reference}:0.1.0")), ("digest", format!("{reference}@{digest}"))]
    {
        let output = bench.path(name);
        let pulled = run("pull").arg(&reference).file("--output", &output).end();
        assert_eq!(pulled.code, Some(0), "{}", pulled.stderr);
        assert_eq!(pulled.json()["digest"], json!(digest));
        assert_eq!(files(&output.join("atlassian-cloud-0.1.0")), files(&folder), "{name}");
        assert_eq!(
            run("pull").arg(&reference).file("--output", &output).end().code,
            Some(0),
            "once more"
        );
    }
}

#[test]
fn a_manifest_is_the_same_wherever_and_whenever_it_is_made_and_says_what_the_component_says() {
    let (Some(one), Some(other)) = (DockerRegistry::start(), DockerRegistry::start()) else {
        return;
    };
    let bench = Bench::new();
    let folder = bench.release("0.1.0");
    let digest = push(&folder, &format!("{}/a", one.host()));
    assert_eq!(push(&folder, &format!("{}/a/b", other.host())), digest);
    let (status, text) =
        one.ask("GET", "/v2/a/manifests/0.1.0", "application/vnd.oci.image.manifest.v1+json", "");
    let manifest: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (status, &manifest["config"]["mediaType"]),
        (200, &json!("application/vnd.wasm.config.v0+json"))
    );
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    assert_eq!(manifest["layers"][0]["mediaType"], json!("application/wasm"));
    assert_eq!(
        manifest["layers"][0]["annotations"]["org.opencontainers.image.title"],
        json!("atlassian-cloud.wasm")
    );
    let annotation =
        |name: &str| manifest["annotations"][format!("org.opencontainers.image.{name}")].as_str();
    assert_eq!(
        (annotation("title"), annotation("version"), annotation("revision")),
        (Some("atlassian-cloud"), Some("0.1.0"), Some("abcdef"))
    );
    assert_eq!(annotation("created"), None);
    let config = manifest["config"]["digest"].as_str().unwrap();
    let (_, text) = one.ask("GET", &format!("/v2/a/blobs/{config}"), "*/*", "");
    let config: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        config["component"]["imports"],
        json!(["smp:connector/http@0.2.0", "smp:connector/log@0.2.0"])
    );
    assert_eq!(
        config["component"]["exports"],
        json!(["smp:connector/connector@0.2.0", "smp:connector/usage@0.2.0"])
    );

    let dated = run("push")
        .arg(&folder)
        .arg(format!("{}/dated", one.host()))
        .env("SOURCE_DATE_EPOCH", "1767323045")
        .end();
    let (_, text) = one.ask(
        "GET",
        "/v2/dated/manifests/0.1.0",
        "application/vnd.oci.image.manifest.v1+json",
        "",
    );
    let manifest: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        manifest["annotations"]["org.opencontainers.image.created"],
        json!("2026-01-02T03:04:05Z"),
        "{}",
        dated.stderr
    );
}

#[test]
fn what_belongs_to_a_release_is_listed_where_other_clients_look_for_it() {
    let Some(registry) = DockerRegistry::start() else { return };
    let bench = Bench::new();
    let folder = bench.release("0.1.0");
    assert_eq!(bench.sign(folder.to_str().unwrap()).code, Some(0));
    let digest = push(&folder, &format!("{}/a", registry.host()));
    push(&folder, &format!("{}/a", registry.host()));
    let tag = digest.replace(':', "-");
    let (status, text) = registry.ask(
        "GET",
        &format!("/v2/a/manifests/{tag}"),
        "application/vnd.oci.image.index.v1+json",
        "",
    );
    let index: Value = serde_json::from_str(&text).unwrap();
    let types: Vec<_> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["artifactType"].as_str().unwrap())
        .collect();
    let expected = [
        "application/vnd.smp.connector.package.v1",
        "application/vnd.cyclonedx+json",
        "application/vnd.smp.connector.package.signature.v1",
    ];
    assert_eq!((status, types.as_slice()), (200, &expected[..]));
    let entry = index["manifests"][1]["digest"].as_str().unwrap();
    let (_, text) = registry.ask(
        "GET",
        &format!("/v2/a/manifests/{entry}"),
        "application/vnd.oci.image.manifest.v1+json",
        "",
    );
    let sbom: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&sbom["subject"]["digest"], &sbom["layers"][0]["mediaType"]),
        (&json!(digest), &json!("application/vnd.cyclonedx+json"))
    );
}

#[test]
fn a_component_alone_is_pushed_and_pulled_too() {
    let Some(registry) = DockerRegistry::start() else { return };
    let bench = Bench::new();
    let reference = format!("{}/connectors/plain:first", registry.host());
    push(&component(), &reference);
    let pulled = run("pull").arg(&reference).file("--output", &bench.path("out")).end();
    assert_eq!(pulled.code, Some(0), "{}", pulled.stderr);
    let expected = vec![("plain.wasm".to_owned(), std::fs::read(component()).unwrap())];
    assert_eq!(files(&bench.path("out/plain-first")), expected);
    let untagged =
        run("push").arg(component()).arg(format!("{}/connectors/plain", registry.host())).end();
    assert!(
        untagged.code == Some(2) && untagged.said("invalid-settings").contains("Add a tag"),
        "{}",
        untagged.stderr
    );
}

#[test]
fn a_release_that_is_out_is_not_changed_unless_it_is_asked_for() {
    let Some(registry) = DockerRegistry::start() else { return };
    let bench = Bench::new();
    let folder = bench.release("0.1.0");
    let reference = format!("{}/a", registry.host());
    let first = push(&folder, &reference);
    let same = run("push").arg(&folder).arg(&reference).end();
    assert_eq!((same.code, &same.json()["unchanged"]), (Some(0), &json!(true)));
    let other = bench.path("other.wasm");
    std::fs::write(
        &other,
        with_metadata(&std::fs::read(component()).unwrap(), "atlassian-cloud", "0.1.0-0"),
    )
    .unwrap();
    let tagged = format!("{reference}:0.1.0");
    let taken = run("push").arg(&other).arg(&tagged).end();
    refused(&taken, "output", "exists already, with other content");
    assert!(
        taken.said("output").contains(&first) && taken.said("output").contains("`--overwrite`")
    );
    let (status, _) = registry.ask(
        "HEAD",
        &format!("/v2/a/manifests/{first}"),
        "application/vnd.oci.image.manifest.v1+json",
        "",
    );
    assert_eq!(status, 200);
    let replaced = run("push").arg(&other).arg(&tagged).arg("--overwrite").end();
    assert_eq!(replaced.code, Some(0), "{}", replaced.stderr);
    assert_ne!(replaced.json()["digest"], json!(first));
    assert!(
        replaced.stderr.contains("the tag is not the component's version"),
        "{}",
        replaced.stderr
    );
}

#[test]
fn a_folder_that_is_there_with_something_else_is_left_as_it_is() {
    let Some(registry) = DockerRegistry::start() else { return };
    let bench = Bench::new();
    let reference = format!("{}/a:0.1.0", registry.host());
    push(&bench.release("0.1.0"), &reference);
    let place = bench.path("out/atlassian-cloud-0.1.0");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join("mine.txt"), "mine").unwrap();
    refused(
        &run("pull").arg(&reference).file("--output", &bench.path("out")).end(),
        "output",
        "exists already",
    );
    assert_eq!(files(&place), [("mine.txt".to_owned(), b"mine".to_vec())]);
}

#[test]
fn what_is_not_there_is_told() {
    let Some(registry) = DockerRegistry::start() else { return };
    let host = registry.host();
    let digest = format!("sha256:{}", "0".repeat(64));
    for reference in [format!("{host}/a:0.1.0"), format!("{host}/a@{digest}")] {
        refused(&run("pull").arg(&reference).end(), "not-found", &reference);
    }
    drop(registry);
    let gone = run("pull").arg(format!("{host}/a:0.1.0")).end();
    refused(&gone, "upstream", "cannot be read");
    assert_eq!(gone.error()["retryable"], json!(true));
}

#[test]
fn a_registry_is_spoken_to_over_tls_with_the_certificate_of_its_authority() {
    let Some(registry) = DockerRegistry::with_tls() else { return };
    let bench = Bench::new();
    let (folder, reference) = (bench.release("0.1.0"), format!("{}/a:0.1.0", registry.host()));
    let tls = |name: &str| Run::bare().args([name, "--json"]);
    let unknown = tls("push").arg(&folder).arg(&reference).end();
    refused(&unknown, "upstream", "certificate is not trusted");
    let ca = registry.folder().join("ca.pem");
    let pushed = tls("push").arg(&folder).arg(&reference).file("--ca-file", &ca).end();
    assert_eq!(pushed.code, Some(0), "{}", pushed.stderr);
    let pulled = tls("pull")
        .arg(&reference)
        .file("--ca-file", &ca)
        .file("--output", &bench.path("out"))
        .end();
    assert_eq!(pulled.code, Some(0), "{}", pulled.stderr);
}

#[test]
fn plain_http_is_for_this_machine_alone() {
    let bench = Bench::new();
    let folder = bench.release("0.1.0");
    for host in ["registry.example.test", "10.0.0.1:5000", "localhost.example.test"] {
        let ended = run("push").arg(&folder).arg(format!("{host}/a")).end();
        assert!(
            ended.code == Some(2) && ended.said("invalid-settings").contains("plain `http`"),
            "{host}: {}",
            ended.stderr
        );
    }
    let ended = Run::bare().args(["pull", "--json", "registry.example.test/A:1"]).end();
    assert!(
        ended.code == Some(2) && ended.stderr.contains("the name after the host"),
        "{}",
        ended.stderr
    );
}
