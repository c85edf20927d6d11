//! The contract, as it is published: its files, and how a program reads them.

use wit_parser::Resolve;

/// The files of the package `smp:connector`, by name.
pub const FILES: [(&str, &str); 5] = [
    ("connector.wit", include_str!("../../../wit/connector.wit")),
    ("http.wit", include_str!("../../../wit/http.wit")),
    ("log.wit", include_str!("../../../wit/log.wit")),
    ("usage.wit", include_str!("../../../wit/usage.wit")),
    ("world.wit", include_str!("../../../wit/world.wit")),
];

/// The contract, parsed.
///
/// # Errors
/// Never, with the files as they are: a test parses them.
pub(crate) fn parsed() -> anyhow::Result<(Resolve, wit_parser::PackageId)> {
    let mut map = wit_parser::SourceMap::default();
    for (name, text) in FILES {
        map.push_str(name, text);
    }
    let mut resolve = Resolve::default();
    let group = map.parse().map_err(|(map, error)| anyhow::anyhow!(error.render(&map)))?;
    let package = resolve.push_group(group)?;
    Ok((resolve, package))
}

/// The interface `log` alone.
pub(crate) const LOG: &str = include_str!("../../../wit/log.wit");
