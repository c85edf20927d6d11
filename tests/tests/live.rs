//! Tests of the live transport on real connections: TLS, proxies, compression, and what a request
//! reveals about its sender.
//!
//! Nothing leaves this machine: the live API is a mock behind a proxy, under the API's name and
//! with a throw-away certificate.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use serde_json::json;
use smp_tests::harness::{Lonely, Run, component};
use smp_tests::mock::{Authorization, Builder, Call, DEFAULT_KEY, Fault, Mock, When};

const LIVE: &str = "https://api.atlassian.com";

#[test]
fn tls_works_with_the_certificate_of_the_authority() {
    let (mock, folder) = (organization().start_tls().unwrap(), tempfile::tempdir().unwrap());
    let ended = Run::new("collect")
        .at(&mock)
        .file("--ca-file", &ca_file(&mock, folder.path()))
        .args(["--format", "ndjson"])
        .end();
    assert_eq!((ended.code, ended.lines().len()), (Some(0), 25), "{}", ended.stderr);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_told_with_the_way_out() {
    let mock = organization().start_tls().unwrap();
    let (other, folder) = (organization().start_tls().unwrap(), tempfile::tempdir().unwrap());
    let untrusting = |command| Run::new(command).at(&mock).args(["--json"]);
    for ended in [
        untrusting("collect").end(),
        untrusting("connect").end(),
        untrusting("collect").file("--ca-file", &ca_file(&other, folder.path())).end(),
        without_certificates(untrusting("collect"), folder.path()).end(),
    ] {
        let error = ended.error();
        assert_eq!((ended.code, &error["code"]), (Some(1), &json!("upstream")), "{error}");
        assert!(error["message"].as_str().unwrap().contains("certificate"), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("`--ca-file`"), "{error}");
    }
    assert_eq!(mock.requests(), 0);
}

#[test]
fn every_certificate_that_is_amiss_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let validate = |mock: &Mock| Run::new("validate").at(mock).arg("--json");
    // The operator trusts it, which does not help.
    let authority = organization().start_tls_as_authority().unwrap();
    let ended = validate(&authority).file("--ca-file", &ca_file(&authority, folder.path())).end();
    let said = ended.said("upstream");
    assert!(
        said.contains("the certificate of an authority, used as the server's own")
            && said.contains("Give the server a certificate of its own")
            && !said.contains("`--ca-file`"),
        "{said}"
    );
    let mock = organization().start_tls().unwrap();
    let said = without_certificates(validate(&mock), folder.path()).end().said("upstream");
    assert!(
        said.contains("this machine has no certificates of authorities")
            && said.contains("`ca-certificates`")
            && said.contains("`--ca-file`"),
        "{said}"
    );
    assert_eq!((authority.requests(), mock.requests()), (0, 0));
}

#[test]
fn a_file_of_certificates_is_taken_with_its_mark_or_named_for_what_it_is() {
    let (mock, folder) = (organization().start_tls().unwrap(), tempfile::tempdir().unwrap());
    let file = folder.path().join("given");
    let validate = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        Run::new("validate").at(&mock).file("--ca-file", &file).arg("--json").end()
    };
    let pem = mock.ca_pem().unwrap();
    let ended = validate(format!("\u{feff}{pem}").as_bytes());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, lines).unwrap();
    let before = mock.requests();
    for (bytes, words) in [
        (der, "`openssl x509 -inform der"),
        (pem.replace("CERTIFICATE", "PRIVATE KEY").into_bytes(), "never its private key"),
        (pem.as_bytes()[..pem.len() / 2].to_vec(), "it is not whole"),
        (Vec::new(), "it is empty"),
    ] {
        let ended = validate(&bytes);
        let said = ended.said("invalid-settings");
        assert!(ended.code == Some(2) && said.contains(words), "{said}");
    }
    assert_eq!(mock.requests(), before);
}

#[test]
fn the_address_that_was_asked_is_named_where_another_server_answers() {
    let mock = organization().start().unwrap();
    let elsewhere = Run::new("validate").for_organization_of(&mock);
    // The server of a registry knows no organization.
    let other = smp_tests::registry::FakeRegistry::start();
    let url = format!("http://{}", other.host());
    let ended = elsewhere.args(["--upstream", &url, "--rate", "off", "--json"]).end();
    let hint = ended.error()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains(&format!("{url} was asked in place of the service")), "{hint}");
}

