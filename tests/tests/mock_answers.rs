//! Tests of the mock's answers without faults: over real connections, with and without TLS.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod mock_client;

use std::io::Read;
use std::net::TcpStream;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use mock_client::{PATIENCE, ask, exchange, get, send, sweep, users};
use serde_json::{Value, json};
use smp_tests::mock::{Authorization, Call, Mock, Situation};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring,
};

#[test]
fn a_sweep_gives_exactly_the_expected_members() {
    let mock = Mock::builder().members(250).seed(7).start().unwrap();
    let pages = sweep(&mock, 10);
    let members: Vec<Value> =
        pages.iter().flat_map(|page| page.json()["data"].as_array().unwrap().clone()).collect();
    let expected: Vec<Value> = mock
        .expected_members()
        .iter()
        .map(|member| serde_json::to_value(member).unwrap())
        .collect();
    assert_eq!(pages.len(), 3);
    assert!(pages.iter().all(|page| page.status == 200 && page.json()["meta"]["total"] == 250));
    assert_eq!(members, expected);
}

#[test]
fn the_same_settings_give_the_same_bytes() {
    let bodies = |seed| {
        let mock = Mock::builder().members(120).seed(seed).other_organizations(1).start().unwrap();
        let mut bodies: Vec<Vec<u8>> =
            sweep(&mock, 5).into_iter().map(|reply| reply.body).collect();
        bodies.extend(["", "/domains", "/users?cursor=no"].map(|call| ask(&mock, call).body));
        bodies.push(get(&mock, "/admin/v1/orgs").body);
        bodies
    };
    assert_eq!(bodies(5), bodies(5));
    assert_ne!(bodies(5), bodies(6));
}

#[test]
fn millions_of_members_cost_nothing_until_they_are_asked_for() {
    let mock = Mock::builder().members(5_000_000).page_size(2).start().unwrap();
    let first = users(&mock, None);
    assert_eq!((first.json()["meta"]["total"].as_u64(), first.ids().len()), (Some(5_000_000), 2));
    assert_ne!(
        mock.organization().member(4_999_999).account_id,
        mock.organization().member(4_999_998).account_id
    );
}

#[test]
fn a_wrong_or_missing_key_gets_401_and_is_logged_without_the_key() {
    let mock = Mock::builder().members(1).start().unwrap();
    let path = format!("/admin/v1/orgs/{}", mock.organization().id);
    for headers in
        [&[][..], &[("Authorization", "Bearer ATATT-user-token")], &[("Authorization", mock.key())]]
    {
        let reply = send(&mock, "GET", &path, headers, PATIENCE);
        assert_eq!(
            (reply.status, reply.json()),
            (401, json!({"code": 401, "message": "Unauthorized"}))
        );
    }
    let log = mock.log();
    let seen: Vec<Authorization> = log.iter().map(|entry| entry.authorization).collect();
    assert_eq!(seen, [Authorization::Absent, Authorization::Wrong, Authorization::Wrong]);
    assert!(!format!("{log:?}").contains("ATATT-user-token"));
}

#[test]
fn an_unknown_path_matches_no_route() {
    let mock = Mock::builder().start().unwrap();
    for path in ["/", "/v1/orgs", "/admin/v1/orgs/", "/admin/v2/orgs", "/admin/v1/orgs/x/groups"] {
        let reply = get(&mock, path);
        assert_eq!(
            (reply.status, reply.json()["message"].as_str()),
            (404, Some("failed to match any route")),
            "{path}"
        );
    }
}

#[test]
fn unknown_cursors_and_foreign_organizations_are_refused() {
    let mock = Mock::builder().members(250).start().unwrap();
    let good = users(&mock, None).next_cursor().unwrap();
    for call in [
        "/users?cursor=",
        "/users?cursor=100",
        &format!("/users?cursor={good}"),
        &format!("/domains?cursor={good}"),
    ] {
        let reply = ask(&mock, call);
        assert_eq!(
            (reply.status, &reply.json()["errors"][0]["code"]),
            (400, &json!("ADMIN-400-1")),
            "{call}"
        );
    }
    let reply = get(&mock, "/admin/v1/orgs/somebody-elses/users");
    assert_eq!((reply.status, &reply.json()["errors"][0]["code"]), (404, &json!("ADMIN-404-2")));
}

#[test]
fn other_methods_are_not_supported() {
    let mock = Mock::builder().start().unwrap();
    let headers = [("Authorization", &*format!("Bearer {}", mock.key())), ("Content-Length", "0")];
    let reply = send(&mock, "POST", "/admin/v1/orgs", &headers, PATIENCE);
    assert_eq!((reply.status, &reply.json()["errors"][0]["code"]), (405, &json!("ADMIN-405-1")));
}

