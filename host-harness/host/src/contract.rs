//! The WIT contract as Rust types, generated from `wit/`, with short names.
//!
//! The contract's records are the host's own model: a page is used as it was lifted, without a copy
//! of its fields.

#[allow(
    missing_docs,
    reason = "the macro documents what the contract documents, and not the glue around it"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "connector-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        additional_derives: [PartialEq, serde::Serialize],
    });
}

pub use generated::exports::smp::connector::connector::*;
pub use generated::smp::connector::{http, log};
pub use generated::{ConnectorPlugin, ConnectorPluginPre};

/// The contract's package, as components name it in their imports and exports.
pub const PACKAGE: &str = "smp:connector";
/// The version of the contract that this host serves.
pub const VERSION: &str = "0.2.0";
