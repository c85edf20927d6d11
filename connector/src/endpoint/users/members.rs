//! Makes members of the users of a page, while the page is read.
//!
//! Each user becomes a member as soon as it is complete, so a page is never held twice. The product sites of the
//! page are each kept once, in the order of first appearance; two entries of a user for one site are one use.

use crate::json::{self, Fit, List, Misfit, Place, Text, object};
use crate::model::{Instant, Member, MemberKind, MemberStatus, Product, ProductUse};
use crate::{product_names, text, time};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BinaryHeap};

/// The members of a page with the product sites they use.
#[derive(Debug, Default)]
pub struct Members {
    /// The product sites, each once.
    pub products: Vec<Product>,
    /// The members, in the order of the page.
    pub members: Vec<Member>,
    /// How many points in time could not be read.
    pub unreadable_times: u32,
}

object! {
    struct User<'a> {
        account_id: Option<Text<'a>> = "account_id",
        account_type: Option<Text<'a>> = "account_type",
        account_status: Option<Text<'a>> = "account_status",
        name: Option<Text<'a>> = "name",
        nickname: Option<Text<'a>> = "nickname",
        email: Option<Text<'a>> = "email",
        access_billable: Option<bool> = "access_billable",
        last_active: Option<Text<'a>> = "last_active",
        product_access: List<Access<'a>> = "product_access",
    }
}

object! {
    /// A user's access to a product on a site.
    struct Access<'a> {
        key: Option<Text<'a>> = "key",
        name: Option<Text<'a>> = "name",
        url: Option<Text<'a>> = "url",
        last_active: Option<Text<'a>> = "last_active",
    }
}

/// The page so far: the place of the list of users.
#[derive(Default)]
pub struct Gathering<'a> {
    is_there: bool,
    user: User<'a>,
    done: Members,
    known: BTreeMap<ProductSite<'a>, Known>,
}

/// What makes a product on a site the same: key, name and site.
type ProductSite<'a> = (Text<'a>, Text<'a>, Option<Text<'a>>);

/// A product site that appeared before.
struct Known {
    /// Its place among the products of the page.
    product: u32,
    /// The last member that uses it, as the number of members before, and the place among that one's uses.
    last_use: (usize, usize),
}

impl<'de> Place<'de> for Gathering<'de> {
    fn list(&mut self) -> Fit {
        json::begin(&mut self.is_there)
    }

    fn item(&mut self) -> Option<&mut dyn Place<'de>> {
        Some(&mut self.user)
    }

    fn item_done(&mut self) -> Fit {
        let mut user = std::mem::take(&mut self.user);
        let mut accesses = std::mem::take(&mut user.product_access.items);
        self.add(user, accesses.drain(..))?;
        // The next user's entries need no memory of their own.
        self.user.product_access.items = accesses;
        Ok(())
    }
}

impl<'a> Gathering<'a> {
    /// The members; `None` if there was no list.
    pub fn finish(self) -> Option<Members> {
        self.is_there.then_some(self.done)
    }

    /// Adds a user to the members, which it cannot be without an id.
    fn add(&mut self, user: User<'a>, accesses: impl ExactSizeIterator<Item = Access<'a>>) -> Fit {
        let id = user.account_id.and_then(Text::filled).ok_or(Misfit)?;
        let mut last_seen = self.instant(user.last_active);
        let mut uses = Vec::with_capacity(accesses.len());
        for access in accesses {
            let last_active = self.instant(access.last_active);
            last_seen = last_seen.max(last_active);
            if let Some(site) = product_site(access.key, access.name, access.url) {
                self.add_use(&mut uses, site, last_active);
            }
        }
        let nickname = user.nickname.and_then(Text::filled).map(Text::into_string);
        let name = user.name.and_then(Text::filled).map(Text::into_string);
        self.done.members.push(Member {
            id: id.into_string(),
            email: user.email.and_then(Text::filled).map(Text::into_string),
            name: name.or_else(|| nickname.clone()).unwrap_or_default(),
            role: role(&self.done.products, &uses),
            uses,
            last_seen,
            status: user.account_status.and_then(Text::filled).map(status),
            kind: user.account_type.and_then(Text::filled).map(kind),
            billable: user.access_billable,
            attributes: nickname.map(|nickname| ("nickname".to_owned(), nickname)).into_iter().collect(),
        });
        Ok(())
    }

