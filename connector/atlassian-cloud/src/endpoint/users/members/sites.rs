//! The product sites of a page, each once, in the order of first appearance.
//!
//! What makes a site the same is its key, name and bare address, and a tree knows them all. Most
//! entries are written exactly like an earlier one, letter by letter, and those are found without a
//! look into the tree.

use std::collections::BTreeMap;

use smp_connector_kit::json::Text;
use smp_connector_kit::{Product, ProductUse, products};

use crate::accounts::bare;
use crate::product_names;

/// Number of entries that are remembered as they were written: several times what a usual page has
/// of different ones.
const REMEMBERED: usize = 64;

/// The product sites so far.
pub struct Sites<'a> {
    products: Vec<Product>,
    /// For each product, the last member that uses it, as the number of members before, and the
    /// place among its uses.
    last_uses: Vec<(usize, usize)>,
    known: BTreeMap<Site<'a>, u32>,
    /// Entries as they were written, each in the place that its letters choose, with the product
    /// that they are.
    written: [Option<(Written<'a>, u32)>; REMEMBERED],
}

/// What makes a product on a site the same: key, name and site.
type Site<'a> = (Text<'a>, Text<'a>, Option<Text<'a>>);

/// Key, name and address, as they were written.
type Written<'a> = [Option<&'a str>; 3];

impl Default for Sites<'_> {
    fn default() -> Self {
        Self {
            products: Vec::new(),
            last_uses: Vec::new(),
            known: BTreeMap::new(),
            written: [None; REMEMBERED],
        }
    }
}

impl<'a> Sites<'a> {
    /// The product of an entry, as its place among the products; none when nothing says which it
    /// is.
    pub fn product(
        &mut self,
        key: Option<Text<'a>>,
        name: Option<Text<'a>>,
        url: Option<Text<'a>>,
    ) -> Option<u32> {
        let written = [&key, &name, &url].map(|text| text.as_ref().map(Text::borrowed));
        let written = match written {
            [Some(None), ..] | [_, Some(None), _] | [.., Some(None)] => None,
            texts => Some(texts.map(Option::flatten)),
        };
        let place = written.as_ref().map(place);
        let remembered = place.and_then(|place| self.written.get(place)?.as_ref());
        if let (Some(written), Some((same, product))) = (written, remembered)
            && written.iter().zip(same).all(|(one, other)| are_same(*one, *other))
        {
            return Some(*product);
        }
        let product = self.look_up(site(key, name, url)?);
        if let Some(slot) = place.and_then(|place| self.written.get_mut(place)) {
            *slot = written.map(|written| (written, product));
        }
        Some(product)
    }

    /// The product of a site, a new one if there was none.
    fn look_up(&mut self, site: Site<'a>) -> u32 {
        if let Some(product) = self.known.get(&site) {
            return *product;
        }
        // A page with more products than a `u32` counts would not fit into any memory.
        let product = self.products.len() as u32;
        let (key, name, address) = &site;
        self.products.push(Product {
            key: key.as_str().to_owned(),
            name: name.as_str().to_owned(),
            site: address.as_ref().map(|address| address.as_str().to_owned()),
        });
        self.last_uses.push((usize::MAX, 0));
        self.known.insert(site, product);
        product
    }

    /// The place of a product among the uses of a member, if it is there, and notes that it is
    /// there from now on.
    pub fn used_before(&mut self, product: u32, member: usize, next_place: usize) -> Option<usize> {
        let last = self.last_uses.get_mut(product as usize)?;
        if last.0 == member {
            return Some(last.1);
        }
        *last = (member, next_place);
        None
    }

    /// The role of a member with these uses.
    pub fn role(&self, uses: &[ProductUse]) -> String {
        let products = uses.iter().filter_map(|used| self.products.get(used.product as usize));
        products::role(products.map(|product| product.name.as_str()))
    }

    /// The products.
    pub fn into_products(self) -> Vec<Product> {
        self.products
    }
}

