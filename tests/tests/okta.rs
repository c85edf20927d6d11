//! Tests of the connector of a second real vendor, Okta: its fixtures have their expected outcomes,
//! it passes the check strictly, and the host attaches its token, binds its origin and hands it the
//! `Link` headers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};
use smp_tests::cases::Cases;
use smp_tests::harness::{Run, folder, test_component};

static CASES: LazyLock<Cases> =
    LazyLock::new(|| Cases::new(test_component("okta"), folder("fixtures-okta")));

const TOKEN: &str = "00TestTokenOfNobody-1234567890_abcdefghijk";

#[test]
fn every_fixture_comes_out_as_expected() {
    CASES.assert_as_expected();
}

#[test]
fn every_fixture_ends_in_its_own_code() {
    let rows = [
        ("acme", "ready", "complete"),
        ("address-of-the-admin-console", "not-found", "not-found"),
        ("administrator-may-not-view-the-people", "permission", "permission"),
        ("administrator-may-not-view-the-settings", "permission", "permission"),
        ("cursor-refused-once", "ready", "complete"),
        ("next-page-on-another-host", "ready", "complete"),
        ("next-page-that-cannot-be-read", "unexpected-response", "unexpected-response"),
        ("no-such-site", "not-found", "not-found"),
        ("nobody-visible", "no-members", "no-members"),
        ("odd-times-and-an-unknown-status", "ready", "complete"),
        ("person-without-an-id", "unexpected-response", "unexpected-response"),
        ("same-cursor-again", "ready", "unexpected-response"),
        ("site-is-an-address", "invalid-settings", "invalid-settings"),
        ("site-missing", "invalid-settings", "invalid-settings"),
        ("token-not-accepted", "credentials", "credentials"),
        ("token-revoked-meanwhile", "ready", "credentials"),
        ("too-many-requests-for-half-a-minute", "ready", "complete"),
        ("too-many-requests-for-two-hours", "rate-limited", "rate-limited"),
        ("web-page-in-place-of-people", "unexpected-response", "unexpected-response"),
    ];
    assert_eq!(CASES.names(), rows.map(|(name, ..)| name.to_owned()));
    for (name, validates, collects) in rows {
        let came = CASES.played(name);
        let validated = failed_check(&came["validate"])
            .unwrap_or(if came["validate"]["ready"] == true { "ready" } else { "not ready" });
        let error = &came["collect"]["error"];
        let collected =
            error["code"].as_str().unwrap_or_else(|| came["collect"]["outcome"].as_str().unwrap());
        assert_eq!((validated, collected), (validates, collects), "{name}");
        assert_eq!(error["hint"].is_null(), error.is_null(), "{name}");
    }
}

#[test]
fn a_limit_in_seconds_of_unix_time_is_waited_out_or_told() {
    let waited = CASES.played("too-many-requests-for-half-a-minute");
    assert_eq!(waited["collect"]["waited_ms"], 30_000);
    let told = CASES.played("too-many-requests-for-two-hours");
    assert_eq!(told["collect"]["error"]["retry_after_s"], 7_200);
    assert_eq!(told["collect"]["error"]["retryable"], true);
}

#[test]
fn it_passes_the_check_strictly_though_its_tokens_have_no_scopes() {
    let ended = Run::bare()
        .args(["check", "--strict", "--json"])
        .arg(test_component("okta"))
        .file("--fixtures", &folder("fixtures-okta"))
        .end();
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let verdict = ended.json();
    let rules = verdict["rules"].as_array().unwrap();
    let scoped = rules.iter().find(|rule| rule["id"] == "scopes-named").unwrap();
    assert!(scoped["message"].as_str().unwrap().contains("no scopes"), "{scoped}");
}

