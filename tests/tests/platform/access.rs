//! Tests of who sees what: tenants, roles, the key, and what was deleted.

use serde_json::{Value, json};
use smp_tests::mock::DEFAULT_KEY;

use crate::server::{Server, connection, log, run};
use crate::{folder, mock};

#[test]
fn no_tenant_sees_anothers_and_a_viewer_changes_nothing() {
    let (folder, mock) = (folder(), mock(20, 0));
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let run = server.first_run(&path);
    server.ended(&path, &run);
    let token = |role: &str, tenant: &str| {
        let made = self::run(
            &folder.data,
            &["token", "new", "--json", "--role", role, "--tenant", tenant],
        );
        let made: Value = serde_json::from_slice(&made.stdout).unwrap();
        made["token"].as_str().unwrap().to_owned()
    };
    let (other, viewer) = (token("admin", "other"), token("viewer", "acme"));
    let described = server.get("/openapi.json");
    let mut routes = 0;
    for (template, methods) in described["paths"].as_object().unwrap() {
        if !template.starts_with("/api/") {
            continue;
        }
        let member = "unknown";
        let route = template.replace("{run}", &run).replace("{member}", member);
        let route = route.replace("/api/v1/connections/{id}", &path);
        let route = if route.ends_with("/export") { format!("{route}?format=csv") } else { route };
        for method in methods.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            routes += 1;
            let body = match (method.as_str(), template.ends_with("/secrets")) {
                ("PUT", true) => json!({"secrets": {"api-key": DEFAULT_KEY}}),
                ("PATCH", _) => json!({"name": "taken"}),
                ("POST", _) if template.ends_with("/connections") => connection("acme", &mock),
                _ => Value::Null,
            };
            let is_audit = template.ends_with("/audit");
            // A list has nothing of another tenant's, and by its name it is not there.
            if method == "GET" && !template.contains("{id}") && !template.ends_with("/connectors") {
                let (status, answer) = server.ask_as(&other, &method, &route, &body);
                let shown = answer["data"].as_array().map(Vec::as_slice).unwrap_or_default();
                let of_others = shown.iter().filter(|one| one["tenant"] != "other").count();
                assert_eq!((status, of_others), (200, 0), "{route}: {answer}");
                let named = format!("{route}?tenant=acme");
                assert_eq!(server.ask_as(&other, &method, &named, &body).0, 404, "{named}");
            }
            let status = |token: &str| server.ask_as(token, &method, &route, &body).0;
            assert_eq!(status("smp_guessed"), 401, "{method} {route}");
            if template.contains("{id}") || (method == "POST" && template.ends_with("/connections"))
            {
                assert_eq!(status(&other), 404, "{method} {route}");
            }
            if method != "GET" || is_audit {
                assert_eq!(status(&viewer), 403, "{method} {route}");
            }
        }
    }
    assert!(routes >= 18, "{routes} routes");
    assert_eq!(
        server.ask_as(&other, "GET", "/api/v1/connections", &Value::Null).1["data"],
        json!([])
    );
    assert_eq!(
        server.ask_as(&other, "GET", "/api/v1/connections?tenant=acme", &Value::Null).0,
        404
    );
    assert_eq!(server.get(&path)["name"], json!("atlassian-cloud"));
}

#[test]
fn the_key_is_nowhere_and_what_was_deleted_is_gone() {
    let (folder, mock) = (folder(), mock(40, 0));
    let server = Server::start(&folder.data, &mock);
    let path = server.connected("acme", &mock);
    let run = server.first_run(&path);
    server.ended(&path, &run);
    let member = server.get(&format!("{path}/members?limit=1"))["data"][0].clone();
    let metrics = server.bytes(&server.token, "GET", "/metrics", "").1;
    let everything = || {
        let mut bytes = std::fs::read(log(&folder.data)).unwrap();
        for file in std::fs::read_dir(&folder.data).unwrap().map(Result::unwrap) {
            if file.file_type().unwrap().is_file() {
                bytes.extend(std::fs::read(file.path()).unwrap());
            }
        }
        bytes
    };
    let has =
        |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, DEFAULT_KEY);
    for secret in [DEFAULT_KEY, encoded.trim_end_matches('='), &server.token] {
        assert!(!has(&everything(), secret) && !has(&metrics, secret));
    }
    let email =
        member["email"].as_str().unwrap_or_else(|| member["id"].as_str().unwrap()).to_owned();
    assert!(has(&everything(), &email) && !has(&metrics, &email));
    assert_eq!(server.ask("DELETE", &path, &Value::Null).0, 204);
    assert!(!has(&everything(), &email), "no file has the member");
    assert_eq!(server.ask("GET", &path, &Value::Null).0, 404);
}
