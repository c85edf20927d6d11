//! Tests of the login to a registry: its sources, and where it is sent.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine as _;
use smp_tests::harness::{Ended, Lonely, Run};
use smp_tests::registry::{DockerRegistry, FakeRegistry, PASSWORD, USER};

use super::{Bench, push, refused, run};

fn encoded(user: &str, password: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"))
}

fn with_login(run: Run) -> Run {
    run.env("SMP_REGISTRY_USER", USER).env("SMP_REGISTRY_PASSWORD", PASSWORD)
}

/// A folder with Docker's configuration.
fn docker(within: &Path, config: &str) -> std::path::PathBuf {
    let folder = within.join("docker");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.json"), config).unwrap();
    folder
}

#[test]
fn a_login_comes_from_the_environment_from_docker_or_from_its_helper() {
    let Some(registry) = DockerRegistry::with_password() else { return };
    let bench = Bench::new();
    let folder = bench.release("0.1.0");
    let host = registry.host();
    let push = |name: &str| run("push").arg(&folder).arg(format!("{host}/{name}"));
    let done = |ended: Ended| assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    done(with_login(push("environment")).end());

    let config = format!(r#"{{"auths":{{"{host}":{{"auth":"{}"}}}}}}"#, encoded(USER, PASSWORD));
    done(push("docker").env("DOCKER_CONFIG", docker(bench.home.path(), &config)).end());

    let helpers = bench.path("helpers");
    fs::create_dir(&helpers).unwrap();
    let script = format!(
        "#!/bin/sh\nread -r server\ntest \"$server\" = \"{host}\" && echo \
         '{{\"Username\":\"{USER}\",\"Secret\":\"{PASSWORD}\"}}'\n"
    );
    let helper = helpers.join("docker-credential-test");
    fs::write(&helper, script).unwrap();
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).unwrap();
    let config = format!(r#"{{"credHelpers":{{"{host}":"test"}}}}"#);
    done(
        push("helper")
            .env("DOCKER_CONFIG", docker(bench.home.path(), &config))
            .env("PATH", &helpers)
            .end(),
    );
    done(
        with_login(run("pull"))
            .arg(format!("{host}/helper:0.1.0"))
            .file("--output", &bench.path("out"))
            .end(),
    );
}

#[test]
fn without_the_right_login_nothing_is_pushed_and_no_password_is_shown() {
    let Some(registry) = DockerRegistry::with_password() else { return };
    let bench = Bench::new();
    let folder = bench.release("0.1.0");
    let push = || run("push").arg(&folder).arg(format!("{}/a", registry.host()));
    refused(&push().end(), "credentials", "docker login");
    let wrong =
        push().env("SMP_REGISTRY_USER", USER).env("SMP_REGISTRY_PASSWORD", "open barley").end();
    refused(&wrong, "credentials", "does not accept your login");
    assert!(!wrong.stderr.contains("barley"));
    let half = push().env("SMP_REGISTRY_USER", USER).end();
    assert!(
        half.code == Some(2) && half.said("invalid-settings").contains("Set both"),
        "{}",
        half.stderr
    );
    let broken = push()
        .env("DOCKER_CONFIG", docker(bench.home.path(), "{\"auths\":{\"x\":{\"auth\":7}}"))
        .end();
    refused(&broken, "credentials", "it is not a valid configuration");
}

#[test]
fn a_home_without_docker_is_no_login_and_no_fault() {
    let (fake, bench) = (FakeRegistry::start(), Bench::new());
    let folder = bench.release("0.1.0");
    let push = || run("push").arg(&folder).arg(format!("{}/it", fake.host()));
    let home = push().env("HOME", bench.home.path()).end();
    assert_eq!(home.code, Some(0), "{}", home.stderr);
    let without = docker(bench.home.path(), "{\"auths\":{\"elsewhere.test\":{}}}");
    assert_eq!(push().env("DOCKER_CONFIG", &without).end().code, Some(0));
    assert!(fake.seen().iter().all(|seen| seen.authorization.is_none()));
}

#[test]
fn a_token_service_gets_the_login_and_the_registry_the_token() {
    let (fake, bench) = (FakeRegistry::start(), Bench::new());
    fake.ask_for_a_token_of("{}/token");
    let folder = bench.release("0.1.0");
    let pushed = with_login(run("push")).arg(&folder).arg(format!("{}/it", fake.host())).end();
    assert_eq!(pushed.code, Some(0), "{}", pushed.stderr);
    let basic = format!("Basic {}", encoded(USER, PASSWORD));
    for seen in fake.seen() {
        let expected = if seen.path.starts_with("/token") {
            Some(basic.as_str())
        } else {
            Some("Bearer good")
        };
        assert!(
            seen.authorization.is_none() || seen.authorization.as_deref() == expected,
            "{seen:?}"
        );
    }
    let asked: Vec<_> =
        fake.seen().into_iter().filter(|seen| seen.path.starts_with("/token")).collect();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].path, "/token?scope=repository%3Ait%3Apull&service=fake");
    let token = run("pull")
        .arg(format!("{}/it:0.1.0", fake.host()))
        .env("SMP_REGISTRY_TOKEN", "good")
        .file("--output", &bench.path("out"))
        .end();
    assert_eq!(token.code, Some(0), "{}", token.stderr);
}