#[test]
fn the_token_is_attached_and_each_page_is_requested_by_its_cursor_alone() {
    let server = Server::answering(|path| match path {
        "/api/v1/org" => page(&[], r#"{"id":"00o1","companyName":"Acme"}"#),
        "/api/v1/users?limit=200" => page(
            &[
                r#"<https://acme.okta.com/api/v1/users?limit=200>; rel="self""#,
                r#"<https://evil.test/api/v1/users?after=two%2F&limit=1>; rel="next""#,
            ],
            r#"[{"id":"00u1","status":"ACTIVE","profile":{"email":"ada@acme.example"}}]"#,
        ),
        "/api/v1/users?limit=200&after=two%2F" => page(
            &[r#"<https://acme.okta.com/api/v1/users?after=two%2F&limit=200>; rel="self""#],
            r#"[{"id":"00u2","status":"STAGED"}]"#,
        ),
        _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
    });
    let at = |command: &str| at(command, &server.url());

    let validated = at("validate").arg("--json").end();
    assert_eq!(validated.json()["ready"], true, "{}{}", validated.stdout, validated.stderr);
    let collected = at("collect").args(["--format", "ndjson"]).end();
    assert_eq!(collected.code, Some(0), "{}", collected.stderr);
    let rows = collected.lines();
    assert_eq!(rows.iter().map(|row| &row["id"]).collect::<Vec<_>>(), ["00u1", "00u2"]);
    assert_eq!(rows[0]["products"][0]["site"], "acme.okta.com");

    let seen = server.seen();
    let lines: Vec<&str> = seen.iter().map(|head| head.lines().next().unwrap()).collect();
    assert_eq!(
        lines,
        [
            "GET /api/v1/org HTTP/1.1",
            "GET /api/v1/users?limit=200 HTTP/1.1",
            "GET /api/v1/users?limit=200 HTTP/1.1",
            "GET /api/v1/users?limit=200&after=two%2F HTTP/1.1",
        ]
    );
    for head in &seen {
        let credentials: Vec<&str> =
            head.lines().filter(|line| line.to_lowercase().contains("authorization")).collect();
        assert_eq!(credentials, [format!("authorization: SSWS {TOKEN}")]);
        assert_eq!(head.matches(TOKEN).count(), 1, "{head}");
    }
}

#[test]
fn a_token_that_the_answer_repeats_reaches_no_output() {
    let server = Server::answering(|path| match path {
        "/api/v1/org" => page(&[], &format!(r#"{{"id":"00o1","companyName":"{TOKEN}"}}"#)),
        _ => page(&[&format!("<?after={TOKEN}>; rel=next")], r#"[{"id":"00u1"}]"#),
    });
    for command in ["connect", "validate", "collect"] {
        let ended = at(command, &server.url()).arg("--json").end();
        assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(TOKEN), "{command}");
    }
    assert!(server.seen().iter().all(|head| !head.lines().next().unwrap().contains(TOKEN)));
}

#[test]
fn headers_that_are_too_large_end_the_collection_instead_of_the_list() {
    let long = "x".repeat(9_000);
    let server = Server::answering(move |_| {
        page(&[&format!("<?after={long}>; rel=next"), "<?>; rel=self"], r#"[{"id":"00u1"}]"#)
    });
    let ended = at("collect", &server.url()).args(["--format", "ndjson", "--json"]).end();
    let error = ended.error();
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(error["message"].as_str().unwrap().contains("8192 bytes"), "{error}");
}

#[test]
fn only_the_origin_of_the_site_can_be_approved_and_reached() {
    let proxy = Server::answering(|_| {
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned()
    });
    let run = |site: &str, approved: &str| {
        let site = format!("site={site}");
        let run = Run::bare().args(["connect", "--json", "--max-wait", "0", "--rate", "off"]);
        let run = run.arg(test_component("okta")).args(["--set", &site]);
        let run = run.args(["--secret", "api-token=env:TOKEN", "--allow-origin", approved]);
        run.env("TOKEN", TOKEN).env("HTTPS_PROXY", proxy.url()).end()
    };
    for approved in ["https://other.okta.com", "https://okta.com", "https://acme.okta.com:8443"] {
        let ended = run("acme", approved);
        let said = ended.said("denied");
        assert!(said.contains("https://acme.okta.com"), "{said}");
    }
    for site in ["acme.evil.test/", "evil.test#", "acme.okta.com@evil", "ACME", "a b", ".", "-a"] {
        let ended = run(site, "https://acme.okta.com");
        let said = ended.said("invalid-settings");
        assert!(said.contains("before `.okta.com`"), "{site}: {said}");
    }
    assert_eq!(proxy.seen(), [""; 0]);

    let ended = run("acme", "https://acme.okta.com");
    assert_eq!(ended.error()["code"], "upstream", "{}", ended.stderr);
    let seen = proxy.seen();
    assert!(!seen.is_empty());
    for head in seen {
        assert!(head.starts_with("CONNECT acme.okta.com:443 HTTP/1.1\r\n"), "{head}");
        assert!(!head.contains(TOKEN), "{head}");
    }
}

#[test]
fn a_token_is_refused_in_the_field_for_the_site() {
    let proxy = Server::answering(|_| String::new());
    let ended = Run::bare()
        .args(["validate", "--json", "--upstream", &proxy.url()])
        .arg(test_component("okta"))
        .args(["--set", &format!("site={TOKEN}"), "--secret", "api-token=env:TOKEN"])
        .env("TOKEN", TOKEN)
        .end();
    let shown = format!("{}{}", ended.stdout, ended.stderr);
    assert!(ended.code != Some(0) && !shown.contains(TOKEN), "{shown}");
    assert_eq!(proxy.seen(), [""; 0]);
}

#[test]
fn the_real_command_knows_it() {
    let run = |command: &str| Run::bare().arg(command).arg(test_component("okta"));
    let inspected = run("inspect").arg("--json").end();
    let descriptor = inspected.json()["descriptor"].clone();
    assert_eq!((inspected.code, &descriptor["id"]), (Some(0), &json!("okta")));
    assert!(inspected.stdout.contains("https://{site}.okta.com"), "{}", inspected.stdout);
    let guide = run("guide").end();
    assert!(guide.code == Some(0) && guide.stdout.contains("Create token"), "{}", guide.stderr);
    let collected =
        run("collect").args(["--format", "csv"]).file("--fixture", &CASES.folder("acme")).end();
    assert_eq!(collected.code, Some(0), "{}", collected.stderr);
    assert_eq!(collected.stdout.lines().count(), 10, "{}", collected.stdout);
}

/// The code of the first failed check of a validation.
fn failed_check(validation: &Value) -> Option<&str> {
    let checks = validation["checks"].as_array()?;
    checks.iter().find(|check| check["outcome"] == "failed")?["code"].as_str()
}

/// A run of this command with the site `acme`, at a server in place of Okta.
fn at(command: &str, url: &str) -> Run {
    let run = Run::bare().arg(command).arg(test_component("okta")).args(["--set", "site=acme"]);
    let run = run.args(["--secret", "api-token=env:TOKEN", "--upstream", url, "--rate", "off"]);
    run.env("TOKEN", TOKEN)
}

/// A response with these `Link` headers and this JSON.
fn page(links: &[&str], body: &str) -> String {
    let links: String = links.iter().map(|link| format!("Link: {link}\r\n")).collect();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{links}content-length: {}\r\n\r\n\
         {body}",
        body.len()
    )
}

/// A server on loopback that notes the head of each request, and answers by its path. It stops when
/// dropped.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn answering(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stopped) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicBool>::default());
        let (noted, over) = (Arc::clone(&seen), Arc::clone(&stopped));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let mut reader = BufReader::new(stream.unwrap());
                while let Some(head) = head(&mut reader) {
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    noted.lock().unwrap().push(head);
                    if reader.get_mut().write_all(answer(&path).as_bytes()).is_err() {
                        break;
                    }
                }
            }
        });
        Self { address, seen, stopped, thread: Some(thread) }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

/// The head of the next request of a connection; `None` at its end.
fn head(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            return Some(head);
        }
        head.push_str(&line);
    }
}
