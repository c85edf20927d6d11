//! Reads `Cargo.lock`: the source, digest and dependencies of each package.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

/// A package by name and version, which is unique in a build: Cargo never links two of the same
/// version.
pub type Key = (String, String);

/// A package's entry in the lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locked {
    /// The SHA-256 digest of the registry's file. A package of the workspace has none.
    pub checksum: Option<String>,
    /// Its dependencies in any build, including those of its build script, its tests or another
    /// target.
    pub dependencies: Vec<Key>,
}

#[derive(Deserialize)]
struct File {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// Reads a lock file.
///
/// # Errors
/// If it is malformed, or names a package that is not in it.
pub fn read(text: &str) -> Result<BTreeMap<Key, Locked>> {
    let file: File = toml::from_str(text).context("it is not a lock file of Cargo")?;
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &file.package {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let key = |dependency: &String| -> Result<Key> {
        // `name` if there is one version of it, `name version` if there are several.
        let mut words = dependency.split_whitespace();
        let name = words.next().unwrap_or_default();
        let version = match (words.next(), versions.get(name).map(Vec::as_slice)) {
            (Some(version), _) => version,
            (None, Some([version])) => version,
            (None, _) => anyhow::bail!("the lock file has no one version of `{dependency}`"),
        };
        Ok((name.to_owned(), version.to_owned()))
    };
    let locked = |package: &Package| -> Result<(Key, Locked)> {
        let dependencies = package.dependencies.iter().map(key).collect::<Result<_>>()?;
        Ok((
            (package.name.clone(), package.version.clone()),
            Locked { checksum: package.checksum.clone(), dependencies },
        ))
    };
    file.package.iter().map(locked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4
[[package]]
name = "ours"
version = "0.1.0"
dependencies = ["serde", "syn 2.0.0"]
[[package]]
name = "serde"
version = "1.0.0"
checksum = "ab"
[[package]]
name = "syn"
version = "2.0.0"
[[package]]
name = "syn"
version = "3.0.0"
"#;

    fn key(name: &str, version: &str) -> Key {
        (name.into(), version.into())
    }

    #[test]
    fn packages_are_told_apart_by_version() {
        let locked = read(LOCK).unwrap();
        assert_eq!(locked[&key("serde", "1.0.0")].checksum.as_deref(), Some("ab"));
        assert_eq!(
            locked[&key("ours", "0.1.0")].dependencies,
            [key("serde", "1.0.0"), key("syn", "2.0.0")]
        );
    }

    #[test]
    fn what_does_not_say_which_version_is_refused() {
        let error = read(&LOCK.replace("syn 2.0.0", "syn")).unwrap_err();
        assert_eq!(error.to_string(), "the lock file has no one version of `syn`");
        assert!(read("[[package]]").is_err());
    }
}