#[test]
fn a_validation_tells_of_the_certificate_too() {
    let mock = organization().start_tls().unwrap();
    let ended = Run::new("validate").at(&mock).args(["--json"]).end();
    let (report, error) = (ended.json(), ended.error());
    assert_eq!(
        (ended.code, &report["ready"], &error["code"]),
        (Some(1), &json!(false), &json!("upstream"))
    );
    let checks = report["checks"].as_array().unwrap();
    let failed = checks.iter().find(|check| check["outcome"] == "failed").unwrap();
    assert_eq!((&failed["message"], &failed["hint"]), (&error["message"], &error["hint"]));
    assert!(ended.said("upstream").contains("`--ca-file`"));
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let (mock, folder) = (organization().start_tls().unwrap(), tempfile::tempdir().unwrap());
    let proxy = Between::tunnel(mock.address());
    let ended = live("collect", &mock, &proxy, folder.path()).args(["--json"]).end();
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (Some(1), &json!("upstream")),
        "{}",
        ended.stderr
    );
    assert!(ended.error()["message"].as_str().unwrap().contains("certificate"), "{}", ended.stderr);
    assert_eq!(mock.requests(), 0);
}

#[test]
fn plain_http_to_this_machine_needs_no_certificates() {
    let (mock, folder) = (organization().start().unwrap(), tempfile::tempdir().unwrap());
    let run = Run::new("validate").at(&mock).args(["--json"]);
    let ended = without_certificates(run, folder.path()).end();
    assert_eq!((ended.code, &ended.json()["ready"]), (Some(0), &json!(true)), "{}", ended.stderr);
}

