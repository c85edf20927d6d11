//! The made-up organization: its members and domains.
//!
//! Members are not stored. The member at an index is computed from the seed and the index, so an
//! organization of millions costs nothing, and the same seed gives the same member on every
//! machine. Members can keep to the published API file, or go beyond it as the real service does.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::names::{APPS, AWKWARD, SCRIPTS, Script};
use super::products::SITES;
use super::{Field, Member, MemberLinks, Moment, ProductAccess};

/// The public address of the API. Every link in an answer begins with it, whatever address the mock
/// has.
pub const API_BASE: &str = "https://api.atlassian.com";

/// A made-up organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// The seed of everything.
    pub seed: u64,
    /// Number of members.
    pub size: u64,
    /// The instant from which activity is counted back, in seconds since 1970.
    pub now: i64,
    /// Whether members keep to the published API file: no `null`, no unlisted key or status, no
    /// bare date.
    pub published_only: bool,
}

const DAY: i64 = 86_400;

/// The domains of the addresses. The first ones are verified.
const MAIL_DOMAINS: &[&str] =
    &["example.com", "example.org", "brightloom.example", "example.com", "example.com"];

impl Organization {
    /// The member at an index, counted from 0. Any index gives a member; those below `size` are in
    /// the organization.
    pub fn member(&self, index: u64) -> Member {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(index);
        let account_type = self.account_type(index);
        let (name, letters) = self.name_of(index, account_type, &mut random);
        let account_id = self.account_id(index, &mut random);
        let account_status = self.account_status(index, &mut random);
        let email = self.email(index, account_type, &letters, &mut random);
        let last_active = self.activity(index, &mut random);
        let product_access = self.product_access(index, &last_active, &mut random);
        let nickname = match random.random_range(0..10) {
            0..=5 => Field::Value(letters.split('.').next().unwrap_or_default().to_owned()),
            6 => Field::Null,
            _ => Field::Absent,
        };
        let access_billable = match random.random_range(0..20) {
            0 => Field::Null,
            1 => Field::Absent,
            draw => Field::Value(account_type == "atlassian" && draw > 3),
        };
        Member {
            account_type,
            account_status,
            name,
            picture: format!("https://avatar.invalid/{account_id}/128"),
            nickname: self.field(nickname),
            email: self.field(email),
            access_billable: self.field(access_billable),
            last_active: self.field(last_active),
            product_access: self.field(product_access),
            links: MemberLinks { own: format!("{API_BASE}/users/{account_id}/manage/profile") },
            account_id,
        }
    }

