//! Packages of connectors: how they are made, pushed to a registry and pulled from it, and which
//! signatures make them trusted.
//!
//! Only `packaging` and [`loading`] compile or run a component. All content of a registry or a
//! folder is untrusted until a signature covers it, and bounded even then.

pub mod digest;
pub mod file;
pub mod metadata;
pub mod package;
pub mod signature;
pub mod trust;

pub mod loading;

pub mod registry;

#[cfg(feature = "publish")]
pub mod packaging;
