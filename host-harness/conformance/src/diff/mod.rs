//! What an upgrade changes, before it happens: two builds of a connector, held against each other.
//!
//! A platform tells its operators that an upgrade is there, and retires the credentials of the old
//! build once those of the new one are validated. So what matters is whether what is stored goes on
//! working, what is asked for beyond it, and who is missing afterwards.
//!
//! | part | what it compares |
//! |---|---|
//! | `identity` | id, version, contract, imports, size |
//! | `authority` | the origin, endpoints, scopes, the pace, what is collected, who may connect |
//! | `form` | settings and how secrets are used |
//! | `texts` | which texts are others |
//! | `traffic` · `side` · `ends` · `members` | what both make of the same recorded traffic |
//!
//! The first four read off what both say about themselves, and are pure. Every finding is a row of
//! the table in `kinds`, which gives it its class. Both builds are played as `check` plays them:
//! where the traffic holds no answer, the connection fails and that is a finding of its own; what
//! comes after it is not compared, and never told as lost members.

pub mod changes;

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

/// Compares two builds of a connector, on the traffic in these folders, as
/// [`smp_replay::player::cases::find`] gives them.
///
/// # Errors
/// `contract`, where a build does not even name an origin. What a case does wrong is a finding.
pub async fn compare(old: &Plugin, new: &Plugin, fixtures: &[PathBuf]) -> Result<Changes, Failure> {
    let mut found = Found::default();
    let (mut approvals, mut cases) = (Vec::new(), Vec::new());
    identity::compare(old.info(), new.info(), &mut found);
    // The same file does the same: a component has no clock and no randomness.
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
