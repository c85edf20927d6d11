//! Who holds a seat of a product and does not use it.

use super::snapshot::Snapshot;

/// A product on a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The key of the product.
    pub key: String,
    /// The site, if the product has sites.
    pub site: Option<String>,
}

/// Who uses a product on a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// All.
    pub people: usize,
    /// Those who are idle there and billed for.
    pub idle: usize,
    /// Those who are idle there, and of whom it is not told whether they are billed for.
    pub untold: usize,
}

impl Snapshot {
    /// Counts who uses each of these, in one pass. Idle is who was active there, and not since this
    /// instant: who is active elsewhere keeps a seat here all the same.
    #[must_use]
    pub fn seats(&self, seats: &[Seat], idle_at: i64) -> Vec<Seats> {
        let places: Vec<Option<usize>> = self
            .products
            .all
            .iter()
            .map(|(key, _, site)| seats.iter().position(|it| it.key == *key && it.site == *site))
            .collect();
        let mut counts = vec![Seats::default(); seats.len()];
        let mut own: Vec<(usize, Option<i64>)> = Vec::new();
        for member in self.members.iter().filter(|member| member.present) {
            own.clear();
            for (used, active) in &member.uses {
                let place = usize::try_from(*used).ok().and_then(|used| places.get(used));
                let Some(place) = place.copied().flatten() else { continue };
                // A product that was renamed is listed twice, and is one seat.
                match own.iter_mut().find(|(one, _)| *one == place) {
                    Some((_, latest)) => *latest = (*latest).max(*active),
                    None => own.push((place, *active)),
                }
            }
            for (place, active) in &own {
                let Some(counts) = counts.get_mut(*place) else { continue };
                counts.people += 1;
                if active.is_some_and(|active| active <= idle_at) {
                    match member.billable {
                        Some(true) => counts.idle += 1,
                        None => counts.untold += 1,
                        Some(false) => {}
                    }
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::snapshot;
    use super::*;

    fn seat(key: &str, site: Option<&str>) -> Seat {
        Seat { key: key.into(), site: site.map(ToOwned::to_owned) }
    }

    #[test]
    fn seats_are_counted_by_product_and_site_and_unknown_is_not_idle() {
        let mut snapshot = snapshot(&[None, None, None, None, None]);
        let place = |snapshot: &mut Snapshot, name: &str, site: Option<&str>| {
            let site = site.map(ToOwned::to_owned);
            snapshot.products.place(("wiki".into(), name.into(), site))
        };
        let a = place(&mut snapshot, "Wiki", Some("a"));
        let renamed = place(&mut snapshot, "Pages", Some("a"));
        let b = place(&mut snapshot, "Wiki", Some("b"));
        let uses = [
            (vec![(a, Some(1)), (renamed, Some(9))], Some(true)),
            (vec![(a, Some(1)), (renamed, None)], Some(true)),
            (vec![(a, Some(1)), (b, Some(1))], None),
            (vec![(a, None)], Some(true)),
            (vec![(b, Some(1))], Some(false)),
        ];
        for (member, (uses, billable)) in snapshot.members.iter_mut().zip(uses) {
            (member.uses, member.billable) = (uses.into(), billable);
        }
        let seats = [seat("wiki", Some("b")), seat("wiki", Some("a")), seat("none", None)];
        let counts = snapshot.seats(&seats, 5);
        assert_eq!(counts[0], Seats { people: 2, idle: 0, untold: 1 });
        assert_eq!(counts[1], Seats { people: 4, idle: 1, untold: 1 });
        assert_eq!(counts[2], Seats::default());
    }
}