#[test]
fn an_identity_that_docker_keeps_is_changed_for_a_token() {
    let (fake, bench) = (FakeRegistry::start(), Bench::new());
    fake.ask_for_a_token_of("{}/token");
    let config = format!(r#"{{"auths":{{"{}":{{"identitytoken":"who & what"}}}}}}"#, fake.host());
    let push = run("push").arg(bench.release("0.1.0")).arg(format!("{}/it", fake.host()));
    let pushed = push.env("DOCKER_CONFIG", docker(bench.home.path(), &config)).end();
    assert_eq!(pushed.code, Some(0), "{}", pushed.stderr);
    let asked: Vec<_> =
        fake.seen().into_iter().filter(|seen| seen.path.starts_with("/token")).collect();
    let form = "scope=repository%3Ait%3Apull&service=fake&grant_type=refresh_token&\
                client_id=smp-harness&refresh_token=who+%26+what";
    assert_eq!(
        (asked.len(), asked[0].method.as_str(), asked[0].path.as_str(), asked[0].form.as_str()),
        (1, "POST", "/token", form)
    );
}

#[test]
fn the_login_goes_only_to_a_permitted_token_service() {
    let (fake, lonely, bench) = (FakeRegistry::start(), Lonely::start(), Bench::new());
    let folder = bench.release("0.1.0");
    let push = || with_login(run("push")).arg(&folder).arg(format!("{}/it", fake.host()));
    for realm in [
        format!("{}/token", lonely.url()),
        "http://auth.example.test/token".into(),
        "https://me@auth.example.test/".into(),
        "x".into(),
    ] {
        fake.ask_for_a_token_of(&realm);
        let ended = push().end();
        assert_eq!(ended.code, Some(1), "{realm}");
        ended.said("denied");
    }
    assert!(!lonely.was_visited());
    let (other, named) = (FakeRegistry::start(), format!("{}/token", lonely.url()));
    drop(named);
    fake.ask_for_a_token_of(&format!("http://{}/token", other.host()));
    let allowed = push().args(["--allow-origin", &format!("http://{}", other.host())]).end();
    assert_eq!((allowed.code, other.seen().len()), (Some(0), 1), "{}", allowed.stderr);
}

#[test]
fn the_login_does_not_follow_a_redirect() {
    let (fake, storage, bench) = (FakeRegistry::start(), FakeRegistry::start(), Bench::new());
    fake.ask_for_a_token_of("{}/token");
    let pushed = with_login(run("push"))
        .arg(bench.release("0.1.0"))
        .arg(format!("{}/it", fake.host()))
        .end();
    assert_eq!(pushed.code, Some(0), "{}", pushed.stderr);
    push(&bench.path("atlassian-cloud-0.1.0"), &format!("{}/it", storage.host()));
    let layer = fake.manifest("0.1.0").unwrap()["layers"][0]["digest"].as_str().unwrap().to_owned();
    let before = storage.seen().len();
    fake.redirect(&layer, &format!("http://{}/v2/it/blobs/{layer}", storage.host()));
    let pull = || {
        with_login(run("pull"))
            .arg(format!("{}/it:0.1.0", fake.host()))
            .file("--output", &bench.path("out"))
    };
    let astray = pull().end();
    refused(&astray, "denied", "which is not on the allow list");
    assert!(astray.said("denied").contains(&format!("`--allow-origin http://{}`", storage.host())));
    assert_eq!(storage.seen().len(), before);
    let allowed = pull().args(["--allow-origin", &format!("http://{}", storage.host())]).end();
    assert_eq!(allowed.code, Some(0), "{}", allowed.stderr);
    let there: Vec<_> = storage.seen().into_iter().skip(before).collect();
    assert!(there.len() == 1 && there[0].authorization.is_none(), "{there:?}");
}
