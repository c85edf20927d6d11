//! The bill of materials as CycloneDX 1.5. Nothing in it depends on the place or time of the build.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::lock::{Key, Locked};
use crate::package::About;
use crate::units::Unit;

/// The inputs of a bill.
pub struct Parts<'a> {
    /// The connector.
    pub root: &'a Key,
    /// All units that were compiled for it, including itself.
    pub units: &'a [Unit],
    /// The lock file.
    pub locked: &'a BTreeMap<Key, Locked>,
    /// The metadata from the manifests.
    pub about: &'a BTreeMap<Key, About>,
    /// The compiler, with the standard library.
    pub compiler: &'a Compiler,
}

/// The compiler of a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    /// Its version.
    pub version: String,
    /// The commit that it was built from.
    pub commit: String,
}

/// Name of the standard library in the bill.
const STANDARD_LIBRARY: &str = "rust-std";

impl Parts<'_> {
    /// The bill.
    #[must_use]
    pub fn document(&self) -> Value {
        let linked: Vec<&Unit> = self.units.iter().filter(|unit| key(unit) != *self.root).collect();
        let components =
            linked.iter().map(|unit| self.component(unit)).chain([self.standard_library()]);
        json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "metadata": {
                "lifecycles": [{"phase": "build"}],
                "tools": {"components": [{"type": "application", "name": "rustc", "version": self.compiler.version}]},
                "component": self.connector(),
            },
            "components": components.collect::<Vec<_>>(),
            "dependencies": self.dependencies(),
            "compositions": [{"aggregate": "complete", "dependencies": [reference(self.root)]}],
        })
    }

    fn connector(&self) -> Value {
        let (name, version) = self.root;
        let mut component = json!({"type": "application", "bom-ref": reference(self.root), "name": name, "version": version});
        self.describe(&mut component, self.root);
        component
    }

    fn component(&self, unit: &Unit) -> Value {
        let key = key(unit);
        let (name, version) = &key;
        let mut component = json!({"type": "library", "bom-ref": reference(&key), "name": name, "version": version});
        if let Some(checksum) = self.locked.get(&key).and_then(|locked| locked.checksum.as_ref()) {
            component["purl"] = Value::from(format!("pkg:cargo/{name}@{version}"));
            component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
        }
        self.describe(&mut component, &key);
        if !unit.features.is_empty() {
            component["properties"] =
                json!([{"name": "cargo:features", "value": unit.features.join(",")}]);
        }
        component
    }

    fn describe(&self, component: &mut Value, key: &Key) {
        let Some(about) = self.about.get(key) else { return };
        for (name, text) in [("author", &about.authors), ("description", &about.description)] {
            if let Some(text) = text {
                component[name] = Value::from(text.as_str());
            }
        }
        if let Some(license) = &about.license {
            // Older manifests have a slash where SPDX has `OR`.
            component["licenses"] = json!([{"expression": license.replace('/', " OR ")}]);
        }
        let addresses = [("vcs", &about.repository), ("website", &about.homepage)];
        let references: Vec<Value> = addresses
            .iter()
            .filter_map(|(kind, url)| url.as_ref().map(|url| json!({"type": kind, "url": url})))
            .collect();
        if !references.is_empty() {
            component["externalReferences"] = Value::from(references);
        }
    }

    /// It comes with the compiler, so Cargo does not list it.
    fn standard_library(&self) -> Value {
        let Compiler { version, commit } = self.compiler;
        json!({
            "type": "library",
            "bom-ref": format!("{STANDARD_LIBRARY}@{version}"),
            "name": STANDARD_LIBRARY,
            "version": version,
            "description": "The standard library of Rust: core, alloc and std, as far as they are used",
            "licenses": [{"expression": "MIT OR Apache-2.0"}],
            "purl": format!("pkg:github/rust-lang/rust@{version}"),
            "externalReferences": [{"type": "vcs", "url": "https://github.com/rust-lang/rust", "comment": commit}],
        })
    }

    /// The dependencies among the linked packages.
    fn dependencies(&self) -> Vec<Value> {
        let linked: BTreeSet<Key> = self.units.iter().map(key).collect();
        let standard_library = format!("{STANDARD_LIBRARY}@{}", self.compiler.version);
        let of = |key: &Key| {
            let locked = self
                .locked
                .get(key)
                .map(|locked| locked.dependencies.as_slice())
                .unwrap_or_default();
            let others = locked.iter().filter(|other| linked.contains(other)).map(reference);
            json!({"ref": reference(key), "dependsOn": others.chain([standard_library.clone()]).collect::<Vec<_>>()})
        };
        linked.iter().map(of).chain([json!({"ref": standard_library, "dependsOn": []})]).collect()
    }
}

fn key(unit: &Unit) -> Key {
    (unit.name.clone(), unit.version.clone())
}

fn reference((name, version): &Key) -> String {
    format!("{name}@{version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_says_what_is_linked_with_which_digest_and_who_depends_on_it() {
        let key = |name: &str| (name.to_owned(), "1.0.0".to_owned());
        let unit = |name: &str, features: &[&str]| Unit {
            name: name.into(),
            version: "1.0.0".into(),
            features: features.iter().map(|feature| (*feature).to_owned()).collect(),
            manifest: "/m/Cargo.toml".into(),
        };
        let locked = |checksum: Option<&str>, dependencies: &[&str]| Locked {
            checksum: checksum.map(str::to_owned),
            dependencies: dependencies.iter().map(|name| key(name)).collect(),
        };
        let about = About { license: Some("MIT/Apache-2.0".into()), ..About::default() };
        let document = Parts {
            root: &key("ours"),
            units: &[unit("ours", &[]), unit("serde", &["alloc", "derive"])],
            locked: &[
                (key("ours"), locked(None, &["serde", "proptest"])),
                (key("serde"), locked(Some("ab"), &[])),
            ]
            .into(),
            about: &[(key("serde"), about)].into(),
            compiler: &Compiler { version: "1.95.0".into(), commit: "59807".into() },
        }
        .document();
        assert_eq!(
            document["components"][0],
            json!({
                "type": "library", "bom-ref": "serde@1.0.0", "name": "serde", "version": "1.0.0", "purl": "pkg:cargo/serde@1.0.0",
                "hashes": [{"alg": "SHA-256", "content": "ab"}], "licenses": [{"expression": "MIT OR Apache-2.0"}],
                "properties": [{"name": "cargo:features", "value": "alloc,derive"}],
            })
        );
        assert_eq!(document["components"][1]["name"], "rust-std");
        assert_eq!(document["components"].as_array().unwrap().len(), 2);
        assert_eq!(
            document["dependencies"],
            json!([
                {"ref": "ours@1.0.0", "dependsOn": ["serde@1.0.0", "rust-std@1.95.0"]},
                {"ref": "serde@1.0.0", "dependsOn": ["rust-std@1.95.0"]},
                {"ref": "rust-std@1.95.0", "dependsOn": []},
            ])
        );
    }
}
