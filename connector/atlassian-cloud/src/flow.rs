//! What the connector does, as state machines without I/O, and the one loop that drives them.
//!
//! A flow is asked for its first [`Step`] and then told one answer after the other; each gives the next step. Every
//! flow bounds the number of its requests itself, so the loop ends.
//!
//! | file | flow | ends with |
//! |---|---|---|
//! | `standing` | is the organization among the key's? | the failure that a 403 stands for |
//! | `connect` | the organization | account or failure |
//! | `collect` | one page of members | page or failure |
//! | `validate` | settings, organization, domains, members | what was found |
//! | `findings` | no flow: the report on what was found | report |

pub mod standing;

pub mod collect;
pub mod connect;

pub mod findings;
pub mod validate;

use crate::host::{Host, HttpError, Request, Response};

/// What a flow does next.
#[derive(Debug)]
pub enum Step<F, T> {
    /// Asks, and goes on as `F` with the answer.
    Ask(Request, F),
    /// Ends.
    Done(T),
}

/// A state machine that is told answers.
pub trait Flow: Sized {
    /// What it ends with.
    type Outcome;

    /// Takes the answer to the request of the last step.
    fn answered(self, answer: Result<Response, HttpError>) -> Step<Self, Self::Outcome>;
}

impl<F, T> Step<F, T> {
    /// Makes the step one of a larger flow.
    pub fn within<G, U>(self, go_on: impl FnOnce(F) -> G, end: impl FnOnce(T) -> U) -> Step<G, U> {
        match self {
            Self::Ask(request, flow) => Step::Ask(request, go_on(flow)),
            Self::Done(outcome) => Step::Done(end(outcome)),
        }
    }
}

/// Drives a flow to its end.
pub fn drive<F: Flow>(host: &mut impl Host, first: Step<F, F::Outcome>) -> F::Outcome {
    let mut step = first;
    loop {
        match step {
            Step::Ask(request, flow) => step = flow.answered(host.send(request)),
            Step::Done(outcome) => return outcome,
        }
    }
}