#[test]
fn the_live_api_is_reached_through_the_systems_proxy() {
    let (mock, folder) = (
        organization().also_named("api.atlassian.com").start_tls().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let proxy = Between::tunnel(mock.address());
    let validated = live("validate", &mock, &proxy, folder.path()).args(["--json"]).end();
    assert_eq!(
        (validated.code, &validated.json()["ready"]),
        (Some(0), &json!(true)),
        "{}",
        validated.stderr
    );
    let collected =
        live("collect", &mock, &proxy, folder.path()).args(["--format", "ndjson"]).end();
    assert_eq!((collected.code, collected.lines().len()), (Some(0), 25), "{}", collected.stderr);
    let heads = proxy.heads();
    assert!(!heads.is_empty());
    for head in &heads {
        assert!(head.starts_with("CONNECT api.atlassian.com:443 HTTP/1.1\r\n"), "{head}");
        assert!(!head.to_lowercase().contains("bearer") && !head.contains(mock.key()), "{head}");
    }
    assert!(mock.log().iter().all(|request| request.authorization == Authorization::Right));
}

#[test]
fn a_proxy_is_in_the_companys_own_network_and_may_be_known_by_a_name() {
    let (mock, folder) = (
        organization().also_named("api.atlassian.com").start_tls().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let proxy = Between::tunnel(mock.address());
    let by_name = proxy.url().replace("127.0.0.1", "LocalHost");
    let ended = live("validate", &mock, &proxy, folder.path())
        .env("HTTPS_PROXY", by_name)
        .args(["--json"])
        .end();
    assert_eq!((ended.code, &ended.json()["ready"]), (Some(0), &json!(true)), "{}", ended.stderr);
    assert!(!proxy.heads().is_empty());
}

#[test]
fn the_proxy_variables_do_not_count_for_an_upstream() {
    let (mock, lonely) = (organization().start().unwrap(), Lonely::start());
    let variables =
        ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let run = variables
        .iter()
        .fold(Run::new("validate").at(&mock), |run, name| run.env(name, lonely.url()));
    let ended = run.args(["--json"]).end();
    assert_eq!((ended.code, &ended.json()["ready"]), (Some(0), &json!(true)), "{}", ended.stderr);
    assert!(!lonely.was_visited());
}

#[test]
fn nothing_is_sent_to_the_live_api_unless_somebody_approved_it() {
    let (mock, folder) = (
        organization().also_named("api.atlassian.com").start_tls().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let proxy = Between::tunnel(mock.address());
    let unapproved = |command: &str| {
        let run = Run::new(command)
            .for_organization_of(&mock)
            .file("--ca-file", &ca_file(&mock, folder.path()));
        run.env("HTTPS_PROXY", proxy.url()).args(["--json"])
    };
    for (ended, way_out) in [
        (unapproved("validate").end(), "`--allow-origin https://api.atlassian.com`"),
        (unapproved("collect").end(), "`--allow-origin https://api.atlassian.com`"),
        (
            unapproved("connect")
                .args(["--allow-origin", "https://api.atlassian.com.example.test"])
                .end(),
            "the origin that it asks for",
        ),
        (
            unapproved("collect").args(["--allow-origin", "https://api.atlassian.com:8443"]).end(),
            "the origin that it asks for",
        ),
    ] {
        let error = ended.error();
        assert_eq!(
            (ended.code, &error["code"], &error["retryable"]),
            (Some(1), &json!("denied"), &json!(false)),
            "{error}"
        );
        assert!(error["message"].as_str().unwrap().contains(LIVE), "{error}");
        assert!(error["hint"].as_str().unwrap().contains(way_out), "{error}");
    }
    assert_eq!((proxy.heads().len(), mock.requests()), (0, 0));
}

#[test]
fn a_yes_on_a_terminal_is_remembered_for_this_build_and_a_no_sends_nothing() {
    let (mock, folder) = (
        organization().also_named("api.atlassian.com").start_tls().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let proxy = Between::tunnel(mock.address());
    let other_build = folder.path().join("other.wasm");
    // A custom section of one byte without a name changes only the digest.
    std::fs::write(&other_build, [std::fs::read(component()).unwrap(), vec![0, 2, 0, 7]].concat())
        .unwrap();
    let validate = |connector: &Path| {
        let run = Run::bare()
            .args(["validate".as_ref(), connector.as_os_str()])
            .for_organization_of(&mock);
        let run = run
            .file("--ca-file", &ca_file(&mock, folder.path()))
            .env("HTTPS_PROXY", proxy.url())
            .args(["--rate", "off"]);
        run.env("XDG_STATE_HOME", folder.path())
    };
    for no in ["\n", "n\n", "no\n", "yes please\n", "\u{4}"] {
        let ended = validate(&component()).on_a_terminal(no);
        let words = [
            "wants to send requests with your key to",
            LIVE,
            "GET /admin/v1/orgs/{organization-id}/users",
            "sha256:",
            "[y/N]",
            "did not approve",
        ];
        assert!(
            ended.code == Some(1) && words.iter().all(|word| ended.stderr.contains(word)),
            "{no:?}: {}",
            ended.stderr
        );
    }
    assert_eq!((proxy.connections(), mock.requests()), (0, 0));
    let ended = validate(&component()).on_a_terminal("Yes\n");
    assert!(ended.code == Some(0) && ended.stdout.contains("Ready."), "{}", ended.stderr);
    let ended = validate(&component()).on_a_terminal("");
    assert!(
        ended.code == Some(0) && !ended.stderr.contains("[y/N]"),
        "it was remembered: {}",
        ended.stderr
    );
    assert_eq!(validate(&component()).end().code, Some(0), "also where nobody could be asked");
    let before = mock.requests();
    assert!(
        validate(&other_build).on_a_terminal("n\n").stderr.contains("[y/N]"),
        "another build asks again"
    );
    assert_eq!(
        (
            validate(&other_build).args(["--json"]).end().said("denied").contains(LIVE),
            mock.requests()
        ),
        (true, before)
    );
}

#[test]
fn packed_answers_are_asked_for_and_taken() {
    let mock = organization().gzip().start().unwrap();
    let relay = Between::relay(mock.address());
    let ended = through(&relay, "collect", &mock).args(["--format", "ndjson"]).end();
    assert_eq!((ended.code, ended.lines().len()), (Some(0), 25), "{}", ended.stderr);
    let asked = relay.sent().lines().filter(|line| *line == "accept-encoding: gzip").count();
    // Three pages, and the domains for the note of the first.
    assert_eq!(asked, 4, "{}", relay.sent());
    // Unpacked they are more than 19,000.
    assert!(relay.received() < 7_000, "{} bytes came", relay.received());
}

#[test]
fn a_connection_is_kept_for_the_next_request() {
    let mock = organization().start().unwrap();
    let relay = Between::relay(mock.address());
    let ended = through(&relay, "collect", &mock).args(["--format", "ndjson"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!((relay.connections(), mock.requests()), (1, 4));
}

#[test]
fn a_connection_that_broke_is_made_again() {
    let mock = organization().fault(Call::Users, When::Nth(2), Fault::Drop).start().unwrap();
    let relay = Between::relay(mock.address());
    let ended = through(&relay, "collect", &mock).args(["--format", "ndjson"]).end();
    assert_eq!((ended.code, ended.lines().len()), (Some(0), 25), "{}", ended.stderr);
    assert_eq!((relay.connections(), mock.requests()), (2, 5));
}

#[test]
fn a_request_says_what_it_must_and_nothing_that_identifies_the_sender() {
    let mock = organization().start().unwrap();
    let relay = Between::relay(mock.address());
    let ended = through(&relay, "validate", &mock).args(["--json"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let sent = relay.sent();
    let mut requests = 0;
    for request in sent.split("\r\n\r\n").filter(|request| !request.is_empty()) {
        let mut lines = request.split("\r\n");
        let paths = ["GET /admin/v1/orgs", "GET /admin/api-access/v1/orgs/"];
        let first = lines.next().unwrap();
        assert!(paths.iter().any(|path| first.starts_with(path)), "{request}");
        let mut headers: Vec<(String, &str)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(n, v)| (n.to_lowercase(), v))
            .collect();
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["accept", "accept-encoding", "authorization", "host", "user-agent"]);
        let value = |name: &str| headers.iter().find(|(known, _)| known == name).unwrap().1;
        assert_eq!(
            (value("accept"), value("host")),
            ("application/json", relay.address.to_string().as_str())
        );
        assert_eq!(value("user-agent"), concat!("smp-harness/", env!("CARGO_PKG_VERSION")));
        requests += 1;
    }
    assert_eq!(requests, mock.requests());
}

#[test]
fn a_key_that_the_server_repeats_is_blotted_out() {
    let mock = organization().organization_name(&format!("Company {DEFAULT_KEY}")).start().unwrap();
    let ended = Run::new("connect").at(&mock).args(["--json"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        !ended.stdout.contains(mock.key())
            && ended.json()["name"].as_str().unwrap().starts_with("Company ***"),
        "{}",
        ended.stdout
    );
}

/// Simulates a machine without any certificates.
fn without_certificates(run: Run, folder: &Path) -> Run {
    run.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", folder.join("missing"))
}

fn organization() -> Builder {
    Mock::builder().members(25).page_size(10)
}

fn ca_file(mock: &Mock, folder: &Path) -> PathBuf {
    let path = folder.join("ca.pem");
    std::fs::write(&path, mock.ca_pem().unwrap()).unwrap();
    path
}

/// A run with the live API, as far as this machine permits: the proxy leads to the mock.
fn live(command: &str, mock: &Mock, proxy: &Between, folder: &Path) -> Run {
    let run = Run::new(command).for_organization_of(mock).file("--ca-file", &ca_file(mock, folder));
    run.env("HTTPS_PROXY", proxy.url()).args(["--allow-origin", LIVE, "--rate", "off"])
}

fn through(relay: &Between, command: &str, mock: &Mock) -> Run {
    Run::new(command).for_organization_of(mock).args(["--upstream", &relay.url(), "--rate", "off"])
}

/// A relay between the command and a mock that records what passes.
struct Between {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    /// The requests to the proxy itself.
    heads: Vec<String>,
    sent: Vec<u8>,
    received: usize,
}

impl Between {
    /// Passes on all bytes unchanged.
    fn relay(to: SocketAddr) -> Self {
        Self::start(to, false)
    }

    /// A proxy: whatever host a CONNECT names, it leads to the mock.
    fn tunnel(to: SocketAddr) -> Self {
        Self::start(to, true)
    }

    fn start(to: SocketAddr, is_proxy: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (address, seen, stopped) = (
            listener.local_addr().unwrap(),
            Arc::<Mutex<Seen>>::default(),
            Arc::<AtomicBool>::default(),
        );
        let (noted, over) = (Arc::clone(&seen), Arc::clone(&stopped));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                noted.lock().unwrap().connections += 1;
                let noted = Arc::clone(&noted);
                thread::spawn(move || converse(stream.unwrap(), to, is_proxy, &noted));
            }
        });
        Self { address, seen, stopped, thread: Some(thread) }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().heads.clone()
    }

    fn sent(&self) -> String {
        String::from_utf8(self.seen.lock().unwrap().sent.clone()).unwrap()
    }

    fn received(&self) -> usize {
        self.seen.lock().unwrap().received
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn converse(mut client: TcpStream, to: SocketAddr, is_proxy: bool, seen: &Arc<Mutex<Seen>>) {
    if is_proxy {
        let mut head = Vec::new();
        // No request to a proxy is as long as this.
        while !head.ends_with(b"\r\n\r\n") && head.len() < 8_192 {
            let mut byte = [0];
            match client.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        seen.lock().unwrap().heads.push(String::from_utf8(head).unwrap());
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
    }
    let server = TcpStream::connect(to).unwrap();
    let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let noted = Arc::clone(seen);
    let up = thread::spawn(move || {
        pass(from_client, to_server, |bytes| noted.lock().unwrap().sent.extend_from_slice(bytes))
    });
    pass(server, client, |bytes| seen.lock().unwrap().received += bytes.len());
    let _ended = up.join();
}

/// Passes bytes on until one side closes, and then closes the other.
fn pass(mut from: TcpStream, mut to: TcpStream, mut note: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        note(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ended = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
