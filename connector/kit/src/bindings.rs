//! The generated contract, for the kit and every connector.
//!
//! Use [`crate::contract`], which names all of its types. This module is public only for
//! [`crate::export`], which must reach the macro's generated items.

#![allow(
    missing_docs,
    reason = "the macro documents what the contract documents, and not its own glue"
)]

// A later contract has a wider world, which a feature of the kit will choose: an exported interface
// cannot be generated separately from its world.
wit_bindgen::generate!({
    path: "../../wit",
    world: "connector-plugin",
    additional_derives: [PartialEq, Eq],
    pub_export_macro: true,
    default_bindings_module: "smp_connector_kit::bindings",
});
