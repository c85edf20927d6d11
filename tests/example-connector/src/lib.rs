//! A connector of a made-up service, Noticeboard, as somebody writes a first one: what it tells about itself, and this file.
//!
//! Its API pages by offset, dates by Unix seconds, and wraps its errors in a way of its own. An answer that is not exactly what this file
//! expects is a failure, never an empty list; no part of an answer but the vendor's code gets into a message.

use std::collections::BTreeMap;

use bindings::exports::smp::connector::connector::*;
use bindings::smp::connector::http;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

mod edition;
mod listing;

use listing::{FIND_WORKSPACE, INVITE, LATER, NEW_TOKEN, PEOPLE, REPORT, WORKSPACE};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "connector-plugin" });
}

#[cfg(target_family = "wasm")]
mod export {
    #![expect(unsafe_code, reason = "an exported symbol cannot be had without; the macro is the bindings' own")]

    bindings::export!(Noticeboard with_types_in bindings);

    use super::{Noticeboard, bindings};
}

struct Noticeboard;

// ---- what the service answers -------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct WorkspaceAnswer {
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Workspace {
    slug: String,
    title: String,
}

#[derive(Deserialize)]
struct PeopleAnswer {
    people: Vec<Person>,
    count: u64,
}

#[derive(Deserialize)]
struct Person {
    uid: String,
    mail: Option<String>,
    full_name: String,
    apps: Vec<App>,
}

#[derive(Deserialize)]
struct App {
    code: String,
    label: String,
    seen: Option<i64>,
}

// ---- the calls ----------------------------------------------------------------------------------------------------

impl Guest for Noticeboard {
    fn describe() -> Descriptor {
        edition::descriptor(listing::descriptor())
    }

    fn validate(settings: Vec<Setting>) -> Report {
        let workspace = workspace(&settings);
        let account = workspace.as_ref().ok().map(|workspace| account(workspace));
        let people = account.as_ref().and_then(|account| account.as_ref().ok()).map(|account| somebody(&account.id));
        let named = Some(workspace.map(|_| "It may be one.".to_owned()));
        let opened = account.map(|account| account.map(|_| "The token opens the workspace.".to_owned()));
        let checks = [("workspace", "The workspace is named", named), ("access", "The token is accepted", opened)];
        let checks = checks.into_iter().chain([("people", "The workspace has people", people)]);
        Report { checks: checks.map(|(id, title, came)| check(id, title, came)).collect() }
    }

    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        account(&workspace(&settings)?)
    }

    fn collect_members(settings: Vec<Setting>, cursor: Option<Cursor>) -> Result<MemberPage, Failure> {
        let workspace = workspace(&settings)?;
        let offset = cursor.map_or(Ok(0), |cursor| cursor.parse());
        let offset = offset.map_err(|_| failure(FailureKind::CursorExpired, "the cursor is none of this connector", LATER))?;
        page(people_at(&workspace, offset)?, offset)
    }
}

/// The workspace that was entered, if it can be one: it becomes part of a path.
fn workspace(settings: &[Setting]) -> Result<String, Failure> {
    edition::settings(settings)?;
    let invalid = |message| Failure { setting: Some("workspace".into()), ..failure(FailureKind::InvalidSettings, message, FIND_WORKSPACE) };
    let entered = settings.iter().find(|setting| setting.key == "workspace").map_or("", |setting| setting.value.trim());
    match entered {
        "" => Err(invalid("the workspace is missing")),
        name if name.len() > 64 => Err(invalid("the workspace is too long")),
        name if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') => Ok(name.to_owned()),
        _ => Err(invalid("the workspace has other characters than a-z, 0-9 and -")),
    }
}

fn account(workspace: &str) -> Result<Account, Failure> {
    let WorkspaceAnswer { workspace: Workspace { slug, title } } = get(&WORKSPACE.replace("{workspace}", workspace))?;
    if slug != workspace {
        return Err(failure(FailureKind::UnexpectedResponse, "the answer is about another workspace", REPORT));
    }
    Ok(Account { id: slug, name: title, attributes: vec![] })
}

fn people_at(workspace: &str, offset: u64) -> Result<PeopleAnswer, Failure> {
    get(&format!("{}?offset={offset}&limit={}", PEOPLE.replace("{workspace}", workspace), edition::PAGE))
}

/// What `validate` says of the people: a workspace without any is not ready.
fn somebody(workspace: &str) -> Result<String, Failure> {
    match page(people_at(workspace, 0)?, 0)? {
        page if page.members.is_empty() => Err(failure(FailureKind::NoMembers, "nobody is in the workspace", INVITE)),
        page => Ok(format!("There are {} people.", page.total.unwrap_or_default())),
    }
}

