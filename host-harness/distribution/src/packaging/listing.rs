//! The listing of a connector for a marketplace, `listing.json`. All of it is derived from the
//! component or shown by its checks.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::bill::Linked;
use super::changelog::{Breaking, Entry};
use super::figures::Performance;
use super::links::Links;
use super::metadata::PublisherMetadata;
use smp_conformance::check::verdict::{Rule, Verdict};
use smp_host::component::plugin::PluginInfo;
use smp_listing::html::icon::Icon;

/// Version of the form of `listing.json`. New keys do not change it; any other change does.
const FORM: u32 = 1;
/// Stands for the package's folder in a command.
const FOLDER: &str = "FOLDER";
/// Stands for the component's file in a command.
const FILE: &str = "CONNECTOR.wasm";

/// A connector's listing.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Name of the component's file.
    pub file: String,
    /// The plugin info of the component.
    pub facts: PluginInfo,
    /// `sha256:` and the digest of the component without standard metadata, which is that of the
    /// build's output.
    pub build_digest: String,
    /// The publisher's metadata.
    pub metadata: PublisherMetadata,
    /// Where its publisher helps, and takes reports of weaknesses.
    pub links: Links,
    /// Its picture.
    pub icon: Option<Icon>,
    /// The verdict of its conformance check.
    pub verdict: Verdict,
    /// Its performance.
    pub performance: Performance,
    /// The libraries that are linked into it.
    pub linked: Vec<Linked>,
    /// The date of the version.
    pub date: Option<Timestamp>,
    /// What changed for users, and what breaks for those who upgrade to it.
    pub changes: Entry,
    /// The commands that its pages name.
    pub commands: Commands,
}

/// The commands that the pages of a listing name, as a reader types them. In them, `FOLDER` stands
/// for the package's folder, and `CONNECTOR.wasm` for the component's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commands {
    /// The command that says who signed a package, without its arguments.
    pub verifier: String,
    /// Verifies the package.
    pub verify: String,
    /// Collects with it, to try it.
    pub collect: String,
    /// Installs it on a platform.
    pub install: String,
}

impl Listing {
    /// The listing as JSON: every key is present, absent values are null. It holds no time that
    /// differs from run to run.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut listing = json!({
            "form": FORM,
            "file": self.file,
            "date": self.date.map(|date| date.to_string()),
        });
        let linked =
            self.linked.iter().map(|Linked { name, version, licenses }| json!({"name": name, "version": version, "licenses": licenses}));
        let breaking =
            self.changes.breaking.iter().map(|Breaking { deadline, message }| json!({"deadline": deadline.to_string(), "message": message}));
        let PublisherMetadata { description, authors, licenses, source, homepage, revision } =
            &self.metadata;
        let rest = json!({
            "build_digest": self.build_digest,
            "metadata": {
                "description": description, "authors": authors, "licenses": licenses, "source": source, "homepage": homepage, "revision": revision,
            },
            "links": {"support": self.links.support, "security": self.links.security},
            "icon": self.icon.as_ref().map(Icon::file),
            "scopes": self.scopes(),
            "breaking": breaking.collect::<Vec<_>>(),
            "conformance": conformance(&self.verdict),
            "performance": self.performance.to_json(),
            "linked": linked.collect::<Vec<_>>(),
        });
        if let (Value::Object(listing), Value::Object(facts), Value::Object(rest)) =
            (&mut listing, smp_listing::json::json(&self.facts), rest)
        {
            listing.extend(facts.into_iter().chain(rest));
        }
        listing
    }

    /// The name of its package's folder.
    #[must_use]
    pub fn folder(&self) -> String {
        let descriptor = &self.facts.descriptor;
        format!("{}-{}", descriptor.id, descriptor.version)
    }

    /// The commands that verify and install it, for a terminal. A name that could be more than a
    /// name there is left to the reader.
    #[must_use]
    pub fn installing(&self) -> Vec<String> {
        let is_plain = |name: &String| {
            name.chars().all(|sign| sign.is_ascii_alphanumeric() || "-._+".contains(sign))
                && name.starts_with(|sign: char| sign.is_ascii_alphanumeric())
        };
        let folder = Some(self.folder()).filter(is_plain).unwrap_or_else(|| FOLDER.to_owned());
        let file = Some(self.file.clone()).filter(is_plain).unwrap_or_else(|| FILE.to_owned());
        let Commands { verify, collect, install, .. } = &self.commands;
        let named = |command: &String| command.replace(FILE, &file).replace(FOLDER, &folder);
        [verify, collect, install].map(named).to_vec()
    }

    /// The scopes that a key with scopes needs, each once.
    #[must_use]
    pub fn scopes(&self) -> Vec<&str> {
        let mut scopes: Vec<_> = self
            .facts
            .descriptor
            .api
            .endpoints
            .iter()
            .filter_map(|endpoint| endpoint.scope.as_deref())
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }
}

fn conformance(verdict: &Verdict) -> Value {
    let rule = |rule: &Rule| {
        json!({
            "id": rule.id, "family": rule.family, "title": rule.title, "outcome": rule.outcome.as_str(), "message": rule.message,
        })
    };
    json!({
        "passed": verdict.passed(),
        "strict": verdict.strict,
        "rules": verdict.rules.iter().map(rule).collect::<Vec<_>>(),
        "figures": {
            "fixtures": verdict.figures.fixtures,
            "exchanges": verdict.figures.exchanges,
            "runs": verdict.figures.runs,
            "most_requests": verdict.figures.most_requests,
            "peak_memory_bytes": verdict.figures.peak_memory_bytes,
        },
    })
}
