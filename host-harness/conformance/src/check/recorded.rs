//! Plays every fixture case unchanged: its outcome, the same in one instance and in another, and
//! resumed at every page.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::fault::{readable, word_for};
use super::fields::Known;
use super::judge::{self, Breach};
use super::resume::{self, Resumed};
use super::rules::{
    AGAIN, COVERED, EXPECTED, Findings, Outcomes, REPEATABLE, RESUMED, SOUND, Severity, TOLD,
    skipped,
};
use super::{Watcher, difference, parallel};
use smp_host::contract::{MemberPage, UsagePage};
use smp_host::failure::{Code, Failure};
use smp_host::observer::Silent;
use smp_host::settings::Checked;
use smp_host::text::counted;
use smp_replay::player::call::{Call, End, Played};
use smp_replay::player::case::{Case, name_of};
use smp_replay::player::{Mode, Player};

/// A case that was played unchanged.
pub(super) struct PlayedCase {
    pub(super) case: Case,
    /// The calls and their outcomes.
    pub(super) calls: Vec<(Call, Played)>,
    found: Found,
}

/// Findings about one case.
#[derive(Default)]
struct Found {
    differs: Option<String>,
    untold: bool,
    repeats: Vec<String>,
    impure: Vec<String>,
    resumed: Vec<Resumed>,
    breaches: Vec<(Call, Breach)>,
}

/// Plays every case. Those that cannot be played are reported and left out.
pub(super) async fn all(
    player: &Arc<Player>,
    folders: &[PathBuf],
    partial: bool,
    watcher: &Arc<dyn Watcher>,
    outcomes: &mut Outcomes,
) -> Vec<Arc<PlayedCase>> {
    watcher.begins("fixtures", folders.len());
    let (on, watching) = (Arc::clone(player), Arc::clone(watcher));
    let came = parallel::each(folders.to_vec(), move |folder| {
        let (player, watcher) = (Arc::clone(&on), Arc::clone(&watching));
        async move {
            let came = one(&player, &folder).await.map_err(|failure| (name_of(&folder), failure));
            watcher.step();
            came
        }
    })
    .await;
    let mut unsound = Findings::of(&SOUND);
    let mut cases = Vec::new();
    for came in came {
        match came {
            Ok(case) => cases.push(case),
            Err((name, failure)) => unsound.add(format!("{name}: {}", failure.message)),
        }
    }
    outcomes.add(unsound.judged(format!("{}.", counted(cases.len(), "case"))));
    // Without a case there is nothing to report: the rules are skipped.
    if !cases.is_empty() {
        tell(player, &cases, partial, outcomes);
    }
    cases.into_iter().map(Arc::new).collect()
}

async fn one(player: &Player, folder: &std::path::Path) -> Result<PlayedCase, Failure> {
    let case = player.case(folder)?;
    let mut found = Found::default();
    let came = player.outcome(&case).await?;
    match case.fixture.expected()? {
        None => found.untold = true,
        Some(expected) => {
            let moved = || player.moved(&case.fixture).map(|moved| format!("; {moved}"));
            found.differs = difference::first(&expected, &came)
                .map(|differs| differs + &moved().unwrap_or_default());
        }
    }
    let again = player.outcome(&case).await?;
    let bytes = |value: &serde_json::Value| value.to_string().into_bytes();
    if bytes(&came) != bytes(&again) {
        let what = difference::first(&came, &again)
            .unwrap_or_else(|| "the order of fields differs".into());
        found.repeats.push(format!("in another instance, {what}"));
    }
    let mut calls = Vec::new();
    if let Ok(checked) = &case.checked {
        let word = word_for(&player.plugin().info().digest);
        for call in player.calls_of(&case) {
            let played = player.play(&case, checked, call, None).await?;
            found
                .breaches
                .extend(judge::always(&played, &word).into_iter().map(|breach| (call, breach)));
            calls.push((call, played));
        }
        repeat(player, &case, checked, &mut found).await?;
        for (call, played) in &calls {
            if matches!(played.end, End::List { .. }) {
                let resumed = match call {
                    Call::Usage => resume::resumed::<UsagePage>(player, &case, checked).await?,
                    _ => resume::resumed::<MemberPage>(player, &case, checked).await?,
                };
                found.resumed.push(resumed);
            }
        }
    }
    Ok(PlayedCase { case, calls, found })
}

