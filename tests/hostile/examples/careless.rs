//! A careful connector with one flaw, which its organization names: each flaw breaks one rule of
//! `check`.

use std::sync::atomic::{AtomicU32, Ordering};

use hostile::{
    Account, Connector, Descriptor, Failure, HttpMethod, Member, MemberPage, Report, Setting,
    check, descriptor, endpoint, failure, get, log, member, organization, page, report,
};
use serde_json::Value;

/// State that is kept from one call to the next, which is forbidden.
static CALLS: AtomicU32 = AtomicU32::new(0);
static PAGE: AtomicU32 = AtomicU32::new(0);

struct Careless;

impl Connector for Careless {
    fn describe() -> Descriptor {
        let mut told = descriptor();
        told.api.endpoints.push(endpoint(HttpMethod::Get, "/v1/orgs/{organization-id}/titles"));
        if CALLS.load(Ordering::Relaxed) > 0 && PAGE.load(Ordering::Relaxed) == u32::MAX {
            told.summary = "Changed.".into();
        }
        told
    }

    fn validate(settings: Vec<Setting>) -> Report {
        let found = read(&settings, "/people").and_then(|answer| people(&settings, &answer));
        let found = match found {
            Err(_) if organization(&settings) == "says-yes" => Ok(Vec::new()),
            found => found,
        };
        report(vec![check(found.map(|_| "There are people.".into()))])
    }

    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        let account =
            |id: &str| Account { id: id.into(), name: "Careless".into(), attributes: vec![] };
        let answer = match read(&settings, "") {
            Err(_) if organization(&settings) == "makes-an-account-up" => {
                return Ok(account("unknown"));
            }
            answer => answer?,
        };
        text(&answer, "id").map(|id| account(&id))
    }

    fn collect(settings: Vec<Setting>, cursor: Option<String>) -> Result<MemberPage, Failure> {
        let flaw = organization(&settings);
        let calls = CALLS.fetch_add(1, Ordering::Relaxed);
        if flaw == "changes-what-it-is" {
            PAGE.store(u32::MAX, Ordering::Relaxed);
        }
        let query = match cursor.as_deref() {
            None => "/people".to_owned(),
            Some("next") => format!("/people?page={}", PAGE.load(Ordering::Relaxed)),
            Some(cursor) => format!("/people?page={cursor}"),
        };
        let answer = match read(&settings, &query) {
            Err(_) if flaw == "takes-anything-for-the-end" => return Ok(page(vec![], None)),
            answer => answer?,
        };
        let mut members: Vec<_> =
            people(&settings, &answer)?.iter().map(|name| member(name)).collect();
        let titles = if flaw == "collects-elsewhere" { "/undeclared" } else { "/titles" };
        match read(&settings, titles) {
            Ok(titles) => add_titles(&mut members, &titles)?,
            Err(_) if flaw == "leaves-out-what-it-cannot-read" => {}
            Err(failure) => return Err(failure),
        }
        if flaw == "counts" {
            members.iter_mut().for_each(|member| member.name = format!("{} {calls}", member.id));
        }
        let next_page = answer.get("next").unwrap_or(&Value::Null);
        let next = next_page.as_str();
        if let Some(number) =
            next.filter(|_| flaw == "keeps-its-place-in-memory").and_then(|next| next.parse().ok())
        {
            PAGE.store(number, Ordering::Relaxed);
            return Ok(page(members, Some("next")));
        }
        match next_page {
            Value::Null | Value::String(_) => Ok(page(members, next)),
            _ => Err(failure("the next page is not named as it should be")),
        }
    }
}

/// The answer to a request, as JSON.
#[expect(clippy::panic, reason = "to crash is one of the things that it is for")]
fn read(settings: &[Setting], path: &str) -> Result<Value, Failure> {
    let flaw = organization(settings);
    let response = get(&format!("/v1/orgs/{flaw}{path}"))?;
    let text = String::from_utf8_lossy(&response.body);
    let bad = |message: &str| match flaw.as_str() {
        "repeats-the-answer" => failure(&format!("{message}: {text}")),
        "has-no-hint" => Failure { hint: String::new(), ..failure(message) },
        _ => failure(message),
    };
    if flaw == "logs-the-answer" && response.status != 200 {
        log::write(log::Level::Warn, &text);
    }
    if flaw == "is-impatient" && response.body.len() > 100_000 {
        return Err(bad("the answer is too long to be right"));
    }
    if response.status != 200 {
        if flaw == "asks-elsewhere" {
            get("/v1/undeclared")?;
        }
        return Err(bad("the service refused the request"));
    }
    // The parser goes 128 levels deep, for which these components have too little stack.
    if response.body.windows(50).any(|window| window.iter().all(|byte| *byte == b'[')) {
        return Err(bad("the answer is nested too deep"));
    }
    let parsed = serde_json::from_slice(&response.body);
    if parsed.is_err() {
        match flaw.as_str() {
            "crashes" => panic!("no JSON"),
            "hangs" => loop {
                std::hint::black_box(0);
            },
            _ => {}
        }
    }
    parsed.ok().filter(Value::is_object).ok_or_else(|| bad("the answer is not what it should be"))
}

fn people(settings: &[Setting], answer: &Value) -> Result<Vec<String>, Failure> {
    let list = answer
        .get("people")
        .and_then(Value::as_array)
        .ok_or_else(|| failure("there is no list of people"))?;
    if organization(settings) == "skips-what-it-cannot-read" {
        return Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    list.iter()
        .map(|name| name.as_str().map(str::to_owned).ok_or_else(|| failure("a person has no name")))
        .collect()
}

fn add_titles(members: &mut [Member], titles: &Value) -> Result<(), Failure> {
    let titles = titles.as_object().into_iter().flatten();
    for (name, title) in titles {
        let title = title.as_str().ok_or_else(|| failure("a title is no text"))?;
        members
            .iter_mut()
            .filter(|member| member.id == *name)
            .for_each(|member| member.role = title.to_owned());
    }
    Ok(())
}

fn text(answer: &Value, key: &str) -> Result<String, Failure> {
    answer
        .get(key)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| failure("a text is missing in the answer"))
}

hostile::component!(Careless);
