//! The summary of a list of members: counts, and the number of people per product.
//!
//! A person is a member of kind `person`, or without a kind. Apps, customers and other kinds are
//! counted separately from people. A person who uses a product on two sites counts once. A missing
//! last activity is unknown, which may also mean never. The memory does not grow with the
//! organization.

use std::collections::HashMap;
use std::fmt::Write;

use crate::show::terminal::{Look, Style, fitted, padding, width};
use smp_host::contract::{Affiliation, Instant, Member, MemberKind, MemberStatus, Product};
use smp_host::files::row;
use smp_host::instant::{is_within_days, is_writable};
use smp_host::text;
use smp_host::text::grouped;

/// Most product names that are counted separately; people who use any other are counted together.
/// The vendor of the first connector has some twenty products, so a thousand is enough for every
/// real service, and takes less than half a megabyte.
pub(crate) const MOST_PRODUCTS: usize = 1_000;
/// Characters by which product names are distinguished. Longer names do not fit on a line anyway.
pub(crate) const LONGEST_NAME: usize = 100;
/// Days within which a person counts as active.
pub(crate) const ACTIVE_DAYS: i64 = 30;
/// What a sum of people over products is not.
const NO_BILL: &str =
    "A sum over products is no bill: a service may bill a person once for several.";
/// Most products shown: they fit on a screen with the rest.
const MOST_SHOWN: usize = 15;

/// Counts of members, in one pass.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    now: Instant,
    /// All members.
    pub(crate) members: u64,
    /// People.
    pub(crate) people: u64,
    /// Accounts of applications.
    pub(crate) apps: u64,
    /// Customers of the organization.
    pub(crate) customers: u64,
    /// Accounts that were made for programs.
    pub(crate) service_accounts: u64,
    /// Accounts of any other kind.
    pub(crate) others: u64,
    /// People whose account belongs to somebody else than the organization.
    pub(crate) external: u64,
    /// People seen in the last [`ACTIVE_DAYS`] days.
    pub(crate) active: u64,
    /// People without a known last activity.
    pub(crate) unseen: u64,
    /// People whose account was deactivated.
    pub(crate) inactive: u64,
    /// People whose account was closed.
    pub(crate) closed: u64,
    /// People whose account is suspended.
    pub(crate) suspended: u64,
    /// People who were invited and have not accepted.
    pub(crate) invited: u64,
    /// People whose e-mail address is hidden.
    pub(crate) private: u64,
    /// Members that the service bills for.
    pub(crate) billable: u64,
    /// What billable means, as the connector describes it.
    means: String,
    products: HashMap<String, Users>,
    rest: Users,
}

/// The people who use a product.
#[derive(Clone, Debug, Default)]
struct Users {
    people: u64,
    /// The person counted last, by number: each counts once.
    last: u64,
}

impl Users {
    fn count(&mut self, person: u64) {
        if self.last != person {
            self.last = person;
            self.people += 1;
        }
    }
}

