//! A host for SaaS connector plugins: WebAssembly components that read an organization's members.
//!
//! This library is what a platform embeds. It is not a vendor's client: everything that it knows about a service comes out
//! of the component's own descriptor. The command `smp-harness` is a thin layer over it.
//!
//! The modules stand in the order in which a member passes them, from the request to the line in the output; a module uses only
//! those above it.

pub mod contract;
pub mod failure;
pub mod limits;
pub mod observer;
pub mod secret;
pub mod terminal;
pub mod text;

pub mod http;
pub mod settings;

pub mod component;
pub mod host;
pub mod validation;

pub mod sink;

pub mod run;

pub mod fixture;
pub mod rehearsal;
pub mod stage;

pub mod verdict;

pub mod changes;

pub mod listing;

pub mod conformance;

pub mod distribution;
