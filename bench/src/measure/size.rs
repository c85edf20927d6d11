//! The size of the component, and of its parts.

use std::io::Write;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use wasmparser::{Parser, Payload};

use super::{Depth, float};
use crate::figure::{Figure, Kind};
use crate::setup;

/// Measures it.
///
/// # Errors
/// If it is not built, or not a component.
pub fn measure(_: Depth) -> Result<Vec<Figure>> {
    let bytes = setup::component_bytes()?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&bytes)?;
    let packed = packed.finish()?;
    let Parts { code, data } = parts(&bytes)?;
    let rest = bytes.len() - code - data;
    let kib = |key: &str, name: &str, size: usize| {
        Figure::of(
            key,
            name,
            "KiB",
            Kind::Exact,
            vec![float(u64::try_from(size).unwrap_or(u64::MAX)) / 1024.0],
        )
    };
    Ok(vec![
        kib("size.component", "Component, with descriptor and guide", bytes.len()).at_most(264.0),
        kib("size.gzip", "the same, packed with gzip", packed.len()),
        kib("size.code", "of it: code", code),
        kib("size.data", "of it: data (texts, tables)", data),
        kib("size.rest", "of it: types, imports, exports, metadata", rest),
    ])
}

struct Parts {
    code: usize,
    data: usize,
}

fn parts(component: &[u8]) -> Result<Parts> {
    let mut parts = Parts { code: 0, data: 0 };
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::CodeSectionStart { range, .. } => parts.code += range.len(),
            Payload::DataSection(section) => parts.data += section.range().len(),
            _ => {}
        }
    }
    Ok(parts)
}