impl Summary {
    /// No members yet, as of this instant.
    #[must_use]
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            now,
            members: 0,
            people: 0,
            apps: 0,
            customers: 0,
            service_accounts: 0,
            others: 0,
            external: 0,
            active: 0,
            unseen: 0,
            inactive: 0,
            closed: 0,
            suspended: 0,
            invited: 0,
            private: 0,
            billable: 0,
            means: String::new(),
            products: HashMap::new(),
            rest: Users::default(),
        }
    }

    /// Says what the connector's descriptor means by billable.
    #[must_use]
    pub(crate) fn billing(self, means: &str) -> Self {
        Self { means: text::shortened(means, LONGEST_NAME).into_owned(), ..self }
    }

    /// Adds a member, whose uses refer to these products.
    pub(crate) fn add(&mut self, member: &Member, products: &[Product]) {
        self.members += 1;
        self.billable += u64::from(member.billable == Some(true));
        match member.kind {
            Some(MemberKind::App) => self.apps += 1,
            Some(MemberKind::Customer) => self.customers += 1,
            Some(MemberKind::ServiceAccount) => self.service_accounts += 1,
            Some(MemberKind::Other(_)) => self.others += 1,
            None | Some(MemberKind::Person) => self.add_person(member, products),
        }
    }

    fn add_person(&mut self, member: &Member, products: &[Product]) {
        self.people += 1;
        match &member.last_seen {
            Some(seen) if is_writable(seen) => {
                self.active += u64::from(is_within_days(seen, &self.now, ACTIVE_DAYS))
            }
            _ => self.unseen += 1,
        }
        match member.status {
            Some(MemberStatus::Inactive) => self.inactive += 1,
            Some(MemberStatus::Closed) => self.closed += 1,
            Some(MemberStatus::Suspended) => self.suspended += 1,
            Some(MemberStatus::Invited) => self.invited += 1,
            Some(MemberStatus::Active | MemberStatus::Other(_)) | None => {}
        }
        self.external += u64::from(member.affiliation == Some(Affiliation::External));
        self.private += u64::from(member.email.is_none());
        for (product, _) in row::uses(member, products) {
            let name = beginning(&product.name);
            let has_room = self.products.len() < MOST_PRODUCTS;
            let users = match self.products.get_mut(name) {
                Some(users) => users,
                None if has_room => self.products.entry(name.to_owned()).or_default(),
                None => &mut self.rest,
            };
            users.count(self.people);
        }
    }

    /// The number of people per product, the highest first and then by name. People of products
    /// beyond [`MOST_PRODUCTS`] come last as one number without a name.
    #[must_use]
    pub(crate) fn products(&self) -> Vec<(Option<&str>, u64)> {
        let mut list: Vec<_> =
            self.products.iter().map(|(name, users)| (Some(name.as_str()), users.people)).collect();
        list.sort_by(|(a_name, a), (b_name, b)| b.cmp(a).then_with(|| a_name.cmp(b_name)));
        if self.rest.people > 0 {
            list.push((None, self.rest.people));
        }
        list
    }

    /// The block below a table. Every line ends with a line feed.
    #[must_use]
    pub(crate) fn render(&self, look: Look) -> String {
        let mut out = String::new();
        self.render_counts(&mut out, look);
        self.render_products(&mut out, look);
        out
    }

    fn render_counts(&self, out: &mut String, look: Look) {
        let (paint, columns) = (look.paint(), look.width.max(Look::NARROWEST));
        let mut kinds = vec![counted(self.people, "person", "people")];
        for (count, one, many) in [
            (self.apps, "app", "apps"),
            (self.customers, "customer", "customers"),
            (self.service_accounts, "service account", "service accounts"),
            (self.others, "other", "others"),
        ] {
            if count > 0 {
                kinds.push(counted(count, one, many));
            }
        }
        let members = counted(self.members, "member", "members");
        let kinds = kinds.join(" · ");
        let kinds = fitted(&kinds, columns.saturating_sub(width(&members) + 3));
        let _ = writeln!(out, " {}  {}", paint.bold(&members), paint.dim(&kinds));
        out.push('\n');
        let share = match self.people {
            0 => String::new(),
            people => format!("{} % of people", percent(self.active, people)),
        };
        let active = format!("active in the last {ACTIVE_DAYS} days");
        let lines = [
            (self.active, active.as_str(), share.as_str(), true),
            (self.unseen, "last seen unknown", "never, or not known to the service", true),
            (self.inactive, "inactive", "deactivated accounts", self.inactive > 0),
            (self.closed, "closed", "accounts closed for good", self.closed > 0),
            (self.suspended, "suspended", "blocked for now", self.suspended > 0),
            (self.invited, "invited", "have not accepted yet", self.invited > 0),
            (self.external, "external", "accounts that others manage", self.external > 0),
            (self.private, "private e-mail", "hidden by their owners", self.private > 0),
            (self.billable, "billable", &self.means, self.billable > 0),
        ];
        let digits =
            lines.iter().map(|(count, ..)| grouped(*count).len()).max().unwrap_or_default();
        let room = columns.saturating_sub(digits + active.len() + 5);
        for (count, label, note, _) in lines.into_iter().filter(|(.., is_shown)| *is_shown) {
            let note = fitted(note, room);
            let gap =
                if note.is_empty() { String::new() } else { padding(label, active.len() + 2) };
            let _ = writeln!(out, " {:>digits$}  {label}{gap}{}", grouped(count), paint.dim(&note));
        }
    }

    fn render_products(&self, out: &mut String, look: Look) {
        let (paint, products) = (look.paint(), self.products());
        let Some(most) = products.iter().map(|(_, people)| *people).max() else { return };
        let _ = writeln!(out, "\n {}", paint.bold("People by product"));
        let name = |name: Option<&str>| {
            name.map_or("other products".to_owned(), |name| text::escaped(name).into_owned())
        };
        let shown: Vec<_> = products
            .iter()
            .take(MOST_SHOWN)
            .map(|(product, people)| (name(*product), *people))
            .collect();
        let columns = look.width.max(Look::NARROWEST);
        let names =
            shown.iter().map(|(name, _)| width(name)).max().unwrap_or_default().min(columns / 3);
        let digits = grouped(most).len();
        let room = columns.saturating_sub(names + digits + 5).min(40);
        for (name, people) in &shown {
            let name = fitted(name, names);
            let bar = "▇".repeat(bar(*people, most, room));
            let _ = writeln!(
                out,
                " {name}{}  {:>digits$}  {}",
                padding(&name, names),
                grouped(*people),
                paint.styled(Style::Cyan, &bar)
            );
        }
        if let Some(hidden) = products.len().checked_sub(MOST_SHOWN).filter(|hidden| *hidden > 0) {
            let _ = writeln!(out, " {}", paint.dim(&format!("and {hidden} more")));
        }
        if products.len() > 1 {
            let _ = writeln!(out, " {}", paint.dim(&fitted(NO_BILL, columns.saturating_sub(2))));
        }
    }
}