/// Repeats the calls in one instance, and describes the connector between them.
async fn repeat(
    player: &Player,
    case: &Case,
    checked: &Checked,
    found: &mut Found,
) -> Result<(), Failure> {
    let playback = player.playback(&case.fixture, Mode::Lenient(None))?;
    let mut session = playback.session(checked, Arc::new(Silent));
    let mut before = None;
    for round in 0..2 {
        playback.traffic().go_on_after(&[]);
        let report = session.validate().await;
        playback.traffic().go_on_after(&[]);
        let account = session.connect().await;
        playback.traffic().go_on_after(&[]);
        let page = session.collect(None).await;
        let failures = [report.as_ref().err(), account.as_ref().err(), page.as_ref().err()];
        if failures.into_iter().flatten().any(|failure| failure.code == Code::Denied) {
            // The host has ended the run for it, and answers every later call with that.
            return Ok(());
        }
        match session.describe().await {
            Ok(descriptor) if descriptor == *player.plugin().descriptor() => {}
            Ok(_) => found.impure.push("the descriptor differs after a collection".into()),
            Err(failure) if failure.code == Code::Contract => found.impure.push(failure.message),
            Err(failure) => found
                .impure
                .push(format!("after a collection, describing ends as `{}`", failure.code)),
        }
        let now = (report, account, page);
        match before.take() {
            None => before = Some(now),
            Some(before) if round > 0 => {
                let differs = [
                    ("validate", before.0 != now.0),
                    ("connect", before.1 != now.1),
                    ("collect", before.2 != now.2),
                ];
                let differing = differs.into_iter().filter(|(_, differs)| *differs);
                found.repeats.extend(differing.map(|(call, _)| {
                    format!("{call} gives something else the second time in one instance")
                }));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn tell(player: &Player, cases: &[PlayedCase], partial: bool, outcomes: &mut Outcomes) {
    let (mut differing, mut untold) = (Findings::of(&EXPECTED), Findings::of(&TOLD));
    let (mut repeats, mut elsewhere, mut again) =
        (Findings::of(&REPEATABLE), Findings::of(&RESUMED), Findings::of(&AGAIN));
    let (mut covered, mut resumed) = (BTreeSet::new(), 0);
    for PlayedCase { case, calls, found } in cases {
        let name = &case.name;
        differing.extend(found.differs.iter().map(|what| format!("{name}: {what}")));
        if found.untold {
            untold.add(format!("{name} has no expected.json"));
        }
        repeats.extend(found.repeats.iter().map(|what| format!("{name}: {what}")));
        for found in &found.resumed {
            resumed += 1;
            elsewhere.extend(found.elsewhere.iter().cloned());
            again.extend(found.again.iter().cloned());
        }
        let held =
            calls.iter().flat_map(|(_, played)| &played.exchanges).filter(|exchange| exchange.held);
        covered.extend(held.filter_map(|exchange| player.endpoint(&exchange.request)));
    }
    let mut unused = Findings::of(&COVERED);
    unused.extend(
        (0..player.endpoints())
            .filter(|number| !covered.contains(number))
            .map(|number| format!("`{}` is called in no fixture", player.endpoint_named(number))),
    );
    let told = cases.iter().filter(|case| !case.found.untold).count();
    outcomes.add(match told {
        0 => skipped(
            &EXPECTED,
            "Skipped: no fixture has an expected outcome.",
            Some((TOLD.hint, TOLD.remedy())),
        ),
        told => differing.judged(format!("{}.", counted(told, "case"))),
    });
    outcomes.add(untold.judged(format!("{told} of {}.", cases.len())));
    let severity = if partial { Severity::Note } else { COVERED.severity };
    outcomes.add(unused.judged_as(severity, format!("All {}.", player.endpoints())));
    outcomes.add(repeats.judged("Twice in one instance, and in another."));
    if resumed == 0 {
        return;
    }
    outcomes.add(
        elsewhere.judged(format!("{}, taken up at every page.", counted(resumed, "whole list"))),
    );
    outcomes.add(again.judged("Each page of these lists, requested twice."));
}

impl PlayedCase {
    /// Whether this call takes too long without a fault.
    pub(super) fn hung(&self, call: Call) -> bool {
        self.calls.iter().any(|(other, played)| *other == call && played.end.hung())
    }

    /// Whether its outcome is the expected one. `None` if none is expected.
    pub(super) fn is_as_expected(&self) -> Option<bool> {
        (!self.found.untold).then_some(self.found.differs.is_none())
    }

    /// The breaches without a fault.
    pub(super) fn breaches(&self) -> impl Iterator<Item = (Call, &Breach)> {
        self.found.breaches.iter().map(|(call, breach)| (*call, breach))
    }
}

/// The descriptor after a collection, if a case shows that it changed.
pub(super) fn impure(cases: &[Arc<PlayedCase>], findings: &mut Findings) {
    for case in cases {
        for what in &case.found.impure {
            findings.add_of_kind(what.clone(), format!("{}: {what}", case.case.name));
        }
    }
}

/// The fields that the service leaves out, learned from the complete lists of all cases.
pub(super) fn known(player: &Player, cases: &[Arc<PlayedCase>]) -> Known {
    let mut known = Known::default();
    let whole = cases
        .iter()
        .flat_map(|case| &case.calls)
        .filter(|(_, played)| matches!(played.end, End::List { .. }));
    for exchange in whole.flat_map(|(_, played)| &played.exchanges) {
        if let (Some(endpoint), Some((_, value))) =
            (player.endpoint(&exchange.request), readable(&exchange.answer))
        {
            known.learn(endpoint, &value);
        }
    }
    known
}
