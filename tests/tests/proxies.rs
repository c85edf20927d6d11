//! Tests of the proxy variables in the environment: a valid one is used, and an invalid one is
//! refused before anything is sent.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread::JoinHandle;

use smp_tests::harness::{Ended, Lonely, Run, component};
use smp_tests::mock::Mock;
use smp_tests::registry::FakeRegistry;

const BASE: &str = "https://api.atlassian.com";
/// A name of the same length that does not exist.
const NOWHERE: &str = "https://service12.invalid";

/// A proxy that refuses everything, and reports the first request to it.
struct Proxy {
    url: String,
    first: JoinHandle<String>,
}

impl Proxy {
    fn start() -> Self {
        Self::answering("403 Forbidden")
    }

    fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://user:p%40ss%231@{}", listener.local_addr().unwrap());
        let first = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut buffer = [0; 1024];
            while !asked.windows(4).any(|window| window == b"\r\n\r\n") {
                let length = stream.read(&mut buffer).unwrap();
                assert!(length > 0, "the request ends too early");
                asked.extend(buffer.iter().take(length));
            }
            stream
                .write_all(
                    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                        .as_bytes(),
                )
                .unwrap();
            String::from_utf8(asked).unwrap()
        });
        Self { url, first }
    }
}

/// A command for the live API, which does not exist, with these variables.
fn live(command: &str, variables: &[(&str, &str)]) -> Ended {
    live_for(command, "0", variables)
}

/// The same, with this budget for waits.
fn live_for(command: &str, seconds: &str, variables: &[(&str, &str)]) -> Ended {
    let (mock, folder) = (Mock::builder().start().unwrap(), tempfile::tempdir().unwrap());
    let bytes = std::fs::read(component()).unwrap();
    let at = bytes.windows(BASE.len()).position(|window| window == BASE.as_bytes()).unwrap();
    let changed = [&bytes[..at], NOWHERE.as_bytes(), &bytes[at + BASE.len()..]].concat();
    let connector = folder.path().join("connector.wasm");
    std::fs::write(&connector, changed).unwrap();
    let run = Run::bare().arg(command).arg(&connector).for_organization_of(&mock);
    let run = run.args(["--allow-origin", NOWHERE, "--rate", "off", "--json"]);
    let run = run.args(["--max-wait", seconds]);
    variables.iter().fold(run, |run, (name, value)| run.env(name, value)).end()
}

fn assert_refused(ended: &Ended, name: &str, words: &str) {
    let said = ended.said("invalid-settings");
    assert!(ended.code == Some(2) && ended.stdout.is_empty(), "{said}");
    assert!(said.contains(&format!("`{name}`")) && said.contains(words), "{said}");
    assert!(
        !ended.stderr.contains("ss#1") && !ended.stderr.contains("hunter"),
        "the value is shown: {said}"
    );
}

#[test]
fn a_proxy_that_cannot_be_read_is_refused_and_nothing_goes_past_it() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"]
    {
        for value in [
            "http://user:p@ss#1@127.0.0.1:9",
            "http://user:hunter\\2@a.test:9",
            "http://user:hunter 2@a.test",
            "http:hunter",
        ] {
            assert_refused(&live("validate", &[(name, value)]), name, "`@` is %40, `#` is %23");
        }
        assert_refused(
            &live("validate", &[(name, "socks5://127.0.0.1:9")]),
            name,
            "names a `socks5` proxy",
        );
    }
    for command in ["connect", "collect"] {
        assert_refused(
            &live(command, &[("HTTPS_PROXY", "http://user:p@ss#1@127.0.0.1:9")]),
            "HTTPS_PROXY",
            "percent-encode",
        );
    }
}

#[test]
fn a_proxy_that_an_empty_variable_hides_is_refused_and_nothing_goes_past_it() {
    for (empty, hidden) in [("HTTPS_PROXY", "https_proxy"), ("ALL_PROXY", "all_proxy")] {
        let ended = live("validate", &[(empty, ""), (hidden, "http://user:hunter2@127.0.0.1:9")]);
        assert_refused(&ended, hidden, &format!("because `{empty}` is set, though it is empty"));
        assert!(ended.said("invalid-settings").contains("Unset the empty variable"));
    }
}

