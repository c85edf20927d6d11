//! Target `component`: the loader, which checks, compiles, links and describes components.
//!
//! An input is the file. Compiling it takes a tenth of a second, so a run has few of them. Most
//! changes are made where the file stays a component: in its data, from which the descriptor comes.
//!
//! Property: a file is refused with a fitting code and a hint, or it is a plugin that imports
//! nothing outside the contract, whose descriptor keeps the contract, and whose texts steer no
//! terminal or page.

use std::ops::Range;
use std::sync::OnceLock;

use smp_host::component::check;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::{Plugin, PluginInfo};
use smp_host::contract;
use smp_host::failure::{Code, Failure};
use smp_host::limits::Limits;
use smp_host::text;
use smp_listing::guide;
use wasmparser::{Parser, Payload};

/// Texts with a meaning in a component.
pub const DICTIONARY: &[&str] = &[
    "\0asm",
    "\u{d}\0\u{1}\0",
    "\u{1}\0\0\0",
    "smp:connector/connector@0.2.0",
    "smp:connector/http@0.2.0",
    "smp:connector/http@0.2.0",
    "wasi:cli/environment@0.2.0",
    "organization-id",
    "https://",
    "/admin/v1/orgs",
    "\u{1b}[31m",
    "\u{202e}",
    "javascript:",
    "<script>",
];

/// Runs the target.
pub fn run(data: &[u8]) {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let engine = ENGINE
        .get_or_init(|| Engine::new(&EngineOptions::new(Compiler::Inside)).expect("an engine"));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(Plugin::load(engine, data)) {
        Ok(plugin) => assert_fit(plugin.info(), data),
        Err(failure) => assert_refused(&failure),
    }
}

/// Places where a change leaves a component valid: its data. With a changed type or import it is
/// mostly invalid.
#[must_use]
pub fn hot(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        if let Ok(Payload::DataSection(segments)) = payload {
            ranges.extend(
                segments
                    .into_iter()
                    .flatten()
                    .map(|segment| segment.range.end - segment.data.len()..segment.range.end),
            );
        }
    }
    ranges
}

fn assert_fit(facts: &PluginInfo, data: &[u8]) {
    assert!(
        facts.imports.iter().all(|name| name.starts_with("smp:connector/")),
        "{:?}",
        facts.imports
    );
    assert!(
        facts.exports.iter().any(|name| name == "smp:connector/connector@0.2.0"),
        "{:?}",
        facts.exports
    );
    assert_eq!(
        (facts.contract_version.as_str(), facts.size),
        (contract::VERSION, data.len() as u64)
    );
    check::descriptor(&facts.descriptor, &Limits::default()).expect("a descriptor of the contract");
    let guide = guide::markdown(&facts.descriptor);
    assert!(
        !guide.chars().any(|character| character != '\n' && text::is_active(character)),
        "{guide:?}"
    );
}

fn assert_refused(failure: &Failure) {
    assert!(
        matches!(failure.code, Code::Component | Code::Contract | Code::Trap | Code::Limit),
        "{failure}"
    );
    assert!(!failure.message.is_empty() && failure.hint.is_some(), "{failure:?}");
    assert!(failure.message.len() < 4_096, "{failure}");
}