    /// Adds a use of the next member; a second one of the same site only makes the first one newer.
    fn add_use(&mut self, uses: &mut Vec<ProductUse>, site: ProductSite<'a>, last_active: Option<Instant>) {
        let this_use = (self.done.members.len(), uses.len());
        let product = match self.known.entry(site) {
            Entry::Vacant(vacant) => {
                // A page with more products than a `u32` counts would not fit into any memory.
                let product = self.done.products.len() as u32;
                let (key, name, site) = vacant.key();
                self.done.products.push(Product {
                    key: key.as_str().to_owned(),
                    name: name.as_str().to_owned(),
                    site: site.as_ref().map(|site| site.as_str().to_owned()),
                });
                vacant.insert(Known { product, last_use: this_use });
                product
            }
            Entry::Occupied(occupied) => {
                let known = occupied.into_mut();
                let (member, place) = known.last_use;
                if member == this_use.0
                    && let Some(earlier) = uses.get_mut(place)
                {
                    earlier.last_active = earlier.last_active.max(last_active);
                    return;
                }
                known.last_use = this_use;
                known.product
            }
        };
        uses.push(ProductUse { product, last_active });
    }

    /// Reads a point in time; one that cannot be read is unknown, and counted.
    fn instant(&mut self, text: Option<Text<'_>>) -> Option<Instant> {
        let text = text.and_then(Text::filled)?;
        let instant = time::parse(text.as_str());
        if instant.is_none() {
            self.done.unreadable_times = self.done.unreadable_times.saturating_add(1);
        }
        instant
    }
}

/// The product site of an entry; none when nothing says which it is.
fn product_site<'a>(key: Option<Text<'a>>, name: Option<Text<'a>>, url: Option<Text<'a>>) -> Option<ProductSite<'a>> {
    let key = key.unwrap_or(Text("".into()));
    let name = name
        .and_then(Text::filled)
        .unwrap_or_else(|| product_names::name_of(key.as_str()).map_or_else(|| key.clone(), |name| Text(name.into())));
    let site = url.map(|url| url.narrowed(bare)).and_then(Text::filled);
    let is_told = !name.as_str().is_empty() || site.is_some();
    is_told.then_some((key, name, site))
}

/// A URL without its scheme and the slashes at its end.
fn bare(url: &str) -> &str {
    text::without_scheme(url).unwrap_or(url).trim_end_matches('/')
}

