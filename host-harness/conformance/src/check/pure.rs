//! Checks that a connector describes itself the same way at any time.

use std::sync::Arc;

use super::recorded::{self, PlayedCase};
use super::rules::{Findings, Outcomes, PURE};
use smp_host::component::session::SessionOptions;
use smp_host::contract::Descriptor;
use smp_host::failure::Failure;
use smp_replay::player::Player;

/// Asks again in the same instance, in another one, and after calls that got no answer. Adds what
/// was found after collections.
pub(super) async fn judge(player: &Player, cases: &[Arc<PlayedCase>], outcomes: &mut Outcomes) {
    let mut findings = Findings::of(&PURE);
    let mut session = player.plugin().session(SessionOptions::powerless(player.limits().clone()));
    compare(session.describe().await, "in another instance", player, &mut findings);
    compare(session.describe().await, "the second time in one instance", player, &mut findings);
    // The results do not matter: this run has no grants.
    let _ = session.validate().await;
    let _ = session.connect().await;
    let _ = session.collect(None).await;
    compare(session.describe().await, "after the other calls", player, &mut findings);
    recorded::impure(cases, &mut findings);
    outcomes.add(findings.judged("Twice, elsewhere, and after other calls."));
}

fn compare(
    came: Result<Descriptor, Failure>,
    when: &str,
    player: &Player,
    findings: &mut Findings,
) {
    match came {
        Ok(descriptor) if descriptor == *player.plugin().descriptor() => {}
        Ok(_) => findings.add(format!("the descriptor differs {when}")),
        Err(failure) => findings
            .add(format!("{when}, describing ends as `{}`: {}", failure.code, failure.message)),
    }
}
