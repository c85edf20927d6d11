//! The kinds of faults as a report shows them, and what became of the calls with each.

/// A kind of fault: a column of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// No answer.
    NoAnswer,
    /// A status of 300 to 399.
    Redirect,
    /// A status of 400 to 499.
    Refused,
    /// A status of 500 and more.
    Broken,
    /// A success without a body.
    Empty,
    /// A web page.
    WebPage,
    /// Something else in place of the answer.
    Other,
    /// The answer cut.
    Cut,
    /// Nested very deep.
    Nested,
    /// A field left out, null or of another type.
    Field,
    /// Other bytes than UTF-8.
    Bytes,
    /// The right answer, late or padded.
    Right,
}

/// What became of the calls with faults of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Ended with a failure, or not ready, as they may.
    pub ends: usize,
    /// Ended as without the fault.
    pub same: usize,
    /// Ended with another result, as they may.
    pub differs: usize,
    /// Broke a rule.
    pub breaks: usize,
}

impl FaultKind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::NoAnswer,
        Self::Redirect,
        Self::Refused,
        Self::Broken,
        Self::Empty,
        Self::WebPage,
        Self::Other,
        Self::Cut,
        Self::Nested,
        Self::Field,
        Self::Bytes,
        Self::Right,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoAnswer => "no answer",
            Self::Redirect => "status 3xx",
            Self::Refused => "status 4xx",
            Self::Broken => "status 5xx",
            Self::Empty => "no body",
            Self::WebPage => "web page",
            Self::Other => "other content",
            Self::Cut => "cut",
            Self::Nested => "nested deep",
            Self::Field => "field changed",
            Self::Bytes => "not UTF-8",
            Self::Right => "late or padded",
        }
    }
}

impl Tally {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            ends: self.ends.saturating_add(other.ends),
            same: self.same.saturating_add(other.same),
            differs: self.differs.saturating_add(other.differs),
            breaks: self.breaks.saturating_add(other.breaks),
        }
    }
}
