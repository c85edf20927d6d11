//! Helpers for the tests of the comparing modules.

use super::kinds::Found;
use crate::check::testing::complete;
use smp_host::contract::Descriptor;

/// The findings, a line for each detail.
pub(super) fn lines(found: Found) -> Vec<String> {
    let findings = found.complete();
    let lines = findings.iter().flat_map(|finding| {
        let before = format!("{} {}", finding.class.as_str(), finding.id);
        finding.details.iter().map(move |detail| format!("{before}: {detail}"))
    });
    lines.collect()
}

/// The findings after this change of a complete descriptor.
pub(super) fn said(
    compare: fn(&Descriptor, &Descriptor, &mut Found),
    change: impl Fn(&mut Descriptor),
) -> Vec<String> {
    let (old, mut new, mut found) = (complete(), complete(), Found::default());
    change(&mut new);
    compare(&old, &new, &mut found);
    lines(found)
}
