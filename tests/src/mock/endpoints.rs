//! The right answer of each call, before the page faults.
//!
//! Pure: no clock, no socket, no counter. A body depends only on the organization, the situation
//! and the request.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::answers::{Answer, bytes};
use super::cursor::Cursors;
use super::organization::API_BASE;
use super::paging::{Links, Listing, Page};
use super::{Call, Fault, Field, Member, Organization, Situation};

/// Everything that answers depend on.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) organization: Organization,
    pub(super) situation: Situation,
    pub(super) page_size: u64,
    /// Number of other organizations that the key can see; they have no members and no domains.
    pub(super) others: u64,
}

/// The parts of a request that answers depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) path: &'a str,
    pub(super) organization_id: &'a str,
    pub(super) cursor: Option<&'a str>,
    /// The page faults that apply; others are ignored.
    pub(super) faults: &'a [Fault],
}

/// The organization that a request names.
enum Named {
    Own,
    Other(u64),
    Unknown,
}

impl World {
    /// Answers a call. `Call::Any` is a path that does not exist.
    pub(super) fn answer(&self, call: Call, question: Question<'_>) -> Answer {
        match call {
            Call::Orgs => self.organizations(question),
            Call::Org => self.guarded(question, |named| self.organization(named)),
            Call::Users => self.guarded(question, |named| self.users(named, question)),
            Call::Domains => self.guarded(question, |named| self.domains(named, question)),
            Call::Any => Answer::gateway(StatusCode::NOT_FOUND, "failed to match any route"),
        }
    }

    /// Number of members that the API shows.
    pub(super) fn visible_members(&self) -> u64 {
        if self.situation.has_members() { self.organization.size } else { 0 }
    }

    /// Answers only for organizations of the key.
    fn guarded(&self, question: Question<'_>, answer: impl Fn(Named) -> Answer) -> Answer {
        match self.named(question.organization_id) {
            Named::Own if self.situation == Situation::ForbiddenOrganization => {
                Answer::coded(StatusCode::FORBIDDEN, "ADMIN-403-3")
            }
            Named::Own if self.situation.is_listed() => answer(Named::Own),
            Named::Other(number) => answer(Named::Other(number)),
            Named::Own | Named::Unknown => Answer::coded(StatusCode::NOT_FOUND, "ADMIN-404-2"),
        }
    }

    fn organizations(&self, question: Question<'_>) -> Answer {
        let others = self.other_organizations();
        let size = others + u64::from(self.situation.is_listed());
        self.listed(question, "orgs", size, |page| {
            // The mock's own organization comes last, so that a client that reads only the first
            // page misses it.
            let models = page.items.iter().map(|index| match *index {
                index if index < others => {
                    self.model(&self.other_id(index), &format!("Sister company {}", index + 1))
                }
                _ => self.model(&self.organization.id, &self.organization.name),
            });
            bytes(&Body {
                data: models.collect::<Vec<_>>(),
                meta: Field::Absent,
                links: page.links,
            })
        })
    }

    fn organization(&self, named: Named) -> Answer {
        let model = match named {
            Named::Other(number) => {
                self.model(&self.other_id(number), &format!("Sister company {}", number + 1))
            }
            Named::Own | Named::Unknown => {
                self.model(&self.organization.id, &self.organization.name)
            }
        };
        Answer::json(bytes(&json!({ "data": model })))
    }

    fn users(&self, named: Named, question: Question<'_>) -> Answer {
        let size = match named {
            Named::Own if self.situation == Situation::SiteAdmin => {
                return Answer::access_denied(question.path);
            }
            Named::Own => self.visible_members(),
            Named::Other(_) | Named::Unknown => 0,
        };
        self.listed(question, "users", size, |page| {
            let members: Vec<Member> =
                page.items.iter().map(|index| self.organization.member(*index)).collect();
            let meta = match page.total {
                Field::Absent => Field::Absent,
                total => Field::Value(Meta { total }),
            };
            bytes(&Body { data: members, meta, links: page.links })
        })
    }

    fn domains(&self, named: Named, question: Question<'_>) -> Answer {
        let refused = matches!(self.situation, Situation::SiteAdmin | Situation::DomainsRefused);
        let domains = match named {
            Named::Own if refused => return Answer::access_denied(question.path),
            Named::Own => self.situation.domains(),
            Named::Other(_) | Named::Unknown => &[],
        };
        self.listed(question, "domains", domains.len() as u64, |page| {
            let entries = page.items.iter().filter_map(|index| {
                let (name, kind, status) = domains.get(usize::try_from(*index).ok()?)?;
                let id = format!("{:08x}-dom-{index}", self.organization.seed as u32);
                Some(json!({
                    "id": id,
                    "type": "domains",
                    "attributes": {"name": name, "claim": {"type": kind, "status": status}},
                    "links": {"self": format!("{API_BASE}{}/{id}", question.path)},
                }))
            });
            bytes(&Body {
                data: entries.collect::<Vec<_>>(),
                meta: Field::Absent,
                links: page.links,
            })
        })
    }

