//! The WIT contract as Rust types: generated from `wit/`, with nothing of our own but short names.
//!
//! The records of the contract are the host's own model: a page is used as it was lifted, and no field is copied into a second shape.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "connector-plugin",
    imports: { default: async | trappable },
    exports: { default: async },
    additional_derives: [PartialEq, serde::Serialize],
});

pub use exports::smp::connector::connector::*;
pub use smp::connector::{http, log};

/// The contract's package, as components name it in their imports and exports.
pub const PACKAGE: &str = "smp:connector";
/// The version of the contract that this host serves.
pub const VERSION: &str = "0.1.0";
