//! The units that Cargo compiled for a target, from the messages of `cargo build
//! --message-format=json`, which list every unit of the build, even unchanged ones. A macro or a
//! build script runs on the build machine and is not included.

use std::io::BufRead;

use anyhow::{Result, ensure};
use cargo_metadata::camino::Utf8PathBuf;
use cargo_metadata::{Artifact, Message, TargetKind};

/// A package that is linked in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// Name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Features that it was compiled with.
    pub features: Vec<String>,
    /// Its manifest.
    pub manifest: Utf8PathBuf,
}

/// The units that were compiled for this target, sorted.
///
/// # Errors
/// If the messages are not Cargo's, or no unit was compiled for it.
pub fn of_target(messages: impl BufRead, target: &str) -> Result<Vec<Unit>> {
    let mut units = Vec::new();
    for message in Message::parse_stream(messages) {
        if let Message::CompilerArtifact(artifact) = message?
            && is_linked(&artifact, target)
        {
            units.push(unit(artifact)?);
        }
    }
    units.sort();
    units.dedup();
    ensure!(!units.is_empty(), "nothing in these messages was compiled for `{target}`");
    Ok(units)
}

fn is_linked(artifact: &Artifact, target: &str) -> bool {
    let is_library = artifact.target.kind.iter().any(|kind| {
        matches!(
            kind,
            TargetKind::Lib
                | TargetKind::RLib
                | TargetKind::CDyLib
                | TargetKind::StaticLib
                | TargetKind::Bin
                | TargetKind::Example
        )
    });
    is_library
        && artifact
            .filenames
            .iter()
            .any(|file| file.components().any(|part| part.as_str() == target))
}

/// Parses `registry+https://…#name@1.2.3`, or `path+file:///folder#name@1.2.3`, or, if the folder
/// has the package's name, `…/name#1.2.3`.
fn unit(artifact: Artifact) -> Result<Unit> {
    let (place, package) = artifact.package_id.repr.rsplit_once('#').unwrap_or_default();
    let (name, version) = match package.rsplit_once('@') {
        Some(both) => both,
        None => (place.rsplit('/').next().unwrap_or_default(), package),
    };
    ensure!(
        !name.is_empty() && !version.is_empty(),
        "a package is named `{}`, which is not in Cargo's format",
        artifact.package_id.repr
    );
    Ok(Unit {
        name: name.to_owned(),
        version: version.to_owned(),
        features: artifact.features,
        manifest: artifact.manifest_path,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn artifact(id: &str, kind: &str, file: &str) -> String {
        json!({
            "reason": "compiler-artifact", "package_id": id, "manifest_path": "/m/Cargo.toml",
            "target": {"kind": [kind], "crate_types": [kind], "name": "x", "src_path": "/m/src/lib.rs", "edition": "2021"},
            "profile": {"opt_level": "2", "debug_assertions": false, "overflow_checks": false, "test": false},
            "features": ["alloc"], "filenames": [file], "executable": null, "fresh": true,
        })
        .to_string()
    }

    fn names(lines: &[String]) -> Result<Vec<String>> {
        let units = of_target(lines.join("\n").as_bytes(), "wasm32")?;
        Ok(units.into_iter().map(|unit| format!("{} {}", unit.name, unit.version)).collect())
    }

    #[test]
    fn what_was_compiled_for_the_target_is_linked_and_what_runs_while_building_is_not() {
        let lines = [
            artifact(
                "registry+https://index#serde@1.0.2",
                "lib",
                "/t/wasm32/component/deps/libserde.rlib",
            ),
            artifact("registry+https://index#syn@3.0.0", "lib", "/t/component/deps/libsyn.rlib"),
            artifact(
                "registry+https://index#serde_derive@1.0.2",
                "proc-macro",
                "/t/component/deps/libserde_derive.so",
            ),
            artifact(
                "registry+https://index#serde@1.0.2",
                "custom-build",
                "/t/component/build/serde/build-script",
            ),
            artifact(
                "path+file:///w/connector#atlassian-cloud@0.1.0",
                "cdylib",
                "/t/wasm32/component/x.wasm",
            ),
            artifact("path+file:///w/noticeboard#0.2.0", "cdylib", "/t/wasm32/component/y.wasm"),
        ];
        assert_eq!(
            names(&lines).unwrap(),
            ["atlassian-cloud 0.1.0", "noticeboard 0.2.0", "serde 1.0.2"]
        );
    }

    #[test]
    fn a_build_for_another_target_is_told() {
        let lines = [artifact(
            "registry+https://index#serde@1.0.2",
            "lib",
            "/t/release/deps/libserde.rlib",
        )];
        assert_eq!(
            names(&lines).unwrap_err().to_string(),
            "nothing in these messages was compiled for `wasm32`"
        );
    }
}
