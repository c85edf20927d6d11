//! A connector of a made-up service, Noticeboard, as an author might write a first one on the kit:
//! a listing, and this file.
//!
//! Its API pages by offset, writes dates as Unix seconds, and has its own form of errors. An answer
//! that is not exactly as this file expects is a failure, never an empty list. Of an answer, only
//! the vendor's code gets into a message.

use serde::Deserialize;
use serde_json::Value;
use smp_connector_kit::call::{self, Call, Route, Trouble};
use smp_connector_kit::json::{self, Unreadable};
use smp_connector_kit::products::Products;
use smp_connector_kit::{
    Account, Check, Connector, Descriptor, Failure, FailureKind, Host, Member, MemberPage, Outcome,
    ProductUse, Report, Response, Setting, setting, text, time,
};

mod edition;
mod listing;

use listing::{FIND_WORKSPACE, INVITE, LATER, NEW_TOKEN, PEOPLE, WORKSPACE};

struct Noticeboard;

smp_connector_kit::export!(Noticeboard);

// ---- what the service answers
// ---------------------------------------------------------------------

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

/// A call of the service.
struct Asked(&'static Route);

impl Call for Asked {
    type Refusal = Failure;
    const SERVICE: &'static str = "Noticeboard";

    fn route(&self) -> &'static Route {
        self.0
    }

    fn refused(&self, response: &Response) -> Failure {
        let (kind, setting, message, hint) = match response.status {
            401 => (
                FailureKind::Credentials,
                "token",
                "the token is not accepted: it is wrong, expired or revoked (401)",
                NEW_TOKEN,
            ),
            403 => (
                FailureKind::Permission,
                "token",
                "the token may not read the people of this workspace (403)",
                NEW_TOKEN,
            ),
            404 => (
                FailureKind::NotFound,
                "workspace",
                "there is no such workspace, or the token is another one's (404)",
                FIND_WORKSPACE,
            ),
            _ => return call::usual(self, response),
        };
        let answer: Value = json::read(&response.body).unwrap_or_default();
        let code = answer.pointer("/error/reason").and_then(Value::as_str).and_then(text::code);
        Failure::new(kind, message, hint).at(setting).with_code(code)
    }

    fn hint(trouble: Trouble) -> &'static str {
        match trouble {
            Trouble::Later | Trouble::Busy => LATER,
            other => other.hint(),
        }
    }
}

// ---- the calls
// ------------------------------------------------------------------------------------

impl Connector for Noticeboard {
    fn describe() -> Descriptor {
        edition::descriptor(listing::descriptor())
    }

    fn validate(host: &mut dyn Host, settings: &[Setting]) -> Report {
        let workspace = workspace(settings);
        let account = workspace.as_ref().ok().map(|workspace| account(host, workspace));
        let opened = account.as_ref().and_then(|account| account.as_ref().ok());
        let people = opened.map(|account| somebody(host, &account.id));
        let named = workspace.map(|_| "It may be one.".to_owned());
        let account =
            account.map(|account| account.map(|_| "The token opens the workspace.".to_owned()));
        Report::new(vec![
            check("workspace", "The workspace is named", Some(named)),
            check("access", "The token is accepted", account),
            check("people", "The workspace has people", people),
        ])
    }

    fn connect(host: &mut dyn Host, settings: &[Setting]) -> Result<Account, Failure> {
        account(host, &workspace(settings)?)
    }

    fn collect(
        host: &mut dyn Host,
        settings: &[Setting],
        cursor: Option<String>,
    ) -> Result<MemberPage, Failure> {
        let workspace = workspace(settings)?;
        let offset = cursor.map_or(Ok(0), |cursor| cursor.parse());
        page(host, &workspace, offset.map_err(|_| call::foreign_cursor(LATER))?)
    }
}

/// The workspace from the settings, if it is well formed: it becomes part of a path.
fn workspace(settings: &[Setting]) -> Result<String, Failure> {
    edition::settings(settings)?;
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let message = match setting(settings, "workspace") {
        "" => "the workspace is missing",
        name if name.len() > 64 => "the workspace is too long",
        name if name.bytes().all(is_letter) => return Ok(name.to_owned()),
        _ => "the workspace has other characters than a-z, 0-9 and -",
    };
    Err(Failure::new(FailureKind::InvalidSettings, message, FIND_WORKSPACE).at("workspace"))
}

fn account(host: &mut dyn Host, workspace: &str) -> Result<Account, Failure> {
    call::get(host, WORKSPACE.path_of(&[workspace]), &Asked(&WORKSPACE), |body| {
        let WorkspaceAnswer { workspace: Workspace { slug, title } } = json::read(body)?;
        match slug == workspace {
            true => Ok(Account::new(slug, title)),
            false => Err(unusable("is about another workspace")),
        }
    })
}

/// The people check of `validate`: a workspace without people is not ready.
fn somebody(host: &mut dyn Host, workspace: &str) -> Result<String, Failure> {
    match page(host, workspace, 0)? {
        page if page.members.is_empty() => {
            Err(Failure::new(FailureKind::NoMembers, "nobody is in the workspace", INVITE))
        }
        page => Ok(format!("There are {} people.", page.total.unwrap_or_default())),
    }
}

fn page(host: &mut dyn Host, workspace: &str, offset: u64) -> Result<MemberPage, Failure> {
    let path = PEOPLE.path_of(&[workspace]);
    let path = format!("{path}?offset={offset}&limit={}", edition::PAGE);
    let answer: PeopleAnswer = call::get(host, path, &Asked(&PEOPLE), |body| {
        let answer: PeopleAnswer = json::read_page(body)?;
        if answer.people.iter().any(|person| person.uid.is_empty()) {
            return Err(unusable("lists somebody without an identifier"));
        }
        Ok(answer)
    })?;
    let behind = offset.saturating_add(answer.people.len() as u64);
    // A page without people ends the list: the host detects missing people by the count.
    let has_more = behind > offset && behind < answer.count;
    let mut products = Products::default();
    let people = answer.people.into_iter().filter(edition::keeps);
    let members = people.map(|person| member(person, &mut products)).collect();
    Ok(MemberPage {
        members,
        products: products.into_list(),
        next: has_more.then(|| behind.to_string()),
        total: edition::total(answer.count),
        notes: Vec::new(),
    })
}

fn member(person: Person, products: &mut Products) -> Member {
    let uses: Vec<ProductUse> = person
        .apps
        .iter()
        .map(|App { code, label, seen }| ProductUse {
            product: products.place(code, label, None),
            last_active: seen.map(time::from_unix_seconds),
        })
        .collect();
    Member {
        role: edition::role(products.role(&uses)),
        last_seen: uses.iter().filter_map(|used| used.last_active).max(),
        attributes: edition::attributes(&person),
        email: person.mail,
        name: person.full_name,
        uses,
        ..Member::new(person.uid)
    }
}

fn unusable(what: &'static str) -> Unreadable {
    Unreadable::Unusable { what, hint: Trouble::Unknown.hint(), setting: None }
}

/// A check; one that was not reached is skipped.
fn check(id: &str, title: &str, came: Option<Result<String, Failure>>) -> Check {
    let skipped = || Outcome::Skipped("A check before it failed.".to_owned());
    Check::required(id, title, came.map_or_else(skipped, Outcome::of))
}
