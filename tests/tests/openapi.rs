//! Tests of the mock's answers against the vendor's published OpenAPI file, if it is available
//! beside the project.
//!
//! Answers that keep to the published file are checked against it unchanged. The usual answers go
//! beyond it, as the real service does: for them, the lists of words are open and optional fields
//! may be `null`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it skips"
)]

mod mock_client;

use std::path::PathBuf;

use jsonschema::Validator;
use mock_client::{Reply, ask, get, sweep};
use serde_json::{Value, json};
use smp_tests::mock::{Builder, Call, Fault, Mock, Situation, When};

const FILE: &str = "../shared/reference/organization-openapi-2025-07.json";

/// The published file. `None`, with a message, if it is not available.
fn published() -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {FILE} is not here");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// A validator for the file's response of a path and a status.
fn validator(file: &Value, path: &str, status: u16) -> Validator {
    let mut response = &file["paths"][path]["get"]["responses"][status.to_string()];
    if let Some(reference) = response["$ref"].as_str() {
        response = file.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let schema = &response["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{path} has no response {status}");
    // References lead to `#/components/…`, so the components are included.
    let mut document = schema.clone();
    if let Some(reference) = schema["$ref"].as_str() {
        document = json!({"allOf": [{"$ref": reference}]});
    }
    document["components"] = file["components"].clone();
    jsonschema::draft4::options().should_validate_formats(true).build(&document).unwrap()
}

fn assert_valid(file: &Value, path: &str, reply: &Reply) {
    let body = reply.json();
    let errors: Vec<String> = validator(file, path, reply.status)
        .iter_errors(&body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{path} {}: {errors:#?}", reply.status);
}

/// The file with known extensions of the real service: unlisted words, `null` for optional values,
/// and bare dates.
fn as_seen(mut file: Value) -> Value {
    for name in ["User", "Product", "LinkPageModel"] {
        let schema = &mut file["components"]["schemas"][name];
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (field, property) in schema["properties"].as_object_mut().unwrap() {
            let property = property.as_object_mut().unwrap();
            if !property.contains_key("$ref") {
                property.remove("enum");
                property.remove("format");
                if !required.contains(&json!(field)) {
                    let kind = property["type"].clone();
                    property.insert("type".to_owned(), json!([kind, "null"]));
                }
            }
        }
    }
    file
}

fn assert_all_valid(file: &Value, builder: fn() -> Builder) {
    for seed in 0..4 {
        let mock = builder().members(400).seed(seed).other_organizations(1).start().unwrap();
        for page in sweep(&mock, 10) {
            assert_eq!(page.status, 200);
            assert_valid(file, "/v1/orgs/{orgId}/users", &page);
        }
        assert_valid(file, "/v1/orgs/{orgId}/domains", &ask(&mock, "/domains"));
        assert_valid(file, "/v1/orgs/{orgId}", &ask(&mock, ""));
        assert_valid(file, "/v1/orgs", &get(&mock, "/admin/v1/orgs"));
    }
}

#[test]
fn answers_that_keep_to_the_published_file_validate_against_it() {
    let Some(file) = published() else { return };
    assert_all_valid(&file, || Mock::builder().published_only());
}

#[test]
fn usual_answers_validate_once_words_and_nulls_are_let_in() {
    let Some(file) = published() else { return };
    assert_all_valid(&as_seen(file), Mock::builder);
}

#[test]
fn usual_answers_do_not_validate_against_the_file_as_it_stands() {
    let Some(file) = published() else { return };
    let mock = Mock::builder().members(100).start().unwrap();
    let body = ask(&mock, "/users").json();
    assert!(!validator(&file, "/v1/orgs/{orgId}/users", 200).is_valid(&body));
}

#[test]
fn every_situation_answers_as_published() {
    let Some(file) = published() else { return };
    for situation in [
        Situation::NoDomain,
        Situation::Unverified,
        Situation::MissingToken,
        Situation::Unclaimed,
        Situation::UnknownOrganization,
    ] {
        let mock = Mock::builder().published_only().situation(situation).start().unwrap();
        for (path, call) in [("/v1/orgs/{orgId}", ""), ("/v1/orgs/{orgId}/users", "/users")] {
            assert_valid(&file, path, &ask(&mock, call));
        }
        assert_valid(&file, "/v1/orgs", &get(&mock, "/admin/v1/orgs"));
    }
    let mock = Mock::builder().situation(Situation::DomainsRefused).start().unwrap();
    assert_valid(&file, "/v1/orgs/{orgId}/domains", &ask(&mock, "/domains"));
}

#[test]
fn errors_have_the_published_forms() {
    let Some(file) = published() else { return };
    let mock = Mock::builder().start().unwrap();
    assert_valid(&file, "/v1/orgs/{orgId}/users", &ask(&mock, "/users?cursor=no"));
    for (call, path, fault) in [
        (Call::Users, "/v1/orgs/{orgId}/users", Fault::unauthorized()),
        (Call::Users, "/v1/orgs/{orgId}/users", Fault::missing_scope()),
        (Call::Users, "/v1/orgs/{orgId}/users", Fault::rate_limited(1)),
        (Call::Users, "/v1/orgs/{orgId}/users", Fault::status(500)),
        (Call::Domains, "/v1/orgs/{orgId}/domains", Fault::access_denied()),
        (Call::Org, "/v1/orgs/{orgId}", Fault::organization_not_found()),
    ] {
        mock.clear_faults();
        mock.set_fault(call, When::Always, fault);
        assert_valid(&file, path, &ask(&mock, path.trim_start_matches("/v1/orgs/{orgId}")));
    }
}
