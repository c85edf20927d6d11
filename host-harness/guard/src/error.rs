//! Why a page, a record or a list is not taken.

use crate::bounds::{Bound, Bounds};

/// Why something is not taken, by what the host does next. A host words each of them for people, so
/// an addition breaks it on purpose. No text of a member is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Report the connector: it broke the contract.
    #[error("the connector broke its contract: {0}")]
    Contract(String),
    /// Raise the bound, if the connector is trusted.
    #[error("{what}: the limit `{bound}` is {most}")]
    Limit {
        /// The bound.
        bound: Bound,
        /// What it is set to.
        most: u64,
        /// What reached it, as the beginning of a sentence.
        what: String,
    },
    /// Come back later, or report the connector: the pages do not end.
    #[error("{0}")]
    Endless(String),
    /// Come back later: the list is shorter than the service says it is.
    #[error("the list ended after {there} of {told} members")]
    Incomplete {
        /// Members that were there.
        there: u64,
        /// Members that the service told of.
        told: u64,
    },
}

impl Bounds {
    /// The error of a run that reached a bound. `what` says what the component did, as the
    /// beginning of a sentence.
    pub(crate) fn reached(&self, bound: Bound, what: impl Into<String>) -> Error {
        Error::Limit { bound, most: self.most(bound), what: what.into() }
    }
}
