//! Checks whether a connector keeps the contract, and compares two builds before an upgrade.

pub mod check;
pub mod diff;

pub mod page;