/// The product site of an entry; none when nothing says which it is.
fn site<'a>(
    key: Option<Text<'a>>,
    name: Option<Text<'a>>,
    url: Option<Text<'a>>,
) -> Option<Site<'a>> {
    let key = key.unwrap_or("".into());
    let name = name.and_then(Text::filled).unwrap_or_else(|| {
        product_names::name_of(key.as_str()).map_or_else(|| key.clone(), Text::from)
    });
    let site = url.map(|url| url.narrowed(bare)).and_then(Text::filled);
    let is_told = !name.as_str().is_empty() || site.is_some();
    is_told.then_some((key, name, site))
}

/// The place where an entry is remembered: a mixture of the lengths and a few letters. Two that
/// want the same place are looked up in the tree, each time.
fn place(written: &Written<'_>) -> usize {
    let mixed = written.iter().flatten().fold(0_u64, |mixed, text| {
        let text = text.as_bytes();
        // An address differs from another behind `https://`, a key or a name in the beginning.
        let beginning = text.first_chunk().map_or(0, |four| u32::from_le_bytes(*four));
        let middle = text
            .get(8..)
            .and_then(<[u8]>::first_chunk)
            .map_or(0, |eight| u64::from_le_bytes(*eight));
        (mixed ^ u64::from(beginning) ^ middle ^ text.len() as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    (mixed >> 58) as usize
}

/// Whether two texts are the same, eight letters at a time.
fn are_same(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return one.is_none() && other.is_none();
    };
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    while let (Some((eight, more)), Some((others, more_of_other))) =
        (one.split_first_chunk(), other.split_first_chunk())
    {
        if u64::from_le_bytes(*eight) != u64::from_le_bytes(*others) {
            return false;
        }
        (one, other) = (more, more_of_other);
    }
    one.iter().eq(other)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_entry_is_found_again_by_its_letters_and_by_what_they_mean() {
        let mut sites = Sites::default();
        let mut product =
            |key: &'static str, url: &'static str| sites.product(text(key), None, text(url));
        assert_eq!(product("jira", "https://acme.test/"), Some(0));
        assert_eq!(product("jira", "https://acme.test/"), Some(0));
        assert_eq!(product("jira", "acme.test"), Some(0));
        assert_eq!(product("jira", "acme.test/x"), Some(1));
        assert_eq!(product("", ""), None);
    }

    #[test]
    fn texts_are_the_same_when_every_letter_is() {
        let long = "a".repeat(40);
        for at in 0..40 {
            let mut other = long.clone();
            other.replace_range(at..=at, "b");
            assert!(!are_same(Some(&long), Some(&other)), "{at}");
            assert!(are_same(Some(&other), Some(&other.clone())));
            assert!(!are_same(Some(&long), long.get(..at)));
        }
        assert!(are_same(None, None) && !are_same(None, Some("")) && !are_same(Some(""), None));
    }

    proptest! {
        #[test]
        fn entries_are_told_apart_as_by_a_list(entries in prop::collection::vec((word(), word(), word()), 0..300)) {
            let mut sites = Sites::default();
            let mut list: Vec<Site<'_>> = Vec::new();
            for (key, name, url) in &entries {
                let entry = || (key.as_deref().map(borrowed), name.as_deref().map(borrowed), url.as_deref().map(borrowed));
                let (key, name, url) = entry();
                let expected = site(key, name, url).map(|site| {
                    let place = list.iter().position(|known| *known == site);
                    place.unwrap_or_else(|| { list.push(site); list.len() - 1 }) as u32
                });
                let (key, name, url) = entry();
                prop_assert_eq!(sites.product(key, name, url), expected);
            }
            prop_assert_eq!(sites.into_products().len(), list.len());
        }
    }

    fn word() -> impl Strategy<Value = Option<String>> {
        prop::option::of("(https://)?(jira|acme|trello|a{0,20})(\\.atlassian\\.net|-software)?/?")
    }

    fn text(text: &str) -> Option<Text<'_>> {
        Some(borrowed(text))
    }

    fn borrowed(text: &str) -> Text<'_> {
        text.into()
    }
}
