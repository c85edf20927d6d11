//! The products of a page, each once, and the roles made from them.

use std::collections::{BTreeMap, BinaryHeap};

use crate::contract::{Product, ProductUse};

/// The products of a page so far, in the order of first appearance.
#[derive(Debug, Default)]
pub struct Products {
    list: Vec<Product>,
    places: BTreeMap<(String, String, Option<String>), u32>,
}

impl Products {
    /// The index of a product on the page; it is added if it is new. The same product on another
    /// site is another product.
    pub fn place(&mut self, key: &str, name: &str, site: Option<&str>) -> u32 {
        let (key, name, site) = (key.to_owned(), name.to_owned(), site.map(str::to_owned));
        // A page with more products than a `u32` can count would not fit into memory.
        let next = self.list.len() as u32;
        *self.places.entry((key, name, site)).or_insert_with_key(|(key, name, site)| {
            let (key, name, site) = (key.clone(), name.clone(), site.clone());
            self.list.push(Product { key, name, site });
            next
        })
    }

    /// The role of a member who uses these products.
    pub fn role(&self, uses: &[ProductUse]) -> String {
        let products = uses.iter().filter_map(|used| self.list.get(used.product as usize));
        role(products.map(|product| product.name.as_str()))
    }

    /// The products, for the page.
    pub fn into_list(self) -> Vec<Product> {
        self.list
    }
}

/// The role as the contract defines it: the distinct names of products, in byte order, joined by `,
/// `.
pub fn role<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names = names.filter(|name| !name.is_empty());
    let mut names = names.collect::<BinaryHeap<&str>>().into_sorted_vec();
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_known_by_its_key_its_name_and_its_site() {
        let mut products = Products::default();
        let rows = [
            ("wiki", "Wiki", None, 0),
            ("board", "Board", None, 1),
            ("wiki", "Wiki", Some("a.test"), 2),
            ("wiki", "Wiki", None, 0),
            ("wiki", "Old Wiki", None, 3),
            ("wiki", "Wiki", Some("a.test"), 2),
        ];
        for (key, name, site, place) in rows {
            assert_eq!(products.place(key, name, site), place, "{key} {name} {site:?}");
        }
        assert_eq!(products.into_list().len(), 4);
    }

    #[test]
    fn a_role_is_the_names_of_the_products_used_each_once_and_sorted() {
        let mut products = Products::default();
        let used = [("w", "Wiki", None), ("b", "Board", None), ("w", "Wiki", Some("a.test"))];
        let uses = used.map(|(key, name, site)| {
            let product = products.place(key, name, site);
            ProductUse { product, last_active: None }
        });
        assert_eq!(products.role(&uses), "Board, Wiki");
        assert_eq!(role(["", "b", "A", "b"].into_iter()), "A, b");
        assert_eq!(role([].into_iter()), "");
    }
}
