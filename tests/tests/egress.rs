//! Tests of egress: a connector's requests go only to the approved origin, and only if it has a
//! public address.
//!
//! The connectors are the Atlassian one with another API base of the same length, so that nothing
//! else differs.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::{Path, PathBuf};

use smp_tests::harness::{Lonely, Run, component, test_component};
use smp_tests::mock::Mock;

const BASE: &str = "https://api.atlassian.com";

#[test]
fn no_private_network_is_reached_though_the_origin_was_approved() {
    let (lonely, folder, mock) =
        (Lonely::start(), tempfile::tempdir().unwrap(), Mock::builder().start().unwrap());
    let port = lonely.url().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    for base in [
        format!("https://localhost:{port:07}"),
        format!("https://127.0.0.1:{port:07}"),
        format!("https://2130706433:{port:06}"),
        format!("https://[::1]:{port:011}"),
        "https://169.254.169.254:1".to_owned(),
        "https://10.0.0.1:00000443".to_owned(),
    ] {
        let connector = leading_to(&base, folder.path());
        for command in ["validate", "connect", "collect"] {
            let run = Run::bare()
                .args([command.as_ref(), connector.as_os_str()])
                .for_organization_of(&mock);
            let ended = run.args(["--allow-origin", &base, "--rate", "off", "--json"]).end();
            let told = ended.said("denied");
            assert_eq!(ended.code, Some(1), "{base}: {told}");
            assert!(
                told.contains("private address") && told.contains("`--upstream URL`"),
                "{base}: {told}"
            );
        }
    }
    assert!(!lonely.was_visited());
}

#[test]
fn a_range_is_declared_only_as_a_vpn_or_a_private_network_has_it() {
    for (range, words) in [
        ("198.18.0.25", "write a range of addresses such as 198.18.0.0/15"),
        ("127.0.0.0/8", "only these ranges, or parts of them"),
        ("169.254.0.0/16", "only these ranges, or parts of them"),
        ("0.0.0.0/0", "only these ranges, or parts of them"),
    ] {
        let ended = Run::new("validate").args(["--allow-range", range, "--json"]).end();
        let said = ended.said("invalid-settings");
        assert!(ended.code == Some(2) && said.contains(words), "{range}: {said}");
    }
}

#[test]
fn the_address_that_a_name_has_here_is_told() {
    let (folder, mock) = (tempfile::tempdir().unwrap(), Mock::builder().start().unwrap());
    let base = "https://localhost:0000009";
    let connector = leading_to(base, folder.path());
    let run = Run::bare().arg("connect").arg(&connector).for_organization_of(&mock);
    // A range of something else does not help.
    let run = run.args(["--allow-origin", base, "--allow-range", "198.18.0.0/15"]);
    let told = run.arg("--json").end().said("denied");
    assert!(told.contains("localhost is 127.0.0.1 here") || told.contains("localhost is ::1 here"));
}

#[test]
fn an_origin_that_the_operator_names_may_be_anywhere() {
    let (folder, mock) =
        (tempfile::tempdir().unwrap(), Mock::builder().members(3).start().unwrap());
    let connector = leading_to("https://169.254.169.254:1", folder.path());
    let ended = Run::bare()
        .args(["collect".as_ref(), connector.as_os_str()])
        .at(&mock)
        .args(["--format", "ndjson"])
        .end();
    assert_eq!((ended.code, ended.lines().len()), (Some(0), 3), "{}", ended.stderr);
}

#[test]
fn a_get_is_not_granted_by_name_and_neither_is_what_is_not_declared() {
    let (ours, reading) = (component(), test_component("tame"));
    for (connector, grant, hint) in [
        (&reading, "POST /v1/orgs", "only GET endpoints"),
        (&ours, "POST /admin/v1/orgs", "POST /admin/v2/orgs/{organization-id}/workspaces"),
        (&ours, "DELETE /admin/v1/orgs", "for example 'POST /v1/search'"),
        (&ours, "POST", "write the method and the path"),
    ] {
        let ended = Run::bare()
            .args(["validate".as_ref(), connector.as_os_str()])
            .args([
                "--set",
                "organization-id=x",
                "--upstream",
                "http://127.0.0.1:1",
                "--grant",
                grant,
            ])
            .end();
        assert_eq!(ended.code, Some(2), "{grant}: {}", ended.stderr);
        let said = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(hint), "{grant}: {said}");
    }
}

#[test]
fn what_is_more_than_a_get_is_shown_and_granted_by_name() {
    const SEARCH: &str = "POST /v1/orgs/{organization-id}/search";
    let (mock, home) = (Mock::builder().start().unwrap(), tempfile::tempdir().unwrap());
    let run = || {
        let run = Run::bare()
            .args(["collect".as_ref(), test_component("posts").as_os_str()])
            .env("XDG_STATE_HOME", home.path());
        run.args([
            "--set",
            "organization-id=acme",
            "--secret",
            "api-key=env:KEY",
            "--upstream",
            &mock.url(),
            "--rate",
            "off",
        ])
        .env("KEY", "a-made-up-key")
    };
    let posted = || {
        mock.log()
            .iter()
            .filter(|request| request.method == "POST" && request.path == "/v1/orgs/acme/search")
            .count()
    };

    let ended = run().args(["--json"]).end();
    assert!(
        ended.code == Some(1) && ended.said("denied").contains(&format!("`--grant '{SEARCH}'`")),
        "{}",
        ended.stderr
    );
    let ended = run().on_a_terminal("n\n");
    assert!(
        ended.code == Some(1) && ended.stderr.contains(SEARCH) && ended.stderr.contains("[y/N]"),
        "{}",
        ended.stderr
    );
    assert_eq!((posted(), mock.requests()), (0, 0), "nothing has left");

    let _ended = run().args(["--grant", SEARCH]).end();
    assert_eq!(posted(), 1, "granted on the command line, for this run");
    assert!(run().args(["--json"]).end().said("denied").contains("not granted"));
    let ended = run().on_a_terminal("yes\n");
    assert_eq!(posted(), 2, "granted on the terminal: {}", ended.stderr);
    let ended = run().on_a_terminal("");
    assert!(posted() == 3 && !ended.stderr.contains("[y/N]"), "and remembered: {}", ended.stderr);
}

/// The Atlassian connector with another API base.
fn leading_to(base: &str, folder: &Path) -> PathBuf {
    assert_eq!(base.len(), BASE.len(), "{base}");
    let bytes = std::fs::read(component()).unwrap();
    let found: Vec<usize> = bytes
        .windows(BASE.len())
        .enumerate()
        .filter(|(_, window)| *window == BASE.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert_eq!(found.len(), 1, "the base stands in the component once");
    let mut changed = bytes;
    changed[found[0]..found[0] + BASE.len()].copy_from_slice(base.as_bytes());
    let path = folder.join(format!("{}.wasm", base.replace([':', '/', '[', ']'], "_")));
    std::fs::write(&path, changed).unwrap();
    path
}
