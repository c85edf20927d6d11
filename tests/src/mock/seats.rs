//! The seats of the product sites, as the list of workspaces tells them: how many there are, how
//! many are taken, by which plan, and a sandbox.
//!
//! Seats that are taken are people with that product on that site. Like the real service it does
//! not tell every number: each way of not telling one occurs.

use serde_json::{Map, Value, json};

use super::Field;
use super::directory::{Directory, id_of, place_of};
use super::member::bare;
use super::products::SITES;

/// Most people who are counted one by one; of more the usual share of each site is told, so that an
/// organization of millions costs nothing.
const COUNTED: u64 = 1_000;

/// Seats are bought by the twenty.
const BY: u64 = 20;

/// The seats of a product on a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seats {
    /// Identifier of the workspace.
    pub id: String,
    /// Key of the product.
    pub key: &'static str,
    /// Name of the product.
    pub name: &'static str,
    /// Address of the site.
    pub url: Field<&'static str>,
    /// Word for the plan.
    pub plan: Field<&'static str>,
    /// Key of the plan.
    pub plan_key: Field<&'static str>,
    /// Number of seats that the organization may fill.
    pub purchased: Field<u64>,
    /// Number of seats that are taken.
    pub used: Field<u64>,
    /// Whether it is a sandbox.
    pub sandbox: Field<bool>,
}

impl Directory<'_> {
    /// The seats of each product site that is listed: of all but the last one, and a sandbox.
    pub(super) fn seats(&self) -> Vec<Seats> {
        let listed = SITES.len().saturating_sub(1);
        let used = self.used();
        let sites = SITES.iter().zip(used).take(listed).enumerate().map(|(place, (site, used))| {
            let usual = Seats {
                id: id_of(site.key, place),
                key: site.key,
                name: site.name,
                url: site.url,
                plan: Field::Value("Standard"),
                plan_key: Field::Value("standard"),
                purchased: Field::Value((used / BY + 1) * BY),
                used: Field::Value(used),
                sandbox: Field::Value(false),
            };
            match place {
                0 => Seats {
                    plan: Field::Value("Premium"),
                    plan_key: Field::Value("premium"),
                    ..usual
                },
                // Without a bound.
                1 => Seats { purchased: Field::Null, ..usual },
                3 => Seats { plan: Field::Null, plan_key: Field::Value("free"), ..usual },
                4 => Seats { used: Field::Null, sandbox: Field::Null, ..usual },
                5 => Seats { purchased: Field::Null, used: Field::Null, ..usual },
                6 => Seats {
                    plan: Field::Absent,
                    plan_key: Field::Absent,
                    purchased: Field::Absent,
                    used: Field::Absent,
                    sandbox: Field::Absent,
                    ..usual
                },
                7 => Seats { purchased: Field::Absent, plan_key: Field::Null, ..usual },
                _ => usual,
            }
        });
        sites.chain([sandbox()]).collect()
    }

    /// Number of people with each product site.
    fn used(&self) -> Vec<u64> {
        let people = self.people();
        if people > COUNTED {
            return SITES.iter().map(|site| people * u64::from(site.share) / 100).collect();
        }
        let mut used = vec![0; SITES.len()];
        for index in 0..people {
            let person = self.person(index);
            for place in person.member.products().iter().filter_map(place_of) {
                used.iter_mut().skip(place).take(1).for_each(|number| *number += 1);
            }
        }
        used
    }
}

impl Seats {
    /// The site: the address without scheme and trailing slash.
    pub fn site(&self) -> Option<&str> {
        self.url.value().map(|url| bare(url))
    }

    /// The entry of the list of workspaces.
    pub(super) fn entry(&self) -> Value {
        let mut attributes = Map::new();
        let mut put = |name: &str, value: Value| attributes.insert(name.to_owned(), value);
        put("name", json!("brightloom"));
        put("typeKey", json!(self.key));
        put("type", json!(self.name));
        put("status", json!("online"));
        put("hostUrl", json!(self.url.value()));
        if !self.sandbox.is_absent() {
            let word = |is_one: &bool| json!({"type": if *is_one { "CHILD" } else { "NONE" }});
            put("sandbox", self.sandbox.value().map_or(Value::Null, word));
        }
        if !self.used.is_absent() {
            put("usage", json!(self.used));
        }
        if !self.purchased.is_absent() {
            put("capacity", json!(self.purchased));
        }
        let relationships = match (self.plan, self.plan_key) {
            (Field::Absent, Field::Absent) => json!({}),
            (plan, plan_key) => json!({
                // A site has policies, too, which say nothing of plans.
                "policies": [{"id": "policy-1", "type": "policy", "attributes": {"fields": {}}}],
                "entitlements": [{
                    "id": format!("entitlement-of-{}", self.key),
                    "type": "entitlement",
                    "attributes": {"key": self.key, "plan": plan, "planKey": plan_key},
                }],
            }),
        };
        json!({
            "id": self.id,
            "type": "workspace",
            "attributes": attributes,
            "relationships": relationships,
        })
    }
}