/// The distinct names of the products used, in byte order.
fn role(products: &[Product], uses: &[ProductUse]) -> String {
    let names: BinaryHeap<&str> = uses
        .iter()
        .filter_map(|used| products.get(used.product as usize))
        .map(|product| product.name.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    let mut names = names.into_sorted_vec();
    names.dedup();
    names.join(", ")
}

fn status(word: Text<'_>) -> MemberStatus {
    match word.as_str() {
        "active" => MemberStatus::Active,
        "inactive" => MemberStatus::Inactive,
        "closed" => MemberStatus::Closed,
        _ => MemberStatus::Other(word.into_string()),
    }
}

fn kind(word: Text<'_>) -> MemberKind {
    match word.as_str() {
        "atlassian" => MemberKind::Person,
        "app" => MemberKind::App,
        "customer" => MemberKind::Customer,
        _ => MemberKind::Other(word.into_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_becomes_a_member_whole() {
        let members = read(
            r#"[{"account_id":"712020:ab|c","account_type":"atlassian","account_status":"active","name":"Jane Doe",
            "picture":"https://x.test/p","nickname":"jane","email":"jane@acme.test","access_billable":true,
            "last_active":"2026-11-20T10:15:30.5Z","links":{"self":"x"},"product_access":[
            {"key":"jira-software","name":"Jira","url":"https://acme.atlassian.net/","last_active":"2026-11-19"}]}]"#,
        );
        let expected = Member {
            id: "712020:ab|c".to_owned(),
            email: Some("jane@acme.test".to_owned()),
            name: "Jane Doe".to_owned(),
            role: "Jira".to_owned(),
            uses: vec![ProductUse { product: 0, last_active: at(1_795_046_400, 0) }],
            last_seen: at(1_795_169_730, 500_000_000),
            status: Some(MemberStatus::Active),
            kind: Some(MemberKind::Person),
            billable: Some(true),
            attributes: vec![("nickname".to_owned(), "jane".to_owned())],
        };
        assert_eq!(members.members, [expected]);
        assert_eq!(members.products, [product("jira-software", "Jira", Some("acme.atlassian.net"))]);
    }

    #[test]
    fn everything_but_the_id_may_be_absent_or_null() {
        let nulls = r#"{"account_id":"a","account_type":null,"account_status":null,"name":null,"nickname":null,
            "email":null,"access_billable":null,"last_active":null,"product_access":null}"#;
        let empty = r#"{"account_id":"a","account_type":"","account_status":"","name":"","nickname":"","email":"",
            "last_active":"","product_access":[]}"#;
        for user in [r#"{"account_id":"a"}"#, nulls, empty] {
            let members = read(&format!("[{user}]"));
            assert_eq!(members.members, [member("a")], "{user}");
            assert_eq!(members.unreadable_times, 0);
        }
    }

    #[test]
    fn a_user_without_an_id_makes_the_page_unreadable() {
        for id in ["", r#""account_id":null"#, r#""account_id":"""#, r#""account_id":7"#] {
            let list = format!(r#"[{{"account_id":"a"}},{{{id}}}]"#);
            assert!(json::read::<Gathering<'_>>(list.as_bytes()).is_err(), "{id}");
        }
    }

    #[test]
    fn a_field_of_the_wrong_type_makes_the_page_unreadable() {
        for field in [
            r#""name":7"#,
            r#""email":[]"#,
            r#""access_billable":"yes""#,
            r#""last_active":1795169730"#,
            r#""product_access":{}"#,
            r#""product_access":["jira"]"#,
            r#""product_access":[{"url":false}]"#,
        ] {
            let list = format!(r#"[{{"account_id":"a",{field}}}]"#);
            assert!(json::read::<Gathering<'_>>(list.as_bytes()).is_err(), "{field}");
        }
    }

    #[test]
    fn an_unknown_word_is_kept() {
        let members = read(r#"[{"account_id":"a","account_type":"robot","account_status":"dormant"}]"#);
        assert_eq!(members.members[0].kind, Some(MemberKind::Other("robot".to_owned())));
        assert_eq!(members.members[0].status, Some(MemberStatus::Other("dormant".to_owned())));
    }

    #[test]
    fn every_known_word_has_its_case() {
        let rows = [("atlassian", MemberKind::Person), ("app", MemberKind::App), ("customer", MemberKind::Customer)];
        for (word, case) in rows {
            assert_eq!(kind(Text(word.into())), case);
        }
        let rows = [("active", MemberStatus::Active), ("inactive", MemberStatus::Inactive), ("closed", MemberStatus::Closed)];
        for (word, case) in rows {
            assert_eq!(status(Text(word.into())), case);
        }
    }

    #[test]
    fn a_nickname_stands_in_for_a_name() {
        let members = read(r#"[{"account_id":"a","name":"","nickname":"jd"}]"#);
        assert_eq!(members.members[0].name, "jd");
        assert_eq!(members.members[0].attributes, [("nickname".to_owned(), "jd".to_owned())]);
    }

    #[test]
    fn a_product_is_named_by_the_answer_else_the_table_else_its_key() {
        let members = read(&accesses(
            r#"{"key":"confluence","name":"Wiki"},{"key":"confluence","name":""},{"key":"brand-new"},{"name":"Nameless key"}"#,
        ));
        let expected = [
            product("confluence", "Wiki", None),
            product("confluence", "Confluence", None),
            product("brand-new", "brand-new", None),
            product("", "Nameless key", None),
        ];
        assert_eq!(members.products, expected);
        assert_eq!(members.members[0].role, "Confluence, Nameless key, Wiki, brand-new");
    }

    #[test]
    fn a_product_on_two_sites_is_two_products_and_one_role() {
        let members = read(&accesses(
            r#"{"key":"jira","name":"Jira","url":"https://b.atlassian.net"},{"key":"jira","name":"Jira","url":"a.atlassian.net//"}"#,
        ));
        let expected = [product("jira", "Jira", Some("b.atlassian.net")), product("jira", "Jira", Some("a.atlassian.net"))];
        assert_eq!(members.products, expected);
        assert_eq!(members.members[0].role, "Jira");
        assert_eq!(members.members[0].uses.len(), 2);
    }

    #[test]
    fn a_site_has_no_scheme_and_no_slash_at_its_end() {
        let rows = [
            ("https://a.test/", "a.test"),
            ("HTTP://A.test", "A.test"),
            ("a.test/wiki/", "a.test/wiki"),
            ("a.test/?u=http://b.test", "a.test/?u=http://b.test"),
            ("https://", ""),
        ];
        for (url, site) in rows {
            assert_eq!(bare(url), site, "{url}");
        }
        assert_eq!(read(&accesses(r#"{"key":"k","url":"https:\/\/"}"#)).products, [product("k", "k", None)]);
    }

    #[test]
    fn members_share_the_products_of_the_page() {
        let members = read(
            r#"[{"account_id":"a","product_access":[{"key":"jira"},{"key":"trello"}]},
            {"account_id":"b","product_access":[{"key":"trello"}]}]"#,
        );
        assert_eq!(members.products.len(), 2);
        assert_eq!(members.members[1].uses[0].product, 1);
        assert_eq!(members.members[1].role, "Trello");
    }

    #[test]
    fn two_entries_for_one_site_are_one_use_with_the_newer_activity() {
        let members = read(&accesses(
            r#"{"key":"jira","last_active":"2026-11-20"},{"key":"trello"},{"key":"jira","last_active":"2026-11-19"},
            {"key":"trello","last_active":"1970-01-02"}"#,
        ));
        let times: Vec<_> = members.members[0].uses.iter().map(|used| used.last_active).collect();
        assert_eq!(times, [at(1_795_132_800, 0), at(86_400, 0)]);
    }

    #[test]
    fn last_seen_is_the_newest_of_all_that_is_known() {
        let rows = [
            (r#"null"#, r#"{"key":"a"},{"key":"b"}"#, None),
            (r#""1970-01-02""#, r#"{"key":"a"}"#, at(86_400, 0)),
            (r#"null"#, r#"{"key":"a","last_active":"1970-01-02"},null,{"key":"b"}"#, at(86_400, 0)),
            (r#""1970-01-01""#, r#"{"last_active":"1970-01-02"}"#, at(86_400, 0)),
            (r#""1970-01-03""#, r#"{"key":"a","last_active":"1970-01-02T23:00:00-09:00"}"#, at(201_600, 0)),
        ];
        for (account, products, last_seen) in rows {
            let list = format!(r#"[{{"account_id":"a","last_active":{account},"product_access":[{products}]}}]"#);
            assert_eq!(read(&list).members[0].last_seen, last_seen, "{list}");
        }
    }

    #[test]
    fn a_time_that_cannot_be_read_is_unknown_and_counted() {
        let members = read(r#"[{"account_id":"a","last_active":"yesterday","product_access":[{"key":"k","last_active":"20261120"}]}]"#);
        assert_eq!(members.members[0].last_seen, None);
        assert_eq!(members.unreadable_times, 2);
    }

    #[test]
    fn an_entry_that_says_nothing_is_no_product() {
        let members = read(&accesses(r#"{},null,{"key":"","name":null,"url":""}"#));
        assert_eq!(members.products, []);
        assert_eq!(members.members[0].uses, []);
    }

    fn read(list: &str) -> Members {
        json::read::<Gathering<'_>>(list.as_bytes()).unwrap().finish().unwrap()
    }

    fn accesses(list: &str) -> String {
        format!(r#"[{{"account_id":"a","product_access":[{list}]}}]"#)
    }

    fn member(id: &str) -> Member {
        Member {
            id: id.to_owned(),
            email: None,
            name: String::new(),
            role: String::new(),
            uses: Vec::new(),
            last_seen: None,
            status: None,
            kind: None,
            billable: None,
            attributes: Vec::new(),
        }
    }

    fn product(key: &str, name: &str, site: Option<&str>) -> Product {
        Product { key: key.to_owned(), name: name.to_owned(), site: site.map(str::to_owned) }
    }

    fn at(seconds: i64, nanoseconds: u32) -> Option<Instant> {
        Some(Instant { seconds, nanoseconds })
    }
}
