//! `GET /api/v1/users`: the people, a page at a time, without those that were deactivated.
//!
//! [Documentation](https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/)
//!
//! The next page is a `Link` header with the relation `next`. It is missing on the last page, so a
//! full page without any `Link` header, which Okta always sends, is refused: something on the way
//! has removed it.

use serde::Deserialize;
use smp_connector_kit::call::{self, Call, Route, Trouble};
use smp_connector_kit::cursor::{self, Cursor};
use smp_connector_kit::json::{self, List, Object, Text, Unreadable};
use smp_connector_kit::link::{self, LINK};
use smp_connector_kit::{
    Advice, Affiliation, Failure, Host, Member, MemberKind, MemberPage, MemberStatus, Product,
    ProductUse, Request, Response, mend, time,
};

use crate::refusal::Asked;
use crate::site::Site;

/// The entry in the descriptor.
pub static ROUTE: Route =
    Route::get("/api/v1/users", "Reads the people with their status and last sign-in", None)
        .reading(&[LINK]);

/// People on a page: the most that Okta gives.
const LIMIT: usize = 200;

/// The name of the only product.
const OKTA: &str = "Okta";

/// Requests a page, the first or the one at the cursor.
///
/// # Errors
///
/// If there is no such page, or it cannot be read.
pub fn get(
    host: &mut dyn Host,
    site: &Site,
    asked: Option<&Cursor>,
) -> Result<MemberPage, Failure> {
    let mut path = format!("{}?limit={LIMIT}", ROUTE.path);
    if let Some(cursor) = asked {
        path.push_str("&after=");
        path.extend(cursor::encoded(cursor.as_str()));
    }
    let call = Asked::for_page(&ROUTE, asked);
    call::send_whole(host, &Request::get(path), &call, |response, left_out| {
        let mut page = read(response, site, asked)?;
        page.notes.extend(mend::note(left_out));
        Ok(page)
    })
}

/// Reads a page that was requested with `asked`.
///
/// # Errors
///
/// If the answer has another shape, somebody on it has no id, or it cannot be told where the list
/// goes on.
pub fn read(
    response: &Response,
    site: &Site,
    asked: Option<&Cursor>,
) -> Result<MemberPage, Unreadable> {
    let List(users) = json::read_page::<List<Object<User<'_>>>>(&response.body)?;
    let next = link::next(response, "after", asked).map_err(Unreadable::Next)?;
    if users.len() >= LIMIT && response.header(LINK).is_none() {
        return Err(unusable(
            "is a full page without a Link header, which says whether the list goes on",
            Asked::hint(Trouble::InBetween),
        ));
    }
    let mut has_odd_times = false;
    let members = users.into_iter().map(|Object(user)| member(user, &mut has_odd_times));
    let members = members.collect::<Option<Vec<Member>>>().ok_or_else(|| {
        unusable("lists somebody without an identifier", Asked::hint(Trouble::Unknown))
    })?;
    let is_used = members.iter().any(|member| !member.uses.is_empty());
    let product =
        || Product { key: "okta".to_owned(), name: OKTA.to_owned(), site: Some(site.domain()) };
    Ok(MemberPage {
        products: is_used.then(product).into_iter().collect(),
        members,
        next: next.map(Cursor::into_string),
        total: None,
        notes: has_odd_times.then(odd_times).into_iter().collect(),
    })
}

fn unusable(what: &'static str, hint: &'static str) -> Unreadable {
    Unreadable::Unusable { what, hint, setting: None }
}

fn odd_times() -> Advice {
    Advice {
        message: "Some last sign-ins are not points in time, and are left out.".to_owned(),
        hint: Trouble::Unknown.hint().to_owned(),
        setting: None,
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct User<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
    status: Option<Text<'a>>,
    last_login: Option<Text<'a>>,
    profile: Option<Object<Profile<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Profile<'a> {
    #[serde(borrow)]
    login: Option<Text<'a>>,
    email: Option<Text<'a>>,
    display_name: Option<Text<'a>>,
    first_name: Option<Text<'a>>,
    last_name: Option<Text<'a>>,
    nick_name: Option<Text<'a>>,
    user_type: Option<Text<'a>>,
}

/// Makes a member of a user, which it cannot be without an id. Okta is used by those who can sign
/// in, and those who have.
fn member(user: User<'_>, has_odd_times: &mut bool) -> Option<Member> {
    let id = owned(user.id)?;
    let word = owned(user.status);
    let status = word.clone().map(status);
    let signed_in = user.last_login.and_then(Text::filled);
    let last_seen = signed_in.as_ref().and_then(|text| time::parse(text.as_str()));
    *has_odd_times |= signed_in.is_some() && last_seen.is_none();
    let uses_it = signed_in.is_some() || status == Some(MemberStatus::Active);
    let Object(profile) = user.profile.unwrap_or_default();
    let login = owned(profile.login);
    let both = [owned(profile.first_name), owned(profile.last_name)];
    let both = both.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = owned(profile.display_name).or(Some(both).filter(|name| !name.is_empty()));
    let attributes =
        [("login", login.clone()), ("user-type", owned(profile.user_type)), ("okta-status", word)];
    Some(Member {
        email: owned(profile.email),
        name: name.or(login).unwrap_or_default(),
        nickname: owned(profile.nick_name),
        role: if uses_it { OKTA } else { "" }.to_owned(),
        uses: uses_it
            .then_some(ProductUse { product: 0, last_active: last_seen })
            .into_iter()
            .collect(),
        last_seen,
        status,
        kind: Some(MemberKind::Person),
        // The organization owns every account in its directory.
        affiliation: Some(Affiliation::Managed),
        attributes: attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect(),
        ..Member::new(id)
    })
}

/// The status in the contract's words
/// ([list](https://developer.okta.com/docs/reference/api/users/#user-status)).
fn status(word: String) -> MemberStatus {
    match word.as_bytes() {
        b"ACTIVE" | b"PASSWORD_EXPIRED" | b"LOCKED_OUT" | b"RECOVERY" => MemberStatus::Active,
        b"STAGED" | b"PROVISIONED" => MemberStatus::Invited,
        b"SUSPENDED" => MemberStatus::Suspended,
        b"DEPROVISIONED" => MemberStatus::Inactive,
        _ => MemberStatus::Other(word),
    }
}

fn owned(text: Option<Text<'_>>) -> Option<String> {
    text.and_then(Text::filled).map(Text::into_string)
}

#[cfg(test)]
mod tests;
