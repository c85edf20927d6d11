//! Compares the identity of two builds: connector, version, contract, imports and size. Pure.

use semver::Version;

use super::kinds::{
    CONTRACT, EXPORTS, Found, IMPORTS_ADDED, IMPORTS_REMOVED, MAJOR, NEWER, OLDER, OTHER_CONNECTOR,
    SAME_FILE, SAME_VERSION, SIZE, UNORDERED, became, named,
};
use smp_host::component::plugin::PluginInfo;
use smp_host::text::grouped;

/// Compares the plugin info of both files.
pub(super) fn compare(old: &PluginInfo, new: &PluginInfo, found: &mut Found) {
    let (before, now) = (&old.descriptor, &new.descriptor);
    if old.digest == new.digest {
        found.add(&SAME_FILE, named(&now.version));
        return;
    }
    if before.id != now.id {
        found.add(&OTHER_CONNECTOR, became(&before.id, &now.id));
    }
    let kind = match (Version::parse(&before.version), Version::parse(&now.version)) {
        (Ok(older), Ok(newer)) => match older.cmp_precedence(&newer) {
            std::cmp::Ordering::Greater => &OLDER,
            std::cmp::Ordering::Equal => &SAME_VERSION,
            std::cmp::Ordering::Less if newer.major > older.major => &MAJOR,
            std::cmp::Ordering::Less => &NEWER,
        },
        _ if before.version == now.version => &SAME_VERSION,
        _ => &UNORDERED,
    };
    found.add(
        kind,
        if before.version == now.version {
            named(&now.version)
        } else {
            became(&before.version, &now.version)
        },
    );
    if old.contract_version != new.contract_version {
        found.add(&CONTRACT, became(&old.contract_version, &new.contract_version));
    }
    let missing_in = |names: &[String], others: &[String]| {
        let missing = others.iter().filter(|name| !names.contains(name));
        missing.map(|name| named(name)).collect::<Vec<_>>()
    };
    // Imports that differ because of the contract's version are reported as that.
    if old.contract_version == new.contract_version {
        found.extend(&IMPORTS_ADDED, missing_in(&old.imports, &new.imports));
        found.extend(&IMPORTS_REMOVED, missing_in(&new.imports, &old.imports));
        let (added, removed) =
            (missing_in(&old.exports, &new.exports), missing_in(&new.exports, &old.exports));
        found.extend(&EXPORTS, added.iter().map(|name| format!("also {name}")));
        found.extend(&EXPORTS, removed.iter().map(|name| format!("no longer {name}")));
    }
    if old.size != new.size {
        found.add(&SIZE, format!("{} bytes became {}", grouped(old.size), grouped(new.size)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::complete;
    use crate::diff::testing::lines;

    fn info() -> PluginInfo {
        PluginInfo {
            descriptor: complete(),
            imports: vec!["smp:connector/http@0.1.0".into()],
            exports: vec!["smp:connector/connector@0.1.0".into()],
            contract_version: "0.1.0".into(),
            size: 1_000,
            digest: "sha256:00".into(),
            toolchain: smp_host::component::outline::Toolchain::default(),
        }
    }

    fn said(change: impl Fn(&mut PluginInfo)) -> Vec<String> {
        let mut new = PluginInfo { digest: "sha256:01".into(), ..info() };
        change(&mut new);
        let mut found = Found::default();
        compare(&info(), &new, &mut found);
        lines(found)
    }

    #[test]
    fn a_version_is_newer_older_the_same_or_none() {
        let version = |version: &str| said(|new| new.descriptor.version = version.into());
        assert_eq!(version("0.2.0"), ["harmless newer-version: `0.1.0` became `0.2.0`"]);
        assert_eq!(version("1.0.0"), ["look major-version: `0.1.0` became `1.0.0`"]);
        assert_eq!(version("0.1.0-rc.1"), ["look older-version: `0.1.0` became `0.1.0-rc.1`"]);
        assert_eq!(version("0.1.0"), ["look same-version: `0.1.0`"]);
        assert_eq!(
            version("0.1.0+2"),
            ["look same-version: `0.1.0` became `0.1.0+2`"],
            "build metadata does not count for the order"
        );
        assert_eq!(version("next"), ["look version-unordered: `0.1.0` became `next`"]);
    }

    #[test]
    fn the_same_bytes_are_the_same_whatever_else() {
        assert_eq!(said(|new| new.digest = "sha256:00".into()), ["harmless same-file: `0.1.0`"]);
    }

    #[test]
    fn another_id_contract_import_or_size_is_told() {
        let said = |change: fn(&mut PluginInfo)| {
            let version = "0.1.1";
            let mut lines = said(|new| {
                new.descriptor.version = version.into();
                change(new);
            });
            lines.retain(|line| !line.contains("newer-version"));
            lines
        };
        assert_eq!(
            said(|new| new.descriptor.id = "other".into()),
            ["blocking other-connector: `example` became `other`"]
        );
        assert_eq!(
            said(|new| {
                new.contract_version = "0.1.1".into();
                new.imports = vec!["smp:connector/http@0.1.1".into()];
            }),
            ["look contract-version: `0.1.0` became `0.1.1`"]
        );
        assert_eq!(
            said(|new| new.imports.push("smp:connector/log@0.1.0".into())),
            ["look imports-added: `smp:connector/log@0.1.0`"]
        );
        assert_eq!(
            said(|new| new.imports.clear()),
            ["harmless imports-removed: `smp:connector/http@0.1.0`"]
        );
        assert_eq!(said(|new| new.exports.push("run".into())), ["harmless exports: also `run`"]);
        assert_eq!(said(|new| new.size = 999), ["harmless size: 1,000 bytes became 999"]);
    }
}