/// A sandbox of the first site, in which some people try things out.
fn sandbox() -> Seats {
    Seats {
        id: id_of("jira-software", 90),
        key: "jira-software",
        name: "Jira",
        url: Field::Value("https://brightloom-sandbox-1.atlassian.test"),
        plan: Field::Value("Premium"),
        plan_key: Field::Value("premium"),
        purchased: Field::Null,
        used: Field::Value(4),
        sandbox: Field::Value(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mock::Organization;

    fn seats(people: u64) -> Vec<Seats> {
        let (id, name) = ("o".to_owned(), "Brightloom".to_owned());
        let now = 1_795_176_000;
        let organization =
            Organization { id, name, seed: 7, size: people, now, published_only: false };
        let directory = Directory {
            organization: &organization,
            managed: people - people / 10,
            externals: people / 10,
            directories: 2,
        };
        directory.seats()
    }

    #[test]
    fn seats_that_are_taken_are_people_with_the_product_on_the_site() {
        let organization = Organization {
            id: "o".to_owned(),
            name: "Brightloom".to_owned(),
            seed: 7,
            size: 200,
            now: 1_795_176_000,
            published_only: false,
        };
        let directory =
            Directory { organization: &organization, managed: 150, externals: 50, directories: 2 };
        let uses = |seats: &Seats, index: u64| {
            let person = directory.person(index);
            let mut products = person.member.products().iter();
            products
                .any(|its| (its.key, its.name, its.site()) == (seats.key, seats.name, seats.site()))
        };
        for seats in directory.seats().iter().filter(|seats| seats.sandbox != Field::Value(true)) {
            let Some(used) = seats.used.value() else { continue };
            let people = (0..200).filter(|index| uses(seats, *index)).count() as u64;
            assert_eq!(*used, people, "{seats:?}");
        }
    }

    #[test]
    fn every_way_of_telling_and_not_telling_a_number_occurs() {
        let seats = seats(250);
        let some = |what: &str, odd: fn(&Seats) -> bool| assert!(seats.iter().any(odd), "{what}");
        some("both", |seats| seats.purchased.value() > seats.used.value());
        some("purchased null", |seats| seats.purchased == Field::Null);
        some("purchased absent", |seats| seats.purchased == Field::Absent);
        some("used null", |seats| seats.used == Field::Null);
        some("used absent", |seats| seats.used == Field::Absent);
        some("sandbox null", |seats| seats.sandbox == Field::Null);
        some("sandbox absent", |seats| seats.sandbox == Field::Absent);
        some("no sandbox", |seats| seats.sandbox == Field::Value(false));
        some("a plan by its key alone", |seats| {
            seats.plan == Field::Null && seats.plan_key.value().is_some()
        });
        assert_eq!(seats.iter().filter(|seats| seats.sandbox == Field::Value(true)).count(), 1);
    }

    #[test]
    fn an_organization_of_millions_has_the_share_of_each_site() {
        let seats = seats(5_000_000);
        assert_eq!(seats[0].used, Field::Value(2_750_000));
        assert_eq!(seats[0].purchased, Field::Value(2_750_020));
    }

    #[test]
    fn an_entry_says_what_is_told_and_leaves_out_the_rest() {
        let seats = seats(250);
        let first = seats[0].entry();
        assert_eq!(first["attributes"]["sandbox"], json!({"type": "NONE"}));
        assert_eq!(first["attributes"]["usage"], json!(seats[0].used));
        let plan = json!({"key": "jira-software", "plan": "Premium", "planKey": "premium"});
        assert_eq!(first["relationships"]["entitlements"][0]["attributes"], plan);
        assert_eq!(seats[1].entry()["attributes"].get("capacity"), Some(&Value::Null));
        let untold = seats[6].entry();
        assert_eq!(untold["attributes"].get("capacity"), None);
        assert_eq!(untold["relationships"], json!({}));
        assert_eq!(seats[13].entry()["attributes"]["sandbox"], json!({"type": "CHILD"}));
    }

    #[test]
    fn a_site_has_neither_scheme_nor_trailing_slash() {
        let seats = seats(10);
        let sites: Vec<Option<&str>> = seats.iter().map(Seats::site).collect();
        assert_eq!(sites[1], Some("brightloom.atlassian.test/wiki"));
        assert_eq!(sites[3], Some("brightloom-labs.atlassian.test"));
        assert_eq!(sites[4], Some("brightloom-labs.atlassian.test/wiki"));
        assert_eq!((sites[5], sites[6]), (None, None));
    }
}
