//! Why the guard refuses a page, a record or a list.

use crate::bounds::{Bound, Bounds};

/// Why something is refused, by what the host does next. Each host has its own wording for people,
/// so a new variant is a breaking change on purpose. It holds no text of a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Report the connector: it broke the contract.
    #[error("the connector broke its contract: {0}")]
    Contract(String),
    /// Raise the bound if you trust the connector.
    #[error("{what}: the limit `{bound}` is {most}")]
    Limit {
        /// The bound.
        bound: Bound,
        /// Its value.
        most: u64,
        /// What reached it, as the beginning of a sentence.
        what: String,
    },
    /// Come back later, or report the connector: the pages do not end.
    #[error("{0}")]
    Endless(String),
    /// Come back later: the list is shorter than the total that the service states.
    #[error("the list ended after {there} of {told} {records}")]
    Incomplete {
        /// Records on the list.
        there: u64,
        /// Total that the service states.
        told: u64,
        /// What the records are called.
        records: &'static str,
    },
}

impl Bounds {
    /// The error of a run that reached a bound. `what` names what the component did, as the start
    /// of a sentence.
    pub(crate) fn reached(&self, bound: Bound, what: impl Into<String>) -> Error {
        Error::Limit { bound, most: self.most(bound), what: what.into() }
    }
}
