//! How much a component may hand over. A host sets the bounds; their defaults and reasons are its
//! own.

use std::fmt;

/// Longest cursor, in bytes, as the contract has it.
pub const LONGEST_CURSOR: usize = 8192;

/// The bounds of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Longest text that a person reads at once, in bytes: of a descriptor, a check, a message.
    pub text: usize,
    /// Longest text of a member or a product, in bytes. A role may have sixteen times as much.
    pub member_text: usize,
    /// Entries of a list that a person looks through, and attributes of a member.
    pub entries: usize,
    /// Members, products, and uses of products of one member, on a page.
    pub page_members: usize,
    /// Pages of one collection.
    pub pages: u64,
    /// Members of one collection. The guard remembers each of them.
    pub members: u64,
    /// Pages in a row that bring no new member.
    pub pages_without_news: u64,
}

/// A bound, by what it bounds. A host words each of them, so an addition breaks it on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// See [`Bounds::text`].
    Text,
    /// See [`Bounds::member_text`].
    MemberText,
    /// See [`Bounds::entries`].
    Entries,
    /// See [`Bounds::page_members`].
    PageMembers,
    /// See [`Bounds::pages`].
    Pages,
    /// See [`Bounds::members`].
    Members,
}

impl Bound {
    /// All bounds that an [`Error::Limit`](crate::Error::Limit) may name.
    pub const ALL: [Self; 6] = [
        Self::Text,
        Self::MemberText,
        Self::Entries,
        Self::PageMembers,
        Self::Pages,
        Self::Members,
    ];

    /// The name that operators know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::MemberText => "member-text",
            Self::Entries => "entries",
            Self::PageMembers => "page-members",
            Self::Pages => "pages",
            Self::Members => "members",
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Bounds {
    /// What a bound is set to.
    #[must_use]
    pub fn most(&self, bound: Bound) -> u64 {
        let length = match bound {
            Bound::Pages => return self.pages,
            Bound::Members => return self.members,
            Bound::Text => self.text,
            Bound::MemberText => self.member_text,
            Bound::Entries => self.entries,
            Bound::PageMembers => self.page_members,
        };
        u64::try_from(length).unwrap_or(u64::MAX)
    }
}
