//! Measures the connector and its host: the whole path, what each part of it costs, and how both
//! grow.
//!
//! Nothing of the product is switched off for a measurement: what a guard or a limit costs is found
//! by measuring it alone, or by running the component in a bare engine of this crate's own
//! ([`bare`]). Times are processor times wherever nothing is waited for, and are compared between
//! machines as multiples of the connector's own core, compiled natively and measured in the same
//! run.
//!
//! The modules stand in reading order: each uses only those above it.

pub mod meter;
pub mod pages;

pub mod figure;
pub mod results;

pub mod plot;
pub mod table;

pub mod document;

pub mod native;
pub mod setup;

pub mod bare;
pub mod child;

pub mod measure;