    /// The members in the order in which the API lists them.
    pub fn members(&self) -> impl Iterator<Item = Member> + '_ {
        (0..self.size).map(|index| self.member(index))
    }

    fn field<T>(&self, field: Field<T>) -> Field<T> {
        if self.published_only { field.published() } else { field }
    }

    /// Whether the member at this index has the trait `salt`, which one in `period` has: among any
    /// `period` consecutive members there is exactly one, so that small organizations have the rare
    /// cases too.
    fn has_trait(&self, index: u64, period: u64, salt: u64) -> bool {
        let shift = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(salt) >> 7;
        (index % period + shift % period).is_multiple_of(period)
    }

    fn account_type(&self, index: u64) -> &'static str {
        if self.has_trait(index, 23, 11) {
            "app"
        } else if self.has_trait(index, 29, 5_003) {
            "customer"
        } else {
            "atlassian"
        }
    }

    fn account_status(&self, index: u64, random: &mut impl Rng) -> &'static str {
        if self.has_trait(index, 61, 7_019) && !self.published_only {
            return "suspended-by-policy";
        }
        if self.has_trait(index, 19, 907) {
            return "inactive";
        }
        match random.random_range(0..100) {
            0..=3 => "inactive",
            4 | 5 => "closed",
            _ => "active",
        }
    }

    /// The name and the plain letters for the address.
    fn name_of(&self, index: u64, account_type: &str, random: &mut impl Rng) -> (String, String) {
        // Every third of the first members has an awkward name, so that people see usual ones in
        // between.
        let awkward = usize::try_from(index / 3)
            .ok()
            .filter(|_| index % 3 == 2)
            .and_then(|place| AWKWARD.get(place));
        if let Some((name, letters)) = awkward {
            return ((*name).to_owned(), (*letters).to_owned());
        }
        if account_type == "app" {
            let (name, letters) = pick(APPS, random);
            return (name.to_owned(), letters.to_owned());
        }
        if self.has_trait(index, 211, 3_001) {
            let (name, letters) = pick(AWKWARD, random);
            return (name.to_owned(), letters.to_owned());
        }
        let script = match random.random_range(0..100) {
            0..60 => SCRIPTS.first(),
            60..75 => SCRIPTS.get(1),
            _ => SCRIPTS.get(random.random_range(0..SCRIPTS.len())),
        };
        script.map_or_else(Default::default, |script| name_in(script, random))
    }

    /// Identifiers in the two forms of accounts. The last twelve digits contain the index, so each
    /// is unique.
    fn account_id(&self, index: u64, random: &mut impl Rng) -> String {
        let high: u64 = random.next_u64();
        let tail =
            (index ^ (self.seed.wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 17)) & 0xFFFF_FFFF_FFFF;
        if self.has_trait(index, 7, 401) {
            return format!("5{:011x}{tail:012x}", high >> 20);
        }
        let realm = if high & 3 == 0 { "557058" } else { "712020" };
        format!(
            "{realm}:{:08x}-{:04x}-4{:03x}-a{:03x}-{tail:012x}",
            high >> 32,
            (high >> 16) & 0xFFFF,
            (high >> 4) & 0xFFF,
            high & 0xFFF
        )
    }

    fn email(
        &self,
        index: u64,
        account_type: &str,
        letters: &str,
        random: &mut impl Rng,
    ) -> Field<String> {
        if account_type == "app" && random.random_range(0..3) > 0 || self.has_trait(index, 13, 77) {
            return Field::Absent;
        }
        if self.has_trait(index, 17, 1_301) {
            return Field::Null;
        }
        let domain = match account_type {
            "customer" => "customers.example",
            _ => MAIL_DOMAINS
                .get(random.random_range(0..MAIL_DOMAINS.len()))
                .copied()
                .unwrap_or("example.com"),
        };
        Field::Value(format!("{letters}.{index}@{domain}"))
    }

    fn activity(&self, index: u64, random: &mut impl Rng) -> Field<Moment> {
        if self.has_trait(index, 11, 2_203) {
            return Field::Null;
        }
        match random.random_range(0..100) {
            0..=11 => Field::Absent,
            12..=74 => Field::Value(self.moment(30, random)),
            _ => Field::Value(self.moment(500, random)),
        }
    }

    fn product_access(
        &self,
        index: u64,
        account: &Field<Moment>,
        random: &mut impl Rng,
    ) -> Field<Vec<ProductAccess>> {
        if self.has_trait(index, 31, 4_409) {
            return Field::Absent;
        }
        if self.has_trait(index, 37, 6_007) {
            return Field::Null;
        }
        let span = if account.value().is_some() { 60 } else { 500 };
        let sites =
            SITES.iter().enumerate().filter(|(_, site)| site.published || !self.published_only);
        let mut uses = Vec::with_capacity(4);
        for (position, site) in sites {
            // Any 41 members include one for each site, so that every site occurs early.
            let drawn = random.random_range(0..100) < site.share;
            if drawn || self.has_trait(index, 41, 10_000 + position as u64 * 128) {
                let last_active = match random.random_range(0..12) {
                    0 => Field::Null,
                    1 => Field::Absent,
                    _ => Field::Value(self.moment(span, random)),
                };
                uses.push(ProductAccess {
                    key: site.key,
                    name: site.name,
                    url: self.field(site.url),
                    last_active: self.field(last_active),
                });
            }
        }
        Field::Value(uses)
    }

    fn moment(&self, days: i64, random: &mut impl Rng) -> Moment {
        let seconds = self.now - random.random_range(0..days * DAY);
        Moment::in_some_form(seconds, random, self.published_only)
    }
}

