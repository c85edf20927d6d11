//! The contract, generated: once, here, for the kit and all that stands on it.
//!
//! Use [`crate::contract`], which names every type of it; this module is public for
//! [`crate::export`] alone, which has to reach what the macro generates.

#![allow(
    missing_docs,
    reason = "the macro documents what the contract documents, and not its own glue"
)]

// A later contract has a wider world, which a feature of the kit will choose: no interface that is
// exported can be generated apart from its world.
wit_bindgen::generate!({
    path: "../../wit",
    world: "connector-plugin",
    additional_derives: [PartialEq, Eq],
    pub_export_macro: true,
    default_bindings_module: "smp_connector_kit::bindings",
});
