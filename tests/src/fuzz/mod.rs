//! Fuzz targets: each takes bytes, and panics exactly when the property in its header does not
//! hold.
//!
//! | target | reader of the bytes | run by libFuzzer |
//! |---|---|---|
//! | `answers` | the connector: its flows, and the parser of each endpoint | yes |
//! | `checkpoint` | the journal of a collection | yes |
//! | `component` | the loader of components | no: each input is compiled |
//! | `har` | fixtures: the HAR reader, replay, and the recorder | yes |
//! | `packages` | releases: metadata, sums, manifests, references, trust files, keys | yes |
//! | `policy` | the policy, and the origin that requests go to | yes |
//! | `recording` | the recorder and the anonymizer | yes |
//! | `settings` | settings, checked against a form | yes |
//! | `waits` | the headers that say how long to wait | yes |
//! | `words` | texts inside answers: points in time, cursors, escapes | yes |
//!
//! `tests/tests/fuzz.rs` runs them all on the seeds, on former failures, and on mutations of both;
//! `make fuzz` runs them guided by coverage. `tests/fuzz/README.md` explains how to add a target,
//! and what to do with a finding.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a property that does not hold is reported by panicking"
)]

pub mod mutate;
mod parts;
mod scratch;

pub mod answers;
pub mod checkpoint;
pub mod component;
pub mod har;
pub mod packages;
pub mod policy;
pub mod recording;
pub mod settings;
pub mod waits;
pub mod words;

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of the function's module, and of the folders of its seeds and former failures.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&[u8]),
    /// Texts with a meaning for the reader.
    pub dictionary: &'static [&'static str],
    /// Mutations in a usual test run: all targets together take some seconds.
    pub mutations: u32,
}

/// Every target.
pub const TARGETS: [Target; 10] = [
    Target {
        name: "answers",
        run: answers::run,
        dictionary: answers::DICTIONARY,
        mutations: 40_000,
    },
    Target {
        name: "checkpoint",
        run: checkpoint::run,
        dictionary: checkpoint::DICTIONARY,
        mutations: 8_000,
    },
    Target {
        name: "component",
        run: component::run,
        dictionary: component::DICTIONARY,
        mutations: 120,
    },
    Target { name: "har", run: har::run, dictionary: har::DICTIONARY, mutations: 4_000 },
    Target {
        name: "packages",
        run: packages::run,
        dictionary: packages::DICTIONARY,
        mutations: 20_000,
    },
    Target { name: "policy", run: policy::run, dictionary: policy::DICTIONARY, mutations: 40_000 },
    Target {
        name: "recording",
        run: recording::run,
        dictionary: recording::DICTIONARY,
        mutations: 2_000,
    },
    Target {
        name: "settings",
        run: settings::run,
        dictionary: settings::DICTIONARY,
        mutations: 20_000,
    },
    Target { name: "waits", run: waits::run, dictionary: waits::DICTIONARY, mutations: 40_000 },
    Target { name: "words", run: words::run, dictionary: words::DICTIONARY, mutations: 40_000 },
];
