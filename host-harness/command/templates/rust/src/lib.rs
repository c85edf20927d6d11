//! The connector {{NAME}}: how it reads people. `listing.rs` says what it is.
//!
//! Everything goes through the host, which attaches the key. There is no clock, file or randomness.
//! An answer that is not as expected is a failure, never an empty list.

use serde::Deserialize;
use smp_connector_kit::call::{self, Call, Route};
use smp_connector_kit::json::{self, Unreadable};
use smp_connector_kit::{
    Account, Check, Connector, Descriptor, Failure, FailureKind, Host, Member, MemberPage,
    MemberStatus, Outcome, Product, ProductUse, Report, Response, Setting, setting, time,
};

mod listing;

use listing::{FIND_TEAM, LATER, NEW_KEY, PEOPLE, TEAM};

const SIZE: u32 = 500;

struct ThisConnector;

smp_connector_kit::export!(ThisConnector);

// ---- requests and answers -----------------------------------------------------------------------

#[derive(Deserialize)]
struct Team {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct People {
    people: Vec<Person>,
    total: u64,
    more: bool,
}

#[derive(Deserialize)]
struct Person {
    id: String,
    email: Option<String>,
    name: String,
    status: String,
    last_seen: Option<i64>,
}

/// A request. It says what each refusal means; the kit knows what is the same for every service.
struct Asked(&'static Route);

impl Call for Asked {
    type Refusal = Failure;
    const SERVICE: &'static str = "{{NAME}}";

    fn route(&self) -> &'static Route {
        self.0
    }

    fn refused(&self, response: &Response) -> Failure {
        let (kind, message, hint, at) = match response.status {
            401 => (
                FailureKind::Credentials,
                "The key is not accepted: it is wrong, expired or revoked (401).",
                NEW_KEY,
                "key",
            ),
            403 => {
                (FailureKind::Permission, "The key may not read this team (403).", NEW_KEY, "key")
            }
            404 => (
                FailureKind::NotFound,
                "There is no such team, or the key is of another one (404).",
                FIND_TEAM,
                "team",
            ),
            _ => return call::usual(self, response),
        };
        Failure::new(kind, message, hint).at(at)
    }
}

fn unusable(what: &'static str) -> Unreadable {
    Unreadable::Unusable { what, hint: LATER, setting: None }
}

/// The team of the settings, if it is well formed: it becomes part of a path.
fn team_of(settings: &[Setting]) -> Result<&str, Failure> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match setting(settings, "team") {
        team if !team.is_empty() && team.len() <= 64 && team.bytes().all(is_letter) => Ok(team),
        _ => Err(Failure::new(
            FailureKind::InvalidSettings,
            "The team is missing, or has other characters than a-z, 0-9 and -.",
            FIND_TEAM,
        )
        .at("team")),
    }
}

fn account(host: &mut dyn Host, team: &str) -> Result<Account, Failure> {
    call::get(host, TEAM.path_of(&[team]), &Asked(&TEAM), |body| {
        let answer: Team = json::read(body)?;
        if answer.id != team {
            return Err(unusable("is not about this team"));
        }
        Ok(Account::new(answer.id, answer.name))
    })
}

/// A page of people. The cursor is the number of the page.
fn page(host: &mut dyn Host, team: &str, number: u32) -> Result<MemberPage, Failure> {
    let path = format!("{}?page={number}&size={SIZE}", PEOPLE.path_of(&[team]));
    let answer: People = call::get(host, path, &Asked(&PEOPLE), |body| {
        let answer: People = json::read_page(body)?;
        if answer.people.iter().any(|person| person.id.is_empty()) {
            return Err(unusable("has a person without an identifier"));
        }
        Ok(answer)
    })?;
    Ok(MemberPage {
        products: vec![Product { key: "{{ID}}".into(), name: "{{NAME}}".into(), site: None }],
        members: answer.people.into_iter().map(member).collect(),
        next: answer.more.then(|| number.saturating_add(1).to_string()),
        total: Some(answer.total),
        notes: Vec::new(),
    })
}

fn member(person: Person) -> Member {
    let last_seen = person.last_seen.map(time::from_unix_seconds);
    let is_active = person.status == "active";
    Member {
        email: person.email,
        name: person.name,
        role: if is_active { "{{NAME}}".into() } else { String::new() },
        uses: is_active
            .then_some(ProductUse { product: 0, last_active: last_seen })
            .into_iter()
            .collect(),
        last_seen,
        status: Some(match person.status.as_str() {
            "active" => MemberStatus::Active,
            "invited" => MemberStatus::Invited,
            "suspended" => MemberStatus::Suspended,
            _ => MemberStatus::Other(person.status),
        }),
        ..Member::new(person.id)
    }
}

// ---- the calls ----------------------------------------------------------------------------------

impl Connector for ThisConnector {
    fn describe() -> Descriptor {
        listing::descriptor()
    }

    fn validate(host: &mut dyn Host, settings: &[Setting]) -> Report {
        let team = team_of(settings);
        let opened = team.as_ref().ok().map(|team| account(host, team));
        let people = opened
            .as_ref()
            .and_then(|opened| opened.as_ref().ok())
            .map(|account| somebody(host, &account.id));
        let named = team.map(|_| "It may be one.".to_owned());
        let opened =
            opened.map(|opened| opened.map(|account| format!("It opens the team {}.", account.id)));
        Report::new(vec![
            check("team", "The team is named", Some(named)),
            check("access", "The key is accepted", opened),
            check("people", "The team has people", people),
        ])
    }

    fn connect(host: &mut dyn Host, settings: &[Setting]) -> Result<Account, Failure> {
        account(host, team_of(settings)?)
    }

    fn collect(
        host: &mut dyn Host,
        settings: &[Setting],
        cursor: Option<String>,
    ) -> Result<MemberPage, Failure> {
        let team = team_of(settings)?;
        let number = cursor.map_or(Ok(1), |cursor| cursor.parse());
        page(host, team, number.map_err(|_| call::foreign_cursor(LATER))?)
    }
}

fn somebody(host: &mut dyn Host, team: &str) -> Result<String, Failure> {
    let page = page(host, team, 1)?;
    if page.members.is_empty() {
        let failure = Failure::new(FailureKind::NoMembers, "Nobody is in the team.", FIND_TEAM);
        return Err(failure.at("team"));
    }
    Ok(format!("There are {} people.", page.total.unwrap_or_default()))
}

/// A check; one that was not reached is skipped.
fn check(id: &str, title: &str, came: Option<Result<String, Failure>>) -> Check {
    let skipped = || Outcome::Skipped("A check before it failed.".to_owned());
    Check::required(id, title, came.map_or_else(skipped, Outcome::of))
}
