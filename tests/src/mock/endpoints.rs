//! The right answer of each call, before the page faults.
//!
//! Pure: no clock, no socket, no counter. A body depends only on the organization, the situation
//! and the request.

use axum::http::{StatusCode, header};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::answers::{Answer, bytes};
use super::cursor::Cursors;
use super::directory::{self, Directory, KEYS};
use super::organization::API_BASE;
use super::paging::{Links, Listing, Page};
use super::seats::Seats;
use super::{Call, Fault, Field, Member, Organization, Situation};

/// Everything that answers depend on.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) organization: Organization,
    pub(super) situation: Situation,
    pub(super) page_size: u64,
    /// Number of other organizations that the key can see; they have no members and no domains.
    pub(super) others: u64,
    /// Number of external people.
    pub(super) externals: u64,
    /// Number of directories.
    pub(super) directories: u64,
}

/// The parts of a request that answers depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) path: &'a str,
    pub(super) organization_id: &'a str,
    pub(super) cursor: Option<&'a str>,
    /// The body, where it is JSON.
    pub(super) body: Option<&'a Value>,
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
            Call::Users => self.dated(self.guarded(question, |named| self.users(named, question))),
            Call::Domains => self.guarded(question, |named| self.domains(named, question)),
            Call::Count => self.guarded(question, |named| self.count(named, question)),
            Call::Search => {
                self.dated(self.guarded(question, |named| self.search(named, question)))
            }
            Call::Workspaces => self.guarded(question, |named| self.workspaces(named, question)),
            Call::Keys => self.guarded(question, |named| self.keys(named, question)),
            Call::Any => Answer::gateway(StatusCode::NOT_FOUND, "failed to match any route"),
        }
    }

    /// Number of members that the API shows.
    pub(super) fn visible_members(&self) -> u64 {
        if self.situation.has_members() { self.organization.size } else { 0 }
    }

    /// Everyone whom the API shows.
    pub(super) fn directory(&self) -> Directory<'_> {
        Directory {
            organization: &self.organization,
            managed: self.visible_members(),
            externals: self.externals,
            directories: self.directories,
        }
    }

    /// Dates an answer at the instant from which activity is counted back, whatever the machine's
    /// clock says.
    fn dated(&self, mut answer: Answer) -> Answer {
        let now = Timestamp::from_second(self.organization.now).unwrap_or(Timestamp::UNIX_EPOCH);
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        answer.headers.push((header::DATE, date));
        answer
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

    /// The number of people. Of the faults of pages, that of a total changes it.
    fn count(&self, named: Named, question: Question<'_>) -> Answer {
        let number = match named {
            Named::Own if self.situation == Situation::SiteAdmin => {
                return Answer::access_denied(question.path);
            }
            Named::Own => self.directory().people(),
            Named::Other(_) | Named::Unknown => 0,
        };
        let mut count = Field::Value(number);
        for fault in question.faults {
            if let Fault::Total(total) = fault {
                count = total.of(number);
            }
        }
        let body = if count.is_absent() { json!({}) } else { json!({ "count": count }) };
        Answer::json(bytes(&body))
    }

    fn search(&self, named: Named, question: Question<'_>) -> Answer {
        let directory = match named {
            Named::Own if self.situation == Situation::SiteAdmin => {
                return Answer::access_denied(question.path);
            }
            Named::Own => self.directory(),
            Named::Other(_) | Named::Unknown => {
                Directory { managed: 0, externals: 0, ..self.directory() }
            }
        };
        let asked = |key: &str| question.body.and_then(|body| body.get(key));
        let limit = asked("limit").and_then(Value::as_u64).unwrap_or(50);
        let expand = asked("expand").and_then(Value::as_array);
        let with_products = expand.is_some_and(|list| list.contains(&json!("productAccess")));
        let size = limit.min(self.page_size);
        self.listed_by(question, "search", directory.entries(), size, true, |page| {
            let people = page.items.iter().map(|entry| directory.person(*entry));
            let data = people.map(|person| person.entry(with_products)).collect::<Vec<_>>();
            bytes(&Body { data, meta: Field::Absent, links: page.links })
        })
    }

    fn workspaces(&self, named: Named, question: Question<'_>) -> Answer {
        let sites = match named {
            Named::Own if self.situation == Situation::SiteAdmin => {
                return Answer::access_denied(question.path);
            }
            Named::Own => self.directory().seats(),
            Named::Other(_) | Named::Unknown => Vec::new(),
        };
        let fields = question.body.and_then(Value::as_object);
        if question.cursor.is_some() && fields.is_some_and(|fields| fields.len() > 1) {
            return Answer::coded(StatusCode::BAD_REQUEST, "ADMIN-400-24");
        }
        let limit = fields.and_then(|fields| fields.get("limit")).and_then(Value::as_u64);
        // A later page is as long as the first one: its cursor knows, and the mock's does not.
        let size = limit.unwrap_or(1_000).min(self.page_size);
        // Both ways of telling the next page occur; the seed chooses.
        let bare = self.organization.seed & 2 == 0;
        self.listed_by(question, "workspaces", sites.len() as u64, size, bare, |page| {
            let places = page.items.iter().filter_map(|index| usize::try_from(*index).ok());
            let data = places.filter_map(|place| sites.get(place)).map(Seats::entry);
            let data = data.collect::<Vec<_>>();
            let total = page.total;
            bytes(&Body { data, meta: Field::Value(Meta { total }), links: page.links })
        })
    }

    fn keys(&self, named: Named, question: Question<'_>) -> Answer {
        let keys = match named {
            Named::Own if self.situation == Situation::SiteAdmin => {
                return Answer::access_denied(question.path);
            }
            Named::Own => KEYS,
            Named::Other(_) | Named::Unknown => 0,
        };
        self.listed(question, "api-keys", keys, |page| {
            let key = |index: &u64| directory::key(&self.organization, *index);
            let data = page.items.iter().map(key).collect::<Vec<_>>();
            bytes(&Body { data, meta: Field::Absent, links: page.links })
        })
    }

    fn listed(
        &self,
        question: Question<'_>,
        name: &str,
        size: u64,
        body: impl Fn(Page) -> Vec<u8>,
    ) -> Answer {
        self.listed_by(question, name, size, self.page_size, false, body)
    }

    fn listed_by(
        &self,
        question: Question<'_>,
        name: &str,
        size: u64,
        page_size: u64,
        bare: bool,
        body: impl Fn(Page) -> Vec<u8>,
    ) -> Answer {
        // Both ways of marking the last page occur; the seed chooses one for this listing.
        let null = !self.organization.published_only
            && (self.organization.seed ^ name.len() as u64) & 1 == 1;
        let listing = Listing {
            path: question.path,
            cursors: Cursors::new(self.organization.seed, name),
            size,
            page_size: page_size.max(1),
            bare,
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
mod tests;
