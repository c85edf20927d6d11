//! Whether a connector says the same about itself at any time.

use std::sync::Arc;

use super::rehearse::{self, Rehearsed};
use super::rules::{Findings, Outcomes, PURE};
use smp_host::component::session::SessionOptions;
use smp_host::contract::Descriptor;
use smp_host::failure::Failure;
use smp_replay::stage::bench::Bench;

/// Asks again in one instance, in another, and after calls that got no answer. What was seen after collections is told with it.
pub(super) async fn judge(bench: &Bench, cases: &[Arc<Rehearsed>], outcomes: &mut Outcomes) {
    let mut findings = Findings::of(&PURE);
    let mut session = bench.plugin.session(SessionOptions::powerless(bench.limits.clone()));
    compare(session.describe().await, "in another instance", bench, &mut findings);
    compare(session.describe().await, "the second time in one instance", bench, &mut findings);
    // What they come to is of no matter here: nothing is granted to this run.
    let _ = session.validate().await;
    let _ = session.connect().await;
    let _ = session.collect(None).await;
    compare(session.describe().await, "after the other calls", bench, &mut findings);
    rehearse::impure(cases, &mut findings);
    outcomes.add(findings.judged("Twice, elsewhere, and after other calls."));
}

fn compare(came: Result<Descriptor, Failure>, when: &str, bench: &Bench, findings: &mut Findings) {
    match came {
        Ok(descriptor) if descriptor == *bench.plugin.descriptor() => {}
        Ok(_) => findings.add(format!("the descriptor is another one {when}")),
        Err(failure) => findings.add(format!("{when}, describing ends as `{}`: {}", failure.code, failure.message)),
    }
}
