//! The audit, as its route tells it.

use serde_json::{Value, json};

use super::server::{Server, run};
use super::{folder, mock};

#[test]
fn the_audit_tells_who_did_what_by_pages_and_each_tenant_its_own() {
    let (folder, mock) = (folder(), mock(20, 0));
    let server = Server::start(&folder.data, &mock);
    let (acme, other) = (server.connected("acme", &mock), server.connected("other", &mock));
    let token = |role: &str, tenant: &str| -> Value {
        let arguments = ["token", "new", "--json", "--role", role, "--tenant", tenant];
        serde_json::from_slice(&run(&folder.data, &arguments).stdout).unwrap()
    };
    let (admin, viewer) = (token("admin", "acme"), token("viewer", "acme"));
    let admin_token = admin["token"].as_str().unwrap();
    let named = json!({"name": "Acme"});
    assert_eq!(server.ask_as(admin_token, "PATCH", &acme, &named).0, 200);

    // One at a time is all of them, the latest first.
    let (mut told, mut after) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/api/v1/audit?limit=1{after}"));
        told.extend(page["data"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(json!(told), server.get("/api/v1/audit")["data"]);
    let changed = &told[0];
    let id = acme.rsplit('/').next().unwrap();
    assert_eq!(
        (&changed["tenant"], &changed["subject"]),
        (&json!("acme"), &json!(id)),
        "{changed}"
    );
    assert_eq!(changed["actor"], admin["id"], "{changed}");
    assert!(changed["at"].is_string(), "{changed}");
    let subjects: Vec<&str> = told.iter().filter_map(|one| one["subject"].as_str()).collect();
    let other = other.rsplit('/').next().unwrap();
    let has_connector = subjects.iter().any(|subject| subject.starts_with("sha256:"));
    assert!(subjects.contains(&other) && has_connector, "{told:?}");

    // A tenant sees its own, and the operator may ask for that alone.
    let (status, own) = server.ask_as(admin_token, "GET", "/api/v1/audit", &Value::Null);
    assert_eq!(status, 200, "{own}");
    let own = own["data"].as_array().unwrap();
    assert!(own.len() >= 4 && own.iter().all(|one| one["tenant"] == "acme"), "{own:?}");
    assert_eq!(&server.get("/api/v1/audit?tenant=acme")["data"], &json!(own));
    let viewer = viewer["token"].as_str().unwrap();
    let (status, refused) = server.ask_as(viewer, "GET", "/api/v1/audit", &Value::Null);
    assert_eq!((status, &refused["code"]), (403, &json!("admin-only")), "{refused}");
    assert_eq!(server.ask("GET", "/api/v1/audit?after=x", &Value::Null).0, 422);
}
