//! The generated contract, for the kit and every connector.
//!
//! Use [`crate::contract`], which names all of its types. This module is public only for
//! [`crate::export`], which must reach the macro's generated items.

#![allow(
    missing_docs,
    reason = "the macro documents what the contract documents, and not its own glue"
)]

// An exported interface cannot be generated separately from its world, so a feature chooses the
// world. Cargo unifies the features of what it builds in one call: components are built one
// connector a call, or a connector without usage would export it.
#[cfg(not(feature = "usage"))]
wit_bindgen::generate!({
    path: "../../wit",
    world: "connector-plugin",
    additional_derives: [PartialEq, Eq],
    pub_export_macro: true,
    default_bindings_module: "smp_connector_kit::bindings",
});

#[cfg(feature = "usage")]
wit_bindgen::generate!({
    path: "../../wit",
    world: "metering-connector-plugin",
    additional_derives: [PartialEq, Eq],
    pub_export_macro: true,
    default_bindings_module: "smp_connector_kit::bindings",
});
