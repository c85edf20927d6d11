//! Tests of what an operator does beside a running server: keys, backups, and what cannot start.

use serde_json::{Value, json};

use crate::server::{Server, platform, run};
use crate::{Folder, folder, mock};

#[test]
fn what_cannot_start_says_why_and_a_new_wrapping_key_and_a_backup_work_beside_it() {
    let (folder, mock) = (folder(), mock(20, 0));
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let run_id = server.first_run(&path);
    server.ended(&path, &run_id);
    let said = |arguments: &[&str]| {
        let ended = platform().args(arguments).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    let data = folder.data.to_str().unwrap();
    let (code, why) = said(&["serve", "--data", data]);
    assert!(code == Some(1) && why.contains("another `serve` runs"), "{why}");
    let (code, why) = said(&["serve", "--data", data, "--listen", "0.0.0.0:0"]);
    assert!(code == Some(2) && why.contains("--public-url"), "{why}");
    let (code, why) = said(&["serve", "--database", "postgres://someone:hidden@127.0.0.1:1/x"]);
    assert!(
        code == Some(1) && why.contains("postgres://USER@") && !why.contains("hidden"),
        "{why}"
    );
    assert!(run(&folder.data, &["rotate-key"]).status.success());
    let (_, validation) = server.ask("POST", &format!("{path}/validate"), &Value::Null);
    assert_eq!(
        validation["ready"],
        json!(true),
        "the running process has the new key: {validation}"
    );

    let copy = folder.data.with_extension("copy");
    std::fs::create_dir(&copy).unwrap();
    let file = copy.join("platform.db");
    assert!(run(&folder.data, &["backup", file.to_str().unwrap()]).status.success());
    std::fs::copy(folder.data.join("key"), copy.join("key")).unwrap();
    let token = server.token.clone();
    server.end();
    let restored = Server::start(&copy, &mock).with(token);
    assert_eq!(restored.get(&format!("{path}/members"))["total"], json!(20));
    restored.end();

    std::fs::remove_file(folder.data.join("key")).unwrap();
    let (code, why) = said(&["serve", "--data", data]);
    assert!(
        code == Some(1) && why.contains("keys of 1 connections") && why.contains("not lost"),
        "{why}"
    );
    assert!(run(&folder.data, &["rotate-key", "--lost"]).status.success());
    let again = Server::start(&folder.data, &mock).with(restored_token(&folder));
    assert_eq!(again.get(&path)["state"], json!("attention"));
}

#[test]
fn options_that_cannot_work_are_refused_with_the_way_out_and_repeat_no_password() {
    let folder = folder();
    let data = folder.data.to_str().unwrap();
    let engine = "http://127.0.0.1:7233";
    let secret = "http://ann:hidden@127.0.0.1:7233";
    for (arguments, words) in [
        (&["--temporal", engine, "--data", data][..], "Give a `--database`"),
        (&["--temporal", secret, "--database", "postgres://x"], "TEMPORAL_API_KEY"),
        (&["--temporal", "hidden", "--database", "postgres://x"], "http://HOST:PORT"),
        (&["--temporal", "ftp://h", "--database", "postgres://x"], "http://HOST:PORT"),
        (&["--temporal", engine, "--database", "postgres://x"], "make temporal-bridge"),
        (&["--key-vault", "hidden", "--data", data], "/v1/transit/keys/NAME"),
        (&["--key-vault", "https://a:hidden@v.test/v1/t/keys/k", "--data", data], "keys/NAME"),
        (&["--key-vault", "https://v.test/v1/transit", "--data", data], "keys/NAME"),
        (&["--key-vault", "https://v.test/v1/t/keys/k", "--key", "k", "--data", data], "--key"),
        (&["--key-vault-token", "t", "--data", data], "--key-vault"),
        (&["--allow-upstream", secret, "--data", data], "http://[not shown]@127.0.0.1:7233"),
        (&["--public-url", "https://a:'hidden://@h", "--data", data], "[not shown]@h"),
        (&["--data", data, secret], "unexpected argument 'http://[not shown]@"),
    ] {
        let mut serve = platform();
        serve.arg("serve").args(arguments).env("VAULT_TOKEN", "t");
        let ended = serve.output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success() && said.contains(words), "{arguments:?}: {said}");
        assert!(!said.contains("hidden"), "{said}");
    }
    // Files beside the store end with 1 where they cannot be read, as those of smp-harness do.
    let wrong = folder.data.with_file_name("wrong.toml");
    std::fs::write(&wrong, "publisher = 3").unwrap();
    let wrong = wrong.to_str().unwrap();
    for (file, code, words) in
        [("/nonexistent/trust.toml", 1, "Name a trust file"), (wrong, 2, "`--trust`: ")]
    {
        let ended = platform().args(["serve", "--data", data, "--trust", file]).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{said}");
    }
    let without = platform()
        .args(["serve", "--data", data, "--key-vault", "https://v.test/v1/t/keys/k"])
        .output()
        .unwrap();
    assert!(String::from_utf8(without.stderr).unwrap().contains("VAULT_TOKEN"));
}

fn restored_token(folder: &Folder) -> String {
    let made = run(&folder.data, &["token", "new", "--json", "--role", "admin"]);
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    made["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_crash_leaves_no_file_of_its_memory() {
    let (folder, mock) = (folder(), mock(20, 0));
    let server = Server::start(&folder.data, &mock);
    let limits = std::fs::read_to_string(server.root().with_file_name("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
}
