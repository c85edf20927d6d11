//! What people get to read: a connector's guide, what it is and may do, what a validation, a conformance check or a
//! comparison found, why a run failed.
//!
//! Rendering only: nothing is fetched, decided or printed here, and every rendering ends with a line feed. All texts come from a
//! component and are untrusted. They are bounded, and what a terminal or a Markdown reader would act on is disarmed.

mod markdown;
mod words;

pub(crate) mod parts;

pub mod guide;
pub mod inspect;
pub mod limits;
pub mod report;
pub mod upgrade;
pub mod verdict;

#[cfg(test)]
pub(crate) mod testing;

pub(crate) use inspect::size;
pub(crate) use markdown::{code, is_address, is_misleading};
pub(crate) use words::{LONGEST_NAME, LONGEST_TEXT, pace, shown};
