//! A client for registries of artifacts that follow the OCI distribution specification
//! (<https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md>), with the CNCF's
//! layout for WebAssembly (<https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/>).
//!
//! ```text
//! tag ─▶ manifest ─▶ application/wasm                     ID.wasm
//!           │  annotation: digest of SHA256SUMS ─▶ the digests of all other files
//!           ├◀─ subject ── the package's files             SHA256SUMS, listing.json, .md and .html, CHANGELOG.md
//!           ├◀─ subject ── the bill of materials           sbom.cdx.json
//!           ├◀─ subject ── the package's own signature     SHA256SUMS.sig
//!           └◀─ subject, and tag sha256-….sig ── cosign's signature over the manifest, or a bundle
//! ```
//! So one signature over the manifest covers every file. Files are fetched by the digests in the
//! manifest, not by what refers to it: anyone who may write to the registry can attach anything.

pub mod login;
pub mod manifest;
pub mod reference;

pub(crate) mod artifact;

mod challenge;
mod client;
mod kind;
mod patience;
mod referrers;
mod signatures;

pub mod repository;

mod pull;
mod push;

pub use pull::{Pulled, pull};
pub use push::{Pushed, push};
pub use signatures::sign;
