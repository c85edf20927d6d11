//! Between a build and a platform: how a package is made, how it goes to a registry and comes back,
//! and whose word makes it trusted.
//!
//! But for `packaging` and [`loading`], nothing here compiles or runs a component. All that a
//! registry or a folder holds is untrusted until a signature covers it, and bounded also then.

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
