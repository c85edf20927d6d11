//! Makes the people of a page of what was read of it.
//!
//! A product site is known by its id alone there, and gets its name and address here. Someone who is
//! in several directories is there several times, and is one member: what the entries say of
//! products is put together, and where they differ on whether the account can be used, it can if one
//! says so.

use std::collections::BTreeMap;

use smp_connector_kit::{Member, MemberStatus, Product, ProductUse, products};

use crate::endpoint::users::members::Members;
use crate::sites::{Named, Sites};

/// The people of a page, each once, with the product sites that they use, each once.
pub fn people(read: Members, known: &Sites) -> (Vec<Product>, Vec<Member>) {
    let (products, places) = named(read.products, known);
    let mut people: Vec<Member> = Vec::with_capacity(read.members.len());
    let mut known_by = BTreeMap::new();
    for mut member in read.members {
        let uses = std::mem::take(&mut member.uses);
        let next = people.len();
        let place = *known_by.entry(member.id.clone()).or_insert(next);
        match people.get_mut(place) {
            Some(earlier) => put_together(earlier, member),
            None => people.push(member),
        }
        let Some(member) = people.get_mut(place) else { continue };
        for used in uses {
            let Some(product) = places.get(used.product as usize).copied() else { continue };
            add_use(&mut member.uses, ProductUse { product, ..used });
        }
        let used = member.uses.iter().filter_map(|used| products.get(used.product as usize));
        member.role = products::role(used.map(|product| product.name.as_str()));
    }
    (products, people)
}

/// The products with the names and addresses of their sites, and the place there of each of those
/// that were read.
fn named(read: Vec<Product>, known: &Sites) -> (Vec<Product>, Vec<u32>) {
    let (mut products, mut places) = (Vec::with_capacity(read.len()), Vec::new());
    for product in read {
        let id = product.site.as_deref().unwrap_or_default();
        let named = known.named(&product.key, id).map(|Named { key, name, site }| Product {
            key: key.to_owned(),
            name: name.to_owned(),
            site: site.map(str::to_owned),
        });
        let product = named.unwrap_or(product);
        let place = products.iter().position(|other| *other == product).unwrap_or(products.len());
        if place == products.len() {
            products.push(product);
        }
        // A page with more products than a `u32` counts would not fit into any memory.
        places.push(place as u32);
    }
    (products, places)
}

fn add_use(uses: &mut Vec<ProductUse>, next: ProductUse) {
    match uses.iter_mut().find(|used| used.product == next.product) {
        Some(earlier) => earlier.last_active = earlier.last_active.max(next.last_active),
        None => uses.push(next),
    }
}

/// Adds what another entry of the same account tells.
fn put_together(member: &mut Member, other: Member) {
    let is_closed = member.status == Some(MemberStatus::Closed);
    let is_better = matches!(other.status, Some(MemberStatus::Active | MemberStatus::Closed));
    if member.status.is_none() || is_better && !is_closed {
        member.status = other.status;
    }
    if member.name.is_empty() {
        member.name = other.name;
    }
    member.email = member.email.take().or(other.email);
    member.nickname = member.nickname.take().or(other.nickname);
    member.kind = member.kind.take().or(other.kind);
    member.affiliation = member.affiliation.take().or(other.affiliation);
    member.last_seen = member.last_seen.max(other.last_seen);
}