#[test]
fn a_proxy_is_used_with_the_password_that_was_escaped() {
    let proxy = Proxy::start();
    let ended = live("connect", &[("HTTPS_PROXY", &proxy.url)]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let asked = proxy.first.join().unwrap();
    assert!(asked.starts_with("CONNECT service12.invalid:443 "), "{asked}");
    // user:p@ss#1
    assert!(
        asked.to_lowercase().contains("proxy-authorization: basic dxnlcjpwqhnzize="),
        "{asked}"
    );
}

#[test]
fn what_a_proxy_refuses_is_the_proxys_and_not_tried_again() {
    for (status, words) in [
        ("407 Proxy Authentication Required", "asks for a user name and a password (407)"),
        ("403 Forbidden", "the proxy refuses to connect to the service"),
        ("502 Bad Gateway", "the proxy refuses to connect to the service"),
    ] {
        for command in ["validate", "connect", "collect"] {
            // It answers once: a second try would wait for its connection, and fail otherwise.
            let proxy = Proxy::answering(status);
            let ended = live_for(command, "900", &[("HTTPS_PROXY", &proxy.url)]);
            let said = ended.said("upstream");
            let host = proxy.url.rsplit('@').next().unwrap();
            assert!(said.contains(words), "{status}: {said}");
            let whose = format!("the proxy {host} (`HTTPS_PROXY`), not of the service");
            assert!(said.contains(&whose), "{said}");
            assert!(!said.contains("ss#1") && !said.contains("p%40ss"), "{said}");
            assert_eq!(ended.error()["retryable"], false, "{said}");
            proxy.first.join().unwrap();
        }
    }
}

#[test]
fn a_proxy_that_does_not_answer_is_named_with_its_variable() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let host = listener.local_addr().unwrap();
    drop(listener);
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let ended = live("validate", &[(variable, &format!("http://user:p%40ss%231@{host}"))]);
        let said = ended.said("upstream");
        assert!(said.contains("no connection to the proxy in front of the service ("), "{said}");
        assert!(said.contains(&format!("the proxy {host} (`{variable}`)")), "{said}");
        assert!(!said.contains("ss#1") && !said.contains("p%40ss"), "{said}");
    }
    // It may be back soon, so it is tried again.
    let ended = live_for("connect", "1", &[("HTTPS_PROXY", &format!("http://{host}"))]);
    assert!(ended.said("upstream").contains("no connection to the proxy"), "{}", ended.stderr);
    assert_ne!(ended.error()["retryable"], true, "a person has to mend it: {}", ended.stderr);
    let pull = Run::bare().args(["pull", "--json", "registry.invalid/a:1"]);
    let said = pull.env("HTTPS_PROXY", format!("http://{host}")).end().said("upstream");
    assert!(said.contains(&format!("the proxy {host}")), "{said}");
}

#[test]
fn what_is_not_excepted_goes_to_the_proxy() {
    for except in ["service12.invalid:8443", "*.service12.invalid", "ervice12.invalid"] {
        let proxy = Proxy::start();
        let ended = live("connect", &[("HTTPS_PROXY", &proxy.url), ("NO_PROXY", except)]);
        assert!(ended.said("upstream").contains("the proxy refuses"), "{}", ended.stderr);
        proxy.first.join().unwrap();
    }
}

#[test]
fn what_is_excepted_from_the_proxy_does_not_go_to_it() {
    let lonely = Lonely::start();
    for except in [
        "service12.invalid",
        "*",
        "invalid",
        ".invalid",
        "*.invalid",
        "service12.invalid:443",
        "other.test service12.invalid",
        "other.test, .INVALID:443",
    ] {
        let ended = live("connect", &[("HTTPS_PROXY", &lonely.url()), ("NO_PROXY", except)]);
        assert!(
            ended.said("upstream").contains("no connection to the service"),
            "{}",
            ended.stderr
        );
    }
    assert!(!lonely.was_visited());
}

#[test]
fn a_proxy_is_not_looked_at_where_the_operator_names_the_origin() {
    let mock = Mock::builder().members(3).start().unwrap();
    let run = Run::new("collect")
        .at(&mock)
        .args(["--format", "ndjson"])
        .env("HTTPS_PROXY", "http://user:p@ss#1@127.0.0.1:9");
    let ended = run.env("HTTP_PROXY", "socks5://127.0.0.1:9").end();
    assert_eq!((ended.code, ended.lines().len()), (Some(0), 3), "{}", ended.stderr);
}

#[test]
fn a_registry_is_not_asked_past_a_proxy_that_cannot_be_read() {
    let pull = |reference: &str, value: &str| {
        Run::bare()
            .args(["pull", "--json", reference])
            .env("HTTPS_PROXY", value)
            .env("SMP_REGISTRY_TOKEN", "token")
            .end()
    };
    for value in ["http://user:p@ss#1@127.0.0.1:9", "http://user:hunter 2@127.0.0.1:9"] {
        assert_refused(
            &pull("registry.invalid/a:1", value),
            "HTTPS_PROXY",
            "`@` is %40, `#` is %23",
        );
    }
    assert_refused(
        &pull("registry.invalid/a:1", "socks5h://127.0.0.1:9"),
        "HTTPS_PROXY",
        "names a `socks5h` proxy",
    );
    // A registry on this machine is contacted directly.
    let fake = FakeRegistry::start();
    let here =
        Run::bare().args(["pull", "--json", "--plain-http"]).arg(format!("{}/a:1", fake.host()));
    let _absent = here.env("HTTPS_PROXY", "http://user:p@ss#1@127.0.0.1:9").end().said("not-found");
}
