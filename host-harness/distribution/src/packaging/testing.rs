//! Listings for the tests of the renderings.

use jiff::Timestamp;

use super::bill::Linked;
use super::changelog::{Breaking, Entry};
use super::figures::{Figure, Figures, Performance};
use super::links::Links;
use super::listing::{Commands, Listing};
use super::metadata::PublisherMetadata;
use smp_conformance::check::verdict::{Connector, Rule, Times, Verdict};
use smp_host::component::plugin::PluginInfo;
use smp_host::contract::Descriptor;
use smp_host::validation::CheckOutcome;

/// A listing of this descriptor, with this text in every field that does not come from the host.
pub(super) fn listing(descriptor: Descriptor, text: &str) -> Listing {
    let own = || Some(text.to_owned());
    let rule = |id, family, outcome| Rule {
        id,
        family,
        title: "Does so",
        outcome,
        message: text.to_owned(),
        hint: None,
        remedy: None,
        findings: Vec::new(),
        more: 0,
    };
    let connector = Connector {
        id: descriptor.id.clone(),
        name: descriptor.name.clone(),
        version: descriptor.version.clone(),
        digest: text.to_owned(),
        size: 1_000,
        contract_version: "0.1.0".into(),
    };
    let figure = Figure {
        key: "a.b".into(),
        name: text.to_owned(),
        unit: "ms".into(),
        median: 2.0,
        min: 1.0,
        max: 3.5,
    };
    Listing {
        file: "example-cloud.wasm".into(),
        facts: PluginInfo {
            descriptor,
            imports: vec!["smp:connector/http@0.1.0".into(), text.to_owned()],
            exports: vec!["smp:connector/connector@0.1.0".into()],
            contract_version: "0.1.0".into(),
            size: 2_048,
            digest: "sha256:00".into(),
            toolchain: smp_host::component::outline::Toolchain::default(),
        },
        build_digest: "sha256:01".into(),
        metadata: PublisherMetadata {
            description: own(),
            authors: own(),
            licenses: own(),
            source: own(),
            homepage: own(),
            revision: own(),
        },
        links: Links { support: own(), security: own() },
        icon: None,
        verdict: Verdict {
            connector: Some(connector),
            strict: false,
            partial: false,
            rules: vec![
                rule("one", "The file", CheckOutcome::Passed),
                rule("two", "The file", CheckOutcome::Warning),
                rule("three", "Faults", CheckOutcome::Skipped),
            ],
            figures: smp_conformance::check::verdict::Figures {
                fixtures: 1,
                exchanges: 20,
                runs: 3_000,
                most_requests: 4,
                peak_memory_bytes: 5,
            },
            times: Times::default(),
        },
        performance: Performance::OfThisBuild(Figures {
            component: own(),
            cores: Some(2),
            all: vec![figure],
        }),
        linked: vec![Linked { name: text.to_owned(), version: own(), licenses: None }],
        date: Some(Timestamp::UNIX_EPOCH),
        changes: Entry {
            text: format!("## 1.2.3\n\n### Added\n\n{}\n", text.replace(['\n', '\r'], " ")),
            released: true,
            breaking: vec![Breaking {
                deadline: jiff::civil::date(2030, 1, 31),
                message: text.to_owned(),
            }],
        },
        commands: Commands {
            verifier: "judge".into(),
            verify: "judge FOLDER".into(),
            collect: "try FOLDER/CONNECTOR.wasm".into(),
            install: "take FOLDER".into(),
        },
    }
}
