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
