//! Whether a connector does what the contract asks of it, and what an upgrade from one build to
//! another changes.

pub mod check;
pub mod diff;
