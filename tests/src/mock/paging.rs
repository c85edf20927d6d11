//! One page of a listing: its items, links and total.
//!
//! Pure: the same listing, position and page faults give the same page. The endpoint renders the
//! items.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::cursor::{Cursors, Position};
use super::organization::API_BASE;
use super::{Fault, Field};

/// A listing with pages.
#[derive(Debug, Clone)]
pub(super) struct Listing<'a> {
    /// Path of the listing, as the links repeat it.
    pub(super) path: &'a str,
    pub(super) cursors: Cursors,
    /// Number of items.
    pub(super) size: u64,
    /// Number of items on a page; at least one.
    pub(super) page_size: u64,
    /// Whether a page is told by its bare cursor, in place of a link.
    pub(super) bare: bool,
    /// The link to a page that does not exist: absent, or `null`.
    pub(super) no_link: Field<()>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// Indices of the items, in order.
    pub(super) items: Vec<u64>,
    pub(super) links: Links,
    /// The stated number of items.
    pub(super) total: Field<u64>,
}

/// Links of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Links {
    #[serde(rename = "self")]
    own: String,
    #[serde(skip_serializing_if = "Field::is_absent")]
    prev: Field<String>,
    #[serde(skip_serializing_if = "Field::is_absent")]
    next: Field<String>,
}