#[test]
fn the_organization_is_listed_after_the_others_on_further_pages() {
    let mock = Mock::builder().other_organizations(2).page_size(2).start().unwrap();
    let first = get(&mock, "/admin/v1/orgs");
    let cursor = percent_encoding::utf8_percent_encode(
        &first.next_cursor().unwrap(),
        percent_encoding::NON_ALPHANUMERIC,
    )
    .to_string();
    let second = get(&mock, &format!("/admin/v1/orgs?cursor={cursor}"));
    assert_eq!(first.json()["data"].as_array().unwrap().len(), 2);
    assert_eq!(second.json()["data"][0]["id"], json!(mock.organization().id));
}

#[test]
fn a_situation_can_change_while_the_mock_runs() {
    let mock = Mock::builder().members(3).start().unwrap();
    mock.set_situation(Situation::Unclaimed);
    assert_eq!(ask(&mock, "/users").json()["data"], json!([]));
    assert_eq!(
        ask(&mock, "/domains").json()["data"][0]["attributes"]["claim"]["status"],
        "verified"
    );
    assert!(mock.expected_members().is_empty());
    mock.set_situation(Situation::SiteAdmin);
    assert_eq!((ask(&mock, "").status, ask(&mock, "/users").status), (200, 403));
}

#[test]
fn the_rate_limit_headers_are_there_and_the_limit_is_kept_when_asked_for() {
    let mock = Mock::builder().rate_limit(NonZeroU32::new(3).unwrap()).start().unwrap();
    let replies: Vec<_> = (0..5).map(|_| ask(&mock, "")).collect();
    let refused = replies.iter().find(|reply| reply.status == 429).unwrap();
    assert_eq!(replies[0].header("x-ratelimit-limit"), Some("3"));
    assert_eq!(replies[0].header("x-ratelimit-remaining"), Some("2"));
    assert!(replies[0].header("x-ratelimit-reset").unwrap().parse::<jiff::Timestamp>().is_ok());
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.json()["code"], 429);
}

#[test]
fn answers_are_packed_only_for_clients_that_accept_it() {
    let mock = Mock::builder().members(100).gzip().start().unwrap();
    let path = format!("/admin/v1/orgs/{}/users", mock.organization().id);
    let key = format!("Bearer {}", mock.key());
    let packed = send(
        &mock,
        "GET",
        &path,
        &[("Authorization", &key), ("Accept-Encoding", "br, gzip")],
        PATIENCE,
    );
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
    let plain = get(&mock, &path);
    assert_eq!(
        (packed.header("content-encoding"), plain.header("content-encoding")),
        (Some("gzip"), None)
    );
    assert_eq!(unpacked, plain.body);
    assert!(packed.body.len() < plain.body.len() / 2);
}

#[test]
fn the_log_tells_what_was_asked_and_answered() {
    let mock = Mock::builder().members(250).start().unwrap();
    let cursor = users(&mock, None).next_cursor().unwrap();
    users(&mock, Some(&cursor));
    get(&mock, "/nowhere");
    assert!(mock.wait_for(Call::Any, 3, PATIENCE));
    assert!(!mock.wait_for(Call::Users, 3, Duration::ZERO));
    let log = mock.log();
    let told: Vec<_> =
        log.iter().map(|entry| (entry.call, entry.status, entry.cursor.clone())).collect();
    assert_eq!(
        told,
        [
            (Call::Users, Some(200), None),
            (Call::Users, Some(200), Some(cursor)),
            (Call::Any, Some(404), None)
        ]
    );
    assert!(log[1].query.as_deref().unwrap().starts_with("cursor=%2B%2F"));
    assert_eq!(mock.requests(), 3);
}

#[test]
fn a_dropped_mock_answers_no_more() {
    let mock = Mock::builder().start().unwrap();
    let address = mock.address();
    drop(mock);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_mock_lives_within_a_runtime_as_well_as_without_one() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mock = Mock::builder().members(3).start().unwrap();
        assert_eq!(users(&mock, None).ids().len(), 3);
        drop(mock);
    });
}

#[test]
fn over_tls_only_the_authority_has_to_be_trusted() {
    let mock = Mock::builder().members(3).start_tls().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(mock.ca_pem().unwrap().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    for name in ["localhost", "127.0.0.1"] {
        let connection =
            ClientConnection::new(Arc::new(config.clone()), name.try_into().unwrap()).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(mock.address()).unwrap());
        let key = format!("Bearer {}", mock.key());
        let path = format!("/admin/v1/orgs/{}/users", mock.organization().id);
        let reply = exchange(&mut stream, "GET", &path, &[("Authorization", &key)]);
        assert_eq!((reply.status, reply.json()["meta"]["total"].as_u64()), (200, Some(3)));
    }
    assert!(mock.url().starts_with("https://localhost:"));
}
