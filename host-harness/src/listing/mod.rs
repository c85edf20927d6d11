//! What people get to read: a connector's guide, what it is and may do, what a validation found, why a run failed.
//!
//! Rendering only: nothing is fetched, decided or printed here, and every rendering ends with a line feed. All texts come from a
//! component and are untrusted. They are bounded, and what a terminal or a Markdown reader would act on is disarmed.

mod markdown;
mod words;

pub mod guide;
pub mod inspect;
pub mod limits;
pub mod report;

#[cfg(test)]
mod testing;