fn page(answer: PeopleAnswer, offset: u64) -> Result<MemberPage, Failure> {
    let (mut products, mut known) = (Vec::new(), BTreeMap::new());
    let read = u64::try_from(answer.people.len()).unwrap_or(u64::MAX);
    let members = answer.people.into_iter().filter(edition::keeps).map(|person| {
        if person.uid.is_empty() {
            return Err(failure(FailureKind::UnexpectedResponse, "somebody in the list has no identifier", REPORT));
        }
        let mut names: Vec<String> = person.apps.iter().map(|app| app.label.clone()).collect();
        names.sort();
        names.dedup();
        let last_seen = person.apps.iter().filter_map(|app| app.seen).max().map(instant);
        let attributes = edition::attributes(&person);
        let uses = person.apps.into_iter().map(|App { code, label, seen }| {
            let product = *known.entry((code.clone(), label.clone())).or_insert_with(|| {
                products.push(Product { key: code, name: label, site: None });
                products.len() - 1
            });
            ProductUse { product: u32::try_from(product).unwrap_or(u32::MAX), last_active: seen.map(instant) }
        });
        let uses = uses.collect();
        let (id, email, name, role) = (person.uid, person.mail, person.full_name, edition::role(&names));
        Ok(Member { id, email, name, role, uses, last_seen, status: None, kind: None, billable: None, attributes })
    });
    let members = members.collect::<Result<Vec<_>, _>>()?;
    let behind = offset.saturating_add(read);
    // A page without people ends the list: what is missing then, the host finds by the count.
    let next = (read > 0 && behind < answer.count).then(|| behind.to_string());
    Ok(MemberPage { products, members, next, total: edition::total(answer.count) })
}

fn instant(seconds: i64) -> Instant {
    Instant { seconds, nanoseconds: 0 }
}

// ---- one request, and all that can come of it ---------------------------------------------------------------------

fn get<T: DeserializeOwned>(path_with_query: &str) -> Result<T, Failure> {
    let request = http::Request { method: http::Method::Get, path_with_query: path_with_query.to_owned(), body: None };
    let answer = http::send(&request).map_err(unanswered)?;
    if answer.status != 200 {
        return Err(refused(answer.status, &answer.body));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| failure(FailureKind::UnexpectedResponse, "the answer is none that this connector knows", REPORT))
}

/// The service answers, and it is no.
fn refused(status: u16, body: &[u8]) -> Failure {
    let (kind, setting, message, hint) = match status {
        401 => (FailureKind::Credentials, Some("token"), "the token is not accepted: it is wrong, expired or revoked", NEW_TOKEN),
        403 => (FailureKind::Permission, Some("token"), "the token may not read the people of this workspace", NEW_TOKEN),
        404 => (FailureKind::NotFound, Some("workspace"), "there is no such workspace, or the token is another one's", FIND_WORKSPACE),
        429 => (FailureKind::RateLimited, None, "the service asks for fewer requests", LATER),
        500.. => (FailureKind::Upstream, None, "the service does not work at the moment", LATER),
        _ => (FailureKind::UnexpectedResponse, None, "the service answers with a status that has no meaning here", REPORT),
    };
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_code = |text: &&str| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let vendor_code = answer.pointer("/error/reason").and_then(Value::as_str).filter(is_code).map(str::to_owned);
    Failure { setting: setting.map(str::to_owned), vendor_code, ..failure(kind, &format!("{message} ({status})"), hint) }
}

/// There is no answer.
fn unanswered(error: http::Error) -> Failure {
    let exhausted = |kind, http::Exhausted { status, retry_after_seconds }| Failure {
        retry_after_seconds,
        ..failure(kind, &format!("the service keeps answering {status}"), LATER)
    };
    match error {
        http::Error::RateLimited(last) => exhausted(FailureKind::RateLimited, last),
        http::Error::Unavailable(last) => exhausted(FailureKind::Upstream, last),
        http::Error::TimedOut => failure(FailureKind::Upstream, "the service does not answer in time", LATER),
        http::Error::ConnectionFailed(_) => failure(FailureKind::Upstream, "there is no connection to the service", LATER),
        http::Error::TooLarge(_) => failure(FailureKind::UnexpectedResponse, "the answer is larger than it may be", REPORT),
        http::Error::Denied(_) => failure(FailureKind::Other, "the request was not let out", REPORT),
        http::Error::Other(_) => failure(FailureKind::Other, "the request could not be made", REPORT),
    }
}

fn failure(kind: FailureKind, message: &str, hint: &str) -> Failure {
    Failure { kind, message: message.into(), hint: hint.into(), setting: None, vendor_code: None, retry_after_seconds: None }
}

/// A check; one that was not reached is skipped.
fn check(id: &str, title: &str, came: Option<Result<String, Failure>>) -> Check {
    let outcome = match came {
        None => Outcome::Skipped("A check before it failed.".into()),
        Some(Ok(found)) => Outcome::Passed(found),
        Some(Err(failure)) => Outcome::Failed(failure),
    };
    Check { id: id.into(), title: title.into(), required: true, outcome }
}