impl Listing<'_> {
    /// The page at the place of a cursor, or the first one without a cursor. `None` if the cursor
    /// is unknown.
    pub(super) fn page(&self, cursor: Option<&str>, faults: &[Fault]) -> Option<Page> {
        let position = match cursor {
            Some(cursor) => self.cursors.read(cursor)?,
            None => Position::default(),
        };
        let shift = faults
            .iter()
            .map(|fault| if let Fault::Shifted { by } = fault { *by } else { 0 })
            .fold(0, i64::saturating_add);
        let shifted = Position { offset: position.offset.saturating_add_signed(shift), ..position };
        let mut page = Page {
            items: self.items(shifted.offset, faults),
            links: Links {
                own: cursor.map_or_else(|| self.first_page(), |cursor| self.link(API_BASE, cursor)),
                prev: self.previous(position),
                next: self.field(None),
            },
            total: Field::Value(self.size),
        };
        let mut next = self.next(shifted, faults);
        let mut origin = API_BASE;
        for fault in faults {
            match fault {
                Fault::NextElsewhere { origin: elsewhere } => origin = elsewhere,
                Fault::SameCursor => next = Some(position),
                // The page after an empty one has an odd generation, so that the empty page does
                // not come again.
                Fault::EmptyPage if position.generation.is_multiple_of(2) => {
                    page.items.clear();
                    next = Some(Position {
                        generation: position.generation.wrapping_add(1),
                        ..position
                    });
                }
                Fault::Total(total) => page.total = total.of(self.size),
                _ => {}
            }
        }
        page.links.next = self.field(next.map(|next| self.link(origin, &self.cursors.write(next))));
        Some(page)
    }

    fn items(&self, offset: u64, faults: &[Fault]) -> Vec<u64> {
        let mut endless = false;
        let mut repeated = None;
        for fault in faults {
            match fault {
                Fault::Duplicate => {
                    repeated = offset.checked_sub(1).filter(|index| *index < self.size)
                }
                Fault::Endless => endless = self.size > 0,
                _ => {}
            }
        }
        let last = offset.saturating_add(self.page_size);
        let page: Vec<u64> = if endless {
            (offset..last).map(|index| index % self.size).collect()
        } else {
            (offset..last.min(self.size)).collect()
        };
        repeated.into_iter().chain(page).collect()
    }

    fn next(&self, position: Position, faults: &[Fault]) -> Option<Position> {
        let endless =
            faults.iter().any(|fault| matches!(fault, Fault::Endless | Fault::EndlessEmpty));
        let offset = position.offset.saturating_add(self.page_size);
        (endless || offset < self.size).then_some(Position { offset, generation: 0 })
    }

    fn previous(&self, position: Position) -> Field<String> {
        let offset = position.offset.saturating_sub(self.page_size);
        let previous = (position.offset > 0).then_some(Position { offset, generation: 0 });
        self.field(previous.map(|previous| self.link(API_BASE, &self.cursors.write(previous))))
    }

    fn field(&self, link: Option<String>) -> Field<String> {
        match (link, self.no_link) {
            (Some(link), _) => Field::Value(link),
            (None, Field::Null) => Field::Null,
            (None, _) => Field::Absent,
        }
    }

    fn first_page(&self) -> String {
        format!("{API_BASE}{}", self.path)
    }

    fn link(&self, origin: &str, cursor: &str) -> String {
        if self.bare && origin == API_BASE {
            return cursor.to_owned();
        }
        format!("{origin}{}?cursor={}", self.path, utf8_percent_encode(cursor, NON_ALPHANUMERIC))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Total;
    use super::*;

    fn listing(size: u64) -> Listing<'static> {
        let cursors = Cursors::new(7, "users");
        Listing { path: "/p", cursors, size, page_size: 10, bare: false, no_link: Field::Absent }
    }

    /// The cursor in a page's next link, decoded once.
    fn next_cursor(page: &Page) -> Option<String> {
        let link = page.links.next.value()?;
        let (_, cursor) = link.split_once("?cursor=")?;
        Some(percent_encoding::percent_decode_str(cursor).decode_utf8().unwrap().into_owned())
    }

    /// All pages, following the links, at most twenty.
    fn sweep(listing: &Listing<'_>, faults: &[Fault]) -> Vec<Page> {
        let mut pages = vec![listing.page(None, faults).unwrap()];
        while let Some(cursor) = pages.last().and_then(next_cursor) {
            if pages.len() == 20 {
                break;
            }
            pages.push(listing.page(Some(&cursor), faults).unwrap());
        }
        pages
    }

    fn items(pages: &[Page]) -> Vec<u64> {
        pages.iter().flat_map(|page| page.items.iter().copied()).collect()
    }

    #[test]
    fn following_the_links_gives_every_item_once_in_order() {
        for size in [0, 1, 9, 10, 11, 20, 95] {
            let pages = sweep(&listing(size), &[]);
            assert_eq!(items(&pages), (0..size).collect::<Vec<_>>());
            assert_eq!(pages.len() as u64, size.div_ceil(10).max(1));
            assert!(pages.iter().all(|page| page.total == Field::Value(size)));
        }
    }

    #[test]
    fn links_are_full_and_percent_encoded() {
        let pages = sweep(&listing(30), &[]);
        let links = &pages[1].links;
        assert!(links.own.starts_with("https://api.atlassian.com/p?cursor=%2B%2F"), "{links:?}");
        assert!(links.next.value().unwrap().ends_with("%3D%3D"), "{links:?}");
        assert!(links.prev.value().is_some());
        assert_eq!(pages[0].links.own, "https://api.atlassian.com/p");
        assert_eq!(pages[0].links.prev, Field::Absent);
        assert_eq!(pages[2].links.next, Field::Absent);
    }

    #[test]
    fn the_end_may_be_null() {
        let page = Listing { no_link: Field::Null, ..listing(3) }.page(None, &[]).unwrap();
        assert_eq!((page.links.prev, page.links.next), (Field::Null, Field::Null));
    }

    #[test]
    fn an_unknown_cursor_leads_nowhere() {
        assert_eq!(listing(30).page(Some("10"), &[]), None);
    }

    #[test]
    fn an_empty_page_loses_nothing() {
        let pages = sweep(&listing(25), &[Fault::EmptyPage]);
        assert_eq!(items(&pages), (0..25).collect::<Vec<_>>());
        assert_eq!(
            pages.iter().map(|page| page.items.len()).collect::<Vec<_>>(),
            [0, 10, 0, 10, 0, 5]
        );
    }

    #[test]
    fn the_same_cursor_comes_again() {
        let listing = listing(25);
        let first = next_cursor(&listing.page(None, &[Fault::SameCursor]).unwrap()).unwrap();
        let second =
            next_cursor(&listing.page(Some(&first), &[Fault::SameCursor]).unwrap()).unwrap();
        assert_eq!(first, second);
    }

    #[test]
    fn endless_pages_never_end_and_never_repeat_a_cursor() {
        for (fault, beyond) in [(Fault::Endless, 10), (Fault::EndlessEmpty, 0)] {
            let pages = sweep(&listing(25), &[fault]);
            assert_eq!(pages.len(), 20);
            assert_eq!(pages[19].items.len(), beyond);
            let cursors: std::collections::HashSet<_> = pages.iter().map(next_cursor).collect();
            assert_eq!(cursors.len(), 20);
        }
    }

    #[test]
    fn duplicated_and_shifted_pages_repeat_and_lose_items() {
        assert_eq!(
            items(&sweep(&listing(12), &[Fault::Duplicate])),
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11]
        );
        assert_eq!(
            items(&sweep(&listing(13), &[Fault::Shifted { by: 1 }])),
            [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]
        );
        assert_eq!(
            items(&sweep(&listing(12), &[Fault::Shifted { by: -2 }])),
            [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11]
        );
    }

    #[test]
    fn totals_and_hosts_are_what_the_fault_says() {
        let page = |fault| listing(12).page(None, &[fault]).unwrap();
        assert_eq!(page(Fault::Total(Total::Off(-20))).total, Field::Value(0));
        assert_eq!(page(Fault::Total(Total::Absent)).total, Field::Absent);
        let elsewhere = page(Fault::NextElsewhere { origin: "https://x.invalid".into() });
        assert!(elsewhere.links.next.value().unwrap().starts_with("https://x.invalid/p?cursor="));
    }
}
