//! A managed account as the API shows it, and what a reader should find in it.
//!
//! The fields have the API's own text. The methods give their meaning, computed independently of
//! the connector, so that a test can compare the two.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Field, Instant, Moment};

/// A managed account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Identifier of the account, unique among members.
    pub account_id: String,
    /// `atlassian`, `customer` or `app`.
    pub account_type: &'static str,
    /// `active`, `inactive`, `closed`, or sometimes a word that the published list lacks.
    pub account_status: &'static str,
    /// Name as shown; may be empty.
    pub name: String,
    /// Picture, on a host that does not exist.
    pub picture: String,
    /// Short name.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub nickname: Field<String>,
    /// E-mail address, at an example domain; absent if its owner hides it.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub email: Field<String>,
    /// Whether the account is billed.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub access_billable: Field<bool>,
    /// Last activity of the account.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub last_active: Field<Moment>,
    /// Product sites in use.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub product_access: Field<Vec<ProductAccess>>,
    /// Link to the account.
    pub links: MemberLinks,
}

/// A member's use of a product on a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProductAccess {
    /// Key of the product.
    pub key: &'static str,
    /// Name of the product.
    pub name: &'static str,
    /// Address of the site.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub url: Field<&'static str>,
    /// Last activity there.
    #[serde(skip_serializing_if = "Field::is_absent")]
    pub last_active: Field<Moment>,
}

/// Links of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberLinks {
    /// The account's own address.
    #[serde(rename = "self")]
    pub own: String,
}

impl Member {
    /// The e-mail address, unless it is hidden.
    pub fn email(&self) -> Option<&str> {
        self.email.value().map(String::as_str)
    }

    /// The product sites in use. Empty if the API does not state them.
    pub fn products(&self) -> &[ProductAccess] {
        self.product_access.value().map_or(&[], Vec::as_slice)
    }

    /// The distinct product names, sorted by their code points, joined by a comma and a space.
    pub fn role(&self) -> String {
        let names: BTreeSet<&str> = self.products().iter().map(|product| product.name).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }

    /// The latest activity of the account and its products. `None` if unknown.
    pub fn last_seen(&self) -> Option<Instant> {
        let products = self.products().iter().filter_map(|product| product.last_active.value());
        self.last_active.value().into_iter().chain(products).map(|moment| moment.instant).max()
    }

    /// Whether the account stands for a person of the organization.
    pub fn is_person(&self) -> bool {
        self.account_type == "atlassian"
    }
}

impl ProductAccess {
    /// The site: the URL without scheme and trailing slash.
    pub fn site(&self) -> Option<&str> {
        self.url.value().map(|url| bare(url))
    }
}

/// An address without scheme and trailing slash.
pub(super) fn bare(url: &str) -> &str {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    bare.strip_suffix('/').unwrap_or(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(
        name: &'static str,
        url: Field<&'static str>,
        last_active: Field<Moment>,
    ) -> ProductAccess {
        ProductAccess { key: "k", name, url, last_active }
    }

    fn member(last_active: Field<Moment>, products: Vec<ProductAccess>) -> Member {
        Member {
            account_id: "1".into(),
            account_type: "atlassian",
            account_status: "active",
            name: "N".into(),
            picture: "p".into(),
            nickname: Field::Absent,
            email: Field::Null,
            access_billable: Field::Absent,
            last_active,
            product_access: Field::Value(products),
            links: MemberLinks { own: "l".into() },
        }
    }

    #[test]
    fn the_role_names_each_product_once_in_order() {
        let twice = vec![
            access("Jira", Field::Absent, Field::Absent),
            access("Confluence", Field::Absent, Field::Absent),
            access("Jira", Field::Absent, Field::Absent),
        ];
        assert_eq!(member(Field::Absent, twice).role(), "Confluence, Jira");
    }

    #[test]
    fn last_seen_is_the_newest_of_account_and_products() {
        let at = |seconds| Field::Value(Moment::date_time(seconds, 0, 0, 0));
        let seen = |account, product| {
            member(account, vec![access("Jira", Field::Absent, product)])
                .last_seen()
                .map(|instant| instant.seconds)
        };
        assert_eq!(seen(at(1), at(2)), Some(2));
        assert_eq!(seen(at(3), at(2)), Some(3));
        assert_eq!(seen(Field::Null, at(2)), Some(2));
        assert_eq!(seen(Field::Null, Field::Absent), None);
    }

    #[test]
    fn a_site_has_neither_scheme_nor_trailing_slash() {
        let site = |url| access("Jira", url, Field::Absent).site().map(str::to_owned);
        assert_eq!(site(Field::Value("https://a.test/")).as_deref(), Some("a.test"));
        assert_eq!(site(Field::Value("a.test/wiki")).as_deref(), Some("a.test/wiki"));
        assert_eq!(site(Field::Null), None);
    }

    #[test]
    fn an_absent_field_is_left_out_and_null_is_written() {
        let text = serde_json::to_string(&member(Field::Absent, Vec::new())).unwrap();
        assert!(text.contains(r#""email":null"#), "{text}");
        assert!(!text.contains("nickname"), "{text}");
    }
}
