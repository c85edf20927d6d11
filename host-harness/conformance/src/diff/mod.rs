//! Compares two builds of a connector, to show what an upgrade would change.
//!
//! A platform tells its operators that an upgrade is available, and retires the credentials of the
//! old build once those of the new one are validated. So it matters whether stored settings keep
//! working, what else the new build needs, and which members are missing afterwards.
//!
//! | part | what it compares |
//! |---|---|
//! | `identity` | id, version, contract, imports, size |
//! | `authority` | the origin, endpoints, scopes, the rate, the data collected, the permissions to connect |
//! | `form` | settings and how secrets are used |
//! | `texts` | texts that differ |
//! | `traffic` · `side` · `ends` · `members` | the outcomes of both on the same recorded traffic |
//! | `expected` | two outcomes of one case, for the author who vouches for the new one |
//!
//! The first four compare descriptors, and are pure. Every finding is a row of the table in
//! `kinds`, which sets its class. Both builds are played as in `check`: if the traffic has no
//! answer, the connection fails, which is a separate finding. Later results of that case are not
//! compared, and never reported as lost members.

pub mod changes;
pub mod expected;

mod kinds;

mod authority;
mod form;
mod identity;
mod texts;

mod ends;
mod members;
mod side;
mod traffic;

#[cfg(test)]
mod testing;

use std::path::PathBuf;

use crate::check::verdict::Connector;
use crate::diff::changes::Changes;
use smp_host::component::plugin::Plugin;
use smp_host::failure::Failure;

use kinds::Found;

/// Compares two builds of a connector, on the traffic in these folders, from
/// [`smp_replay::player::cases::find`].
///
/// # Errors
/// `contract` if a build names no origin. A fault in a case is a finding.
pub async fn compare(old: &Plugin, new: &Plugin, fixtures: &[PathBuf]) -> Result<Changes, Failure> {
    let mut found = Found::default();
    let (mut approvals, mut cases) = (Vec::new(), Vec::new());
    identity::compare(old.info(), new.info(), &mut found);
    // The same file behaves the same: a component has no clock and no randomness.
    if old.info().digest != new.info().digest {
        let (before, now) = (old.descriptor(), new.descriptor());
        authority::compare(before, now, &mut found, &mut approvals);
        form::compare(&before.settings, &now.settings, &mut found);
        texts::compare(before, now, &mut found);
        cases = traffic::compare([old, new], fixtures, &mut found).await?;
    }
    Ok(Changes {
        old: Connector::of(old.info()),
        new: Connector::of(new.info()),
        findings: found.complete(),
        approvals,
        cases,
    })
}
