//! Tests that the bill of materials from `make package` is CycloneDX 1.5 for another reader of the
//! format.

use std::path::{Path, PathBuf};

use cyclonedx_bom::prelude::{Bom, SpecVersion, Validate};

/// The compiler's own library has no checksum of a registry.
const STANDARD_LIBRARY: &str = "rust-std";
/// This project's kit, which is in no registry.
const KIT: &str = "smp-connector-kit";

/// The bill of the most recent package.
fn bill() -> PathBuf {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist");
    let folders = std::fs::read_dir(&dist).expect("run `make package` first");
    let mut bills: Vec<_> = folders
        .filter_map(|entry| Some(entry.ok()?.path().join("sbom.cdx.json")))
        .filter(|path| path.is_file())
        .collect();
    bills.sort_by_key(|path| path.metadata().and_then(|file| file.modified()).ok());
    bills.pop().expect("run `make package` first")
}

#[test]
fn another_reader_of_the_format_finds_nothing_wrong_with_it() {
    let bytes = std::fs::read(bill()).unwrap();
    let bill = Bom::parse_from_json(bytes.as_slice()).unwrap();
    let result = bill.validate_version(SpecVersion::V1_5);
    assert!(result.passed(), "{result:?}");
    let components = bill.components.unwrap().0;
    assert!(components.len() > 3, "{components:?}");
    for component in &components {
        // A part that comes from no registry has no digest, and the project's kit has no address
        // either.
        let name = component.name.to_string();
        let digests = component.hashes.as_ref().map_or(0, |hashes| hashes.0.len());
        let expected = usize::from(![STANDARD_LIBRARY, KIT].contains(&name.as_str()));
        assert_eq!(digests, expected, "{component:?}");
        assert_eq!(component.purl.is_none(), name == KIT, "{component:?}");
        assert!(component.licenses.is_some(), "{component:?}");
    }
}
