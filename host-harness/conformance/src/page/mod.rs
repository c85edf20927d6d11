//! Reports as pages that stand alone: the verdict of a check with its traffic, and what an upgrade
//! changes. For people; scripts read the JSON.
//!
//! A page has no script and loads nothing. Texts of connectors, services and fixtures are escaped.

pub mod check;
pub mod diff;
mod traffic;
pub mod verdict;
