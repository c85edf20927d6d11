//! From a build to a marketplace and back.

pub mod packaging;
pub mod upgrade;
