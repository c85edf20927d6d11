//! Bounds on what a component may hand over. The host sets them; this crate has no defaults.

use std::fmt;

/// Longest cursor in bytes, as the contract defines it.
pub const LONGEST_CURSOR: usize = 8192;

/// The bounds of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Longest text that a person reads as one piece, in bytes: a text of a descriptor, a check or
    /// a message.
    pub text: usize,
    /// Longest text of a member or a product, in bytes. A role may be sixteen times as long.
    pub member_text: usize,
    /// Entries of a list that a person reads, and attributes of a member.
    pub entries: usize,
    /// Members on a page, products on a page, and products that one member uses.
    pub page_members: usize,
    /// Pages of one collection.
    pub pages: u64,
    /// Members of one collection. The guard remembers each of them.
    pub members: u64,
    /// Consecutive pages without a new member.
    pub pages_without_news: u64,
}

/// One of the [`Bounds`]. Each host has its own wording for each of them, so a new variant is a
/// breaking change on purpose.
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

    /// The name that operators use for it.
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
    /// The value of a bound.
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
