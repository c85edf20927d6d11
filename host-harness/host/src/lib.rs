//! A host for SaaS connector plugins: WebAssembly components that read an organization's members.
//!
//! This library is what a platform embeds. It is not a vendor's client: everything that it knows
//! about a service comes out of the component's own descriptor.
//!
//! The modules stand in the order in which a member passes them, from the request to the line in
//! the output; a module uses only those above it.

pub mod contract;
pub mod failure;
pub mod limits;
pub mod observer;
mod records;
pub mod remedy;
pub mod secret;
pub mod text;

pub mod http;
#[cfg(feature = "live")]
pub mod live;
pub mod settings;

pub mod explained;

pub mod component;
pub mod host;
pub mod validation;

pub mod collect;
#[cfg(feature = "files")]
pub mod files;

#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
pub mod testing;
