//! The artifact of a package in a registry: its configuration and its manifest, made only from the
//! package and a date.
//!
//! So the digests of a package's artifacts follow from its files, without a request to a registry.
//! A revoked artifact is recognized that way in any folder. The form that is made here must stay: a
//! newer form is added to [`digests`] beside it.

use serde_json::Value;

use super::manifest::{self, Descriptor, Manifest, SUMS_ANNOTATION, WASM, WASM_CONFIG};
use crate::digest::Digest;
use crate::metadata::Metadata;
use crate::package::{LISTING, Package};
use smp_host::failure::Failure;

/// Longest date in a listing: RFC 3339 with nanoseconds has 30 bytes.
const LONGEST_DATE: usize = 40;

/// An artifact, before it is pushed.
pub(super) struct Artifact {
    pub(super) manifest: Manifest,
    pub(super) config: Vec<u8>,
    pub(super) component: Descriptor,
    /// The manifest's bytes.
    pub(super) bytes: Vec<u8>,
}

impl Artifact {
    /// The artifact of a package with this date, in RFC 3339.
    pub(super) fn of(
        package: &Package,
        metadata: &Metadata,
        created: Option<&str>,
    ) -> Result<Self, Failure> {
        let config = manifest::wasm_config(&Digest::of(package.component()), metadata, created)?;
        let component = Descriptor::of(WASM, package.component()).titled(package.component_name());
        let mut manifest =
            Manifest::new(Descriptor::of(WASM_CONFIG, &config), vec![component.clone()]);
        manifest.annotations = manifest::annotations(metadata, created);
        if let Some(sums) = package.sums() {
            manifest
                .annotations
                .insert(SUMS_ANNOTATION.to_owned(), Digest::of(sums.bytes()).to_string());
        }
        let bytes = manifest.to_bytes()?;
        Ok(Self { manifest, config, component, bytes })
    }
}

/// The digests of a package's artifacts: without a date, and with that of its listing. Empty for a
/// file that cannot be pushed.
pub(crate) fn digests(package: &Package) -> Vec<Digest> {
    let Ok(metadata) = package.metadata() else { return Vec::new() };
    let listed =
        package.files().get(LISTING).and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let date = listed
        .as_ref()
        .and_then(|listing| listing.get("date")?.as_str())
        .filter(|date| date.len() <= LONGEST_DATE);
    let dates = [None, date];
    let made = dates
        .iter()
        .take(if date.is_some() { 2 } else { 1 })
        .map(|date| Artifact::of(package, &metadata, *date));
    made.filter_map(Result::ok).map(|artifact| Digest::of(&artifact.bytes)).collect()
}

/// Whether a manifest belongs to an artifact of this package.
pub(crate) fn is_of(manifest: &[u8], package: &Package) -> bool {
    let Ok(manifest) = Manifest::read(manifest) else { return false };
    let component = Digest::of(package.component());
    let sums = package.sums().map(|sums| Digest::of(sums.bytes()).to_string());
    manifest.layers.iter().any(|layer| layer.digest == component)
        && manifest.annotations.get(SUMS_ANNOTATION) == sums.as_ref()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::metadata::testing::component;
    use crate::package::Sums;

    fn package(listing: &str) -> Package {
        let wasm = component("example", "1.0.0");
        let line = |name: &str, bytes: &[u8]| format!("{}  {name}\n", Digest::of(bytes).hex());
        let sums = line("example.wasm", &wasm) + &line(LISTING, listing.as_bytes());
        let files =
            BTreeMap::from([("example.wasm".into(), wasm), (LISTING.into(), listing.into())]);
        Package::whole(Sums::read(sums.into_bytes()).unwrap(), files, None).unwrap()
    }

    #[test]
    fn the_digests_of_a_package_are_those_that_it_always_had() {
        // Revoked digests are compared with these: a change needs the former form beside it.
        let digests = digests(&package("{\"date\":\"2026-01-02T03:04:05Z\"}"));
        let digests: Vec<_> = digests.iter().map(ToString::to_string).collect();
        let without_a_date =
            "sha256:7f85901ed50799d1c819fa1b905f5333296b92dbb0ec064b0793495e0a42aeea";
        let with_that_of_the_listing =
            "sha256:21ce56adf7c18cb567ef9aee7555868730b21c6435fb193475ee29d8e971538f";
        assert_eq!(digests, [without_a_date, with_that_of_the_listing]);
    }

    #[test]
    fn a_listing_without_a_date_or_with_a_made_up_one_adds_no_artifact() {
        let long = format!("{{\"date\":\"{}\"}}", "0".repeat(LONGEST_DATE + 1));
        for listing in ["{}", "[]", "no JSON", "{\"date\":1}", &long] {
            assert_eq!(digests(&package(listing)).len(), 1, "{listing}");
        }
    }

    #[test]
    fn a_manifest_is_of_the_package_whose_component_and_sums_it_names() {
        let (package, other) = (package("{}"), package("{\"a\":1}"));
        let bytes = |package: &Package| {
            Artifact::of(package, &package.metadata().unwrap(), Some("2020-01-01T00:00:00Z"))
                .unwrap()
                .bytes
        };
        assert!(is_of(&bytes(&package), &package));
        assert!(!is_of(&bytes(&other), &package));
        assert!(!is_of(b"{}", &package));
    }
}