fn name_in(script: &Script, random: &mut impl Rng) -> (String, String) {
    let (given, given_letters) = pick(script.given, random);
    let (family, family_letters) = pick(script.family, random);
    let (first, last) = if script.family_first { (family, given) } else { (given, family) };
    (format!("{first}{}{last}", script.separator), format!("{given_letters}.{family_letters}"))
}

fn pick(
    table: &'static [(&'static str, &'static str)],
    random: &mut impl Rng,
) -> (&'static str, &'static str) {
    table.get(random.random_range(0..table.len().max(1))).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn organization(size: u64, seed: u64) -> Organization {
        let name = "Brightloom".to_owned();
        Organization { id: "o".into(), name, seed, size, now: 1_763_640_000, published_only: false }
    }

    #[test]
    fn a_member_depends_on_the_seed_and_the_index_alone() {
        let small = organization(10, 7);
        let large = organization(1_000_000, 7);
        assert_eq!(small.member(9), large.member(9));
        assert_ne!(small.member(9), organization(10, 8).member(9));
        assert_eq!(large.member(999_999), large.member(999_999));
    }

    #[test]
    fn no_two_members_share_an_identifier_or_an_address() {
        let organization = organization(20_000, 3);
        let ids: HashSet<String> = organization.members().map(|member| member.account_id).collect();
        assert_eq!(ids.len(), 20_000);
        let emails: Vec<String> =
            organization.members().filter_map(|member| member.email().map(str::to_owned)).collect();
        assert_eq!(emails.iter().collect::<HashSet<_>>().len(), emails.len());
    }

    #[test]
    fn a_hundred_members_hold_every_odd_case_whatever_the_seed() {
        for seed in [0, 1, 7, 42, u64::MAX] {
            let members: Vec<Member> = organization(100, seed).members().collect();
            let some = |what: &str, odd: fn(&Member) -> bool| {
                assert!(members.iter().any(odd), "{what}, seed {seed}")
            };
            some("an app", |member| member.account_type == "app");
            some("a customer", |member| member.account_type == "customer");
            some("an inactive one", |member| member.account_status == "inactive");
            some("an unknown status", |member| member.account_status == "suspended-by-policy");
            some("no e-mail", |member| member.email == Field::Absent);
            some("e-mail null", |member| member.email == Field::Null);
            some("activity null", |member| member.last_active == Field::Null);
            some("no products", |member| member.product_access == Field::Absent);
            some("products null", |member| member.product_access == Field::Null);
            some("a formula", |member| member.name.starts_with('='));
            some("an unlisted product", |member| {
                member.products().iter().any(|product| product.key == "loom")
            });
            some("a product without a URL", |member| {
                member.products().iter().any(|product| product.site().is_none())
            });
            some("a URL without a scheme", |member| {
                member
                    .products()
                    .iter()
                    .any(|product| product.url.value().is_some_and(|url| !url.contains("://")))
            });
            some("one product on two sites", |member| {
                let jira =
                    member.products().iter().filter(|product| product.key == "jira-software");
                jira.count() == 2
            });
        }
    }

    #[test]
    fn the_first_sixty_members_have_every_awkward_name() {
        for seed in 0..20 {
            let names: HashSet<String> =
                organization(60, seed).members().map(|member| member.name).collect();
            assert!(AWKWARD.iter().all(|(name, _)| names.contains(*name)), "seed {seed}");
        }
    }

    #[test]
    fn what_is_published_only_has_neither_null_nor_unlisted_words() {
        let mut organization = organization(500, 7);
        organization.published_only = true;
        let text = serde_json::to_string(&organization.members().collect::<Vec<_>>()).unwrap();
        for word in [":null", "suspended-by-policy", "\"loom\"", "tomorrow-preview"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
