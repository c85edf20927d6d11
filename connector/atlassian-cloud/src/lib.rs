//! The Atlassian Cloud connector: a pure core behind a thin binding.
//!
//! The core takes settings and answers, and gives requests and records. It has no I/O, clock, environment or
//! randomness, so the same answers give the same result anywhere. Settings become a checked [`config::Config`] once;
//! [`endpoint`] builds requests and reads answers; [`refusal`] reads the answers that are no success; [`flow`] puts
//! them in order, as small state machines that one loop drives through [`host::Host`]; [`listing`] is what the
//! connector tells about itself. `guest` converts all this to the contract of the component.
//!
//! The modules stand in reading order: each uses only those above it.

pub mod percent;
pub mod text;

pub mod cursor;
pub mod model;

pub mod failure;
pub mod report;

pub mod host;

pub mod time;

pub mod config;
pub mod descriptor;

pub mod json;

pub mod error_body;
pub mod product_names;

pub mod endpoint;

pub mod refusal;

pub mod flow;
pub mod listing;

mod guest;

#[cfg(test)]
mod testing;
