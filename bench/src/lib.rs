//! Measures the connector and its host: the whole path, what each part of it costs, and how both
//! grow.
//!
//! Nothing of the product is switched off for a measurement: the cost of a guard or a limit is
//! measured separately, or by running the component in this crate's bare engine ([`bare`]). Times
//! are processor times unless something is waited for. They are compared between machines as
//! multiples of the connector's core, compiled natively and measured in the same run.
//!
//! The modules are in reading order: each uses only those above it.

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

pub mod many;

pub mod ledger;

pub mod running;

pub mod measure;
