//! What `--version` says beyond the number that `-V` prints: the commit and the contract.

use std::sync::LazyLock;

use smp_host::contract;

/// The commit that was checked out when this was built. `build.rs` sets it.
const COMMIT: Option<&str> = option_env!("SMP_HARNESS_COMMIT");

/// The long form, a fact on each line.
pub(crate) fn long() -> &'static str {
    static LONG: LazyLock<String> = LazyLock::new(|| said(COMMIT));
    &LONG
}

fn said(commit: Option<&str>) -> String {
    format!(
        "{}\ncommit: {}\ncontract: {}@{}",
        env!("CARGO_PKG_VERSION"),
        commit.unwrap_or("unknown, built without git"),
        contract::PACKAGE,
        contract::VERSION
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_git_says_so() {
        assert!(said(None).contains("\ncommit: unknown, built without git\n"), "{}", said(None));
        assert!(said(Some("0a1b")).contains("\ncommit: 0a1b\n"));
    }
}