    fn listed(
        &self,
        question: Question<'_>,
        name: &str,
        size: u64,
        body: impl Fn(Page) -> Vec<u8>,
    ) -> Answer {
        // Both ways of marking the last page occur; the seed chooses one for this listing.
        let null = !self.organization.published_only
            && (self.organization.seed ^ name.len() as u64) & 1 == 1;
        let listing = Listing {
            path: question.path,
            cursors: Cursors::new(self.organization.seed, name),
            size,
            page_size: self.page_size.max(1),
            no_link: if null { Field::Null } else { Field::Absent },
        };
        match listing.page(question.cursor, question.faults) {
            Some(page) => Answer::json(body(page)),
            None => Answer::coded(StatusCode::BAD_REQUEST, "ADMIN-400-1"),
        }
    }

    fn model(&self, id: &str, name: &str) -> Value {
        let url = format!("{API_BASE}/admin/v1/orgs/{id}");
        json!({
            "id": id,
            "type": "orgs",
            "attributes": {"name": name},
            "relationships": {
                "domains": {"links": {"related": format!("{url}/domains")}},
                "users": {"links": {"related": format!("{url}/users")}},
            },
            "links": {"self": url},
        })
    }

    fn named(&self, id: &str) -> Named {
        if id == self.organization.id {
            return Named::Own;
        }
        let number = (0..self.other_organizations()).find(|number| self.other_id(*number) == id);
        number.map_or(Named::Unknown, Named::Other)
    }

    /// A key always has an organization, so if it is not the mock's own, there is another.
    fn other_organizations(&self) -> u64 {
        self.others.max(u64::from(!self.situation.is_listed()))
    }

    fn other_id(&self, number: u64) -> String {
        format!("{number:08x}-0000-4sis-9ter-00000000000k")
    }
}

#[derive(Serialize)]
struct Body<T> {
    data: Vec<T>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    meta: Field<Meta>,
    links: Links,
}

#[derive(Serialize)]
struct Meta {
    total: Field<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0rg-own";

    fn world(situation: Situation) -> World {
        let (id, name) = (ID.to_owned(), "Brightloom".to_owned());
        let organization = Organization {
            id,
            name,
            seed: 7,
            size: 250,
            now: 1_763_640_000,
            published_only: false,
        };
        World { organization, situation, page_size: 100, others: 0 }
    }

    fn ask(world: &World, call: Call, organization_id: &str) -> (u16, Value) {
        let answer =
            world.answer(call, Question { path: "/p", organization_id, cursor: None, faults: &[] });
        (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap())
    }

    #[test]
    fn each_situation_answers_as_the_vendor_does() {
        for (situation, org, users, domains, listed) in [
            (Situation::Usual, 200, 200, 200, true),
            (Situation::NoDomain, 200, 200, 200, true),
            (Situation::Unverified, 200, 200, 200, true),
            (Situation::MissingToken, 200, 200, 200, true),
            (Situation::Unclaimed, 200, 200, 200, true),
            (Situation::DomainsRefused, 200, 200, 403, true),
            (Situation::UnknownOrganization, 404, 404, 404, false),
            (Situation::ForbiddenOrganization, 403, 403, 403, false),
            (Situation::SiteAdmin, 200, 403, 403, true),
        ] {
            let world = world(situation);
            let status = |call| ask(&world, call, ID).0;
            assert_eq!(
                (status(Call::Org), status(Call::Users), status(Call::Domains)),
                (org, users, domains)
            );
            let (_, organizations) = ask(&world, Call::Orgs, "");
            assert_eq!(
                organizations["data"].as_array().unwrap().iter().any(|org| org["id"] == ID),
                listed
            );
        }
    }

    #[test]
    fn an_organization_without_members_says_so() {
        let (status, page) = ask(&world(Situation::Unclaimed), Call::Users, ID);
        assert_eq!((status, &page["data"], &page["meta"]["total"]), (200, &json!([]), &json!(0)));
    }

    #[test]
    fn the_own_organization_comes_after_the_others() {
        let world = World { others: 2, page_size: 2, ..world(Situation::Usual) };
        let (_, first) = ask(&world, Call::Orgs, "");
        assert_eq!(first["data"].as_array().unwrap().len(), 2);
        assert!(first["data"].as_array().unwrap().iter().all(|org| org["id"] != ID));
        assert!(first["links"]["next"].is_string());
    }

    #[test]
    fn an_organization_of_somebody_else_is_not_found() {
        let (status, body) = ask(&world(Situation::Usual), Call::Users, "somebody-elses");
        assert_eq!((status, &body["errors"][0]["code"]), (404, &json!("ADMIN-404-2")));
    }

    #[test]
    fn both_ends_of_a_listing_occur() {
        let next = |seed| {
            let mut world = world(Situation::Unclaimed);
            world.organization.seed = seed;
            ask(&world, Call::Users, ID).1["links"].get("next").cloned()
        };
        assert_eq!((next(0), next(1)), (Some(Value::Null), None));
    }
}
