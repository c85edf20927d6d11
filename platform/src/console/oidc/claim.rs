//! Who a person is here: the role and the tenant that a claim of the ID token names.
//!
//! The claim is a text or a list of texts: `admin`, `viewer`, `admin:TENANT` or `viewer:TENANT`. A
//! list may have others beside, such as the groups of a directory.

use serde_json::Value;

use super::PERSON;
use super::token::Person;
use crate::problem::Problem;
use crate::store::connections::is_name;
use crate::store::tokens::{Holder, Role};

/// Who the person is here.
///
/// # Errors
/// If the claim names no role, or more than one tenant.
pub(super) fn holder(person: &Person, claim: &str) -> Result<Holder, Problem> {
    let refused = |text: &str, hint: String| Err(Problem::new(403, "no-role", text).hint(hint));
    let values: Vec<&str> = match person.claims.get(claim) {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut named: Vec<(Option<&str>, Role)> = values.into_iter().filter_map(read).collect();
    named.sort_by_key(|(tenant, role)| (*tenant, *role == Role::Viewer));
    // Of two roles for the same tenant, the one that may do more.
    named.dedup_by_key(|(tenant, _)| *tenant);
    match named.as_slice() {
        [(tenant, role)] => Ok(Holder {
            id: format!("{PERSON}{}", person.subject),
            role: *role,
            tenant: tenant.map(ToOwned::to_owned),
        }),
        [] => refused(
            "the issuer knows this person, and gives no role here",
            format!(
                "The operator of the issuer sets the claim `{claim}` to `admin`, `viewer`, \
                 `admin:TENANT` or `viewer:TENANT`."
            ),
        ),
        _ => refused(
            "the issuer names more than one tenant for this person",
            format!("The operator of the issuer leaves one in the claim `{claim}`."),
        ),
    }
}

fn read(text: &str) -> Option<(Option<&str>, Role)> {
    let (role, tenant) = match text.split_once(':') {
        Some((role, tenant)) => (role, Some(tenant)),
        None => (text, None),
    };
    let role = match role {
        "admin" => Role::Admin,
        "viewer" => Role::Viewer,
        _ => return None,
    };
    if let Some(tenant) = tenant {
        is_name("tenant", tenant).ok()?;
    }
    Some((tenant, role))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_names_one_role_for_one_tenant_or_for_all() {
        for (value, expected) in [
            (json!("admin"), Ok((Role::Admin, None))),
            (json!("viewer:acme"), Ok((Role::Viewer, Some("acme")))),
            (json!("admin:a:b"), Ok((Role::Admin, Some("a:b")))),
            (json!(["staff", "viewer:acme", "admin:acme"]), Ok((Role::Admin, Some("acme")))),
            (json!(["viewer", "viewer"]), Ok((Role::Viewer, None))),
            (json!(["viewer:a", "admin:b"]), Err("more than one tenant")),
            (json!(["admin", "viewer:a"]), Err("more than one tenant")),
            (json!("Admin"), Err("gives no role")),
            (json!("administrator"), Err("gives no role")),
            (json!("admin:"), Err("gives no role")),
            (json!("admin:\u{7}"), Err("gives no role")),
            (json!(["staff"]), Err("gives no role")),
            (json!({"admin": true}), Err("gives no role")),
            (json!(true), Err("gives no role")),
        ] {
            let claims = [("groups".to_owned(), value.clone())].into_iter().collect();
            let person = Person { subject: "248289761001".into(), claims };
            match (holder(&person, "groups"), expected) {
                (Ok(holder), Ok((role, tenant))) => {
                    assert_eq!((holder.role, holder.tenant.as_deref()), (role, tenant), "{value}");
                    assert_eq!(holder.id, "oidc:248289761001");
                }
                (Err(problem), Err(part)) => {
                    assert!(problem.detail.contains(part), "{value}: {}", problem.detail);
                    assert_eq!(problem.status, 403);
                }
                (found, _) => panic!("{value}: {found:?}"),
            }
            let other = holder(&person, "another").unwrap_err();
            assert!(other.detail.contains("gives no role"));
        }
    }
}