/// The first characters of a name, by which it is counted.
fn beginning(name: &str) -> &str {
    name.char_indices().nth(LONGEST_NAME).and_then(|(end, _)| name.get(..end)).unwrap_or(name)
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// A rounded percentage.
fn percent(part: u64, whole: u64) -> u128 {
    let (part, whole) = (u128::from(part), u128::from(whole.max(1)));
    (part * 200 + whole) / (whole * 2)
}

/// The length of a bar: proportional, and at least one for a product with people.
fn bar(people: u64, most: u64, room: usize) -> usize {
    let length = u128::from(people) * room as u128 / u128::from(most.max(1));
    usize::try_from(length).unwrap_or(room).clamp(usize::from(people > 0), room.max(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use smp_host::contract::{MemberPage, ProductUse};
    use smp_host::instant::DAY;
    use smp_host::testing::{SEEN, any_page, member, page, product};

    #[test]
    fn a_page_comes_to_a_block() {
        let mut summary = of(&page()).billing("Bills for a seat");
        summary.add(
            &Member { email: None, status: Some(MemberStatus::Inactive), ..using("c3", &[0]) },
            &page().products,
        );
        assert_eq!(
            summary.render(Look::PLAIN),
            " 3 members  2 people · 1 app\n\
             \n \
             1  active in the last 30 days  50 % of people\n \
             1  last seen unknown           never, or not known to the service\n \
             1  inactive                    deactivated accounts\n \
             1  private e-mail              hidden by their owners\n \
             1  billable                    Bills for a seat\n\
             \n \
             People by product\n \
             Jira        2  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇\n \
             Confluence  1  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇\n \
             A sum over products is no bill: a service may bill a person once for several.\n"
        );
    }

    #[test]
    fn only_persons_and_the_untold_are_people() {
        let mut summary = Summary::new(SEEN);
        for kind in [
            None,
            Some(MemberKind::Person),
            Some(MemberKind::App),
            Some(MemberKind::Customer),
            Some(MemberKind::ServiceAccount),
            Some(MemberKind::Other("robot".into())),
        ] {
            let used = Member { kind, last_seen: Some(SEEN), ..using("x", &[0]) };
            summary.add(&used, &page().products);
        }
        assert_eq!(
            (
                summary.members,
                summary.people,
                summary.apps,
                summary.customers,
                summary.service_accounts,
                summary.others,
                summary.active,
                summary.private
            ),
            (6, 2, 1, 1, 1, 1, 2, 2)
        );
        assert_eq!(summary.products(), [(Some("Jira"), 2)]);
    }

    #[test]
    fn a_person_counts_once_for_a_product_on_two_sites() {
        let products = [
            product("jira", "Jira", Some("a.test")),
            product("jira", "Jira", Some("b.test")),
            product("c", "Compass", None),
        ];
        let mut summary = Summary::new(SEEN);
        summary.add(&using("a", &[0, 2, 1, 0]), &products);
        summary.add(&using("b", &[1]), &products);
        assert_eq!(summary.products(), [(Some("Jira"), 2), (Some("Compass"), 1)]);
    }

    #[test]
    fn activity_ends_thirty_days_back() {
        let mut summary = Summary::new(SEEN);
        for back in [0, 30 * DAY, 30 * DAY + 1, -DAY] {
            summary.add(
                &Member {
                    last_seen: Some(Instant { seconds: SEEN.seconds - back, nanoseconds: 0 }),
                    ..member("x")
                },
                &[],
            );
        }
        assert_eq!((summary.active, summary.unseen), (3, 0));
    }

    #[test]
    fn products_beyond_the_bound_are_counted_together() {
        let products: Vec<_> =
            (0..MOST_PRODUCTS + 2).map(|n| product("k", &format!("Product {n}"), None)).collect();
        let all: Vec<u32> = (0..).take(products.len()).collect();
        let mut summary = Summary::new(SEEN);
        summary.add(&using("a", &all), &products);
        let counts = summary.products();
        assert_eq!((counts.len(), counts.last()), (MOST_PRODUCTS + 1, Some(&(None, 1))));
        let end = format!("\n and {} more\n {NO_BILL}\n", MOST_PRODUCTS + 1 - MOST_SHOWN);
        assert!(summary.render(Look::PLAIN).ends_with(&end));
    }

    #[test]
    fn endless_names_are_told_apart_by_their_beginning() {
        let mut summary = Summary::new(SEEN);
        summary.add(&using("a", &[0]), &[product("k", &"x".repeat(100_000), None)]);
        assert_eq!(summary.products(), [(Some("x".repeat(LONGEST_NAME).as_str()), 1)]);
    }

    #[test]
    fn an_empty_list_is_no_division_by_zero() {
        assert_eq!(
            Summary::new(SEEN).render(Look::PLAIN),
            " 0 members  0 people\n\n 0  active in the last 30 days\n 0  last seen unknown           never, or not known to the service\n"
        );
    }

    #[test]
    fn figures_are_rounded_and_bars_never_vanish() {
        for (part, whole, expected) in
            [(0, 1, 0), (1, 3, 33), (2, 3, 67), (1, 200, 1), (1, 1, 100), (u64::MAX, u64::MAX, 100)]
        {
            assert_eq!(percent(part, whole), expected);
        }
        for (people, most, expected) in
            [(0, 10, 0), (1, 1_000_000, 1), (5, 10, 20), (10, 10, 40), (u64::MAX, u64::MAX, 40)]
        {
            assert_eq!(bar(people, most, 40), expected);
        }
    }

    proptest! {
        #[test]
        fn any_page_is_summed_up_within_the_width(page in any_page(), columns in 40_usize..160) {
            let summary = of(&page);
            prop_assert_eq!(summary.members, summary.people + summary.apps + summary.customers + summary.service_accounts + summary.others);
            for line in summary.render(Look { width: columns, colour: false }).lines() {
                prop_assert!(!line.chars().any(text::is_active), "{:?}", line);
                prop_assert!(width(line) <= columns, "{:?}", line);
            }
        }
    }

    fn of(page: &MemberPage) -> Summary {
        let mut summary = Summary::new(SEEN);
        page.members.iter().for_each(|member| summary.add(member, &page.products));
        summary
    }

    fn using(id: &str, products: &[u32]) -> Member {
        Member {
            uses: products
                .iter()
                .map(|&product| ProductUse { product, last_active: None })
                .collect(),
            ..member(id)
        }
    }
}
