//! Checks the file: whether it is a component of the contract, its size, and whether it compiles
//! and describes itself.

use std::time::{Duration, Instant};

use super::Subject;
use super::rules::{
    COMPILES, COMPONENT, DESCRIBES, Definition, Findings, IMPORTS, Outcomes, POOLED, SIZE, SLIM,
};
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::{LoadStep, Plugin};
use smp_host::failure::Failure;
use smp_host::limits::{Bound, Limits};
use smp_host::remedy::Remedy;
use smp_host::text::{grouped, shortened};

/// A size that no connector needs, in bytes. One in Rust with a JSON parser has a sixth of it, one
/// in Go about as much.
const SLIM_SIZE: u64 = 1024 * 1024;

/// Reads the file and loads it. `None` if it cannot be loaded; the outcomes say why.
pub(super) async fn load(subject: &Subject, outcomes: &mut Outcomes) -> Option<(Plugin, Duration)> {
    let limits = &subject.limits;
    let bytes = &subject.file;
    size(u64::try_from(bytes.len()).unwrap_or(u64::MAX), limits, outcomes)?;
    // Only code that compiled within the usual limits is in the cache.
    let usual = Limits::default();
    let is_tighter =
        limits.compile_time < usual.compile_time || limits.compile_memory < usual.compile_memory;
    let options = EngineOptions {
        limits: limits.clone(),
        cache: subject.cache.clone().filter(|_| !is_tighter),
        ..EngineOptions::new(subject.compiler.clone())
    };
    let engine = match Engine::new(&options) {
        Ok(engine) => engine,
        Err(failure) => {
            broken(&COMPILES, &failure, outcomes);
            return None;
        }
    };
    let (mut step, mut began, mut compiling) = (LoadStep::File, Instant::now(), Duration::ZERO);
    let loaded = Plugin::load_telling(&engine, bytes, |begins| {
        if step == LoadStep::Compile {
            compiling = began.elapsed();
        }
        (step, began) = (begins, Instant::now());
    })
    .await;
    match loaded {
        Ok(plugin) => {
            let facts = plugin.info();
            outcomes.add(Findings::of(&COMPONENT).judged("A component, of one file."));
            outcomes.add(
                Findings::of(&COMPILES)
                    .judged(format!("In less than {}.", limits.shown(Bound::CompileTime))),
            );
            let names: Vec<_> = facts.imports.iter().map(|name| short(name)).collect();
            let imports = if names.is_empty() { "nothing".to_owned() } else { names.join(" and ") };
            let mut foreign = Findings::of(&IMPORTS);
            foreign.extend(
                facts.foreign_exports().map(|name| {
                    format!("it exports `{}`, which no host calls", shortened(name, 100))
                }),
            );
            let is_foreign = facts.foreign_exports().next().is_some();
            let mut kept =
                foreign.judged(format!("Imports {imports}; contract {}.", facts.contract_version));
            if is_foreign {
                kept.remedy = Some(Remedy::Seal);
            }
            outcomes.add(kept);
            let mut pooled = Findings::of(&POOLED);
            pooled.extend(plugin.refused_by_pools().map(|failure| failure.message));
            outcomes.add(pooled.judged("Its memories and tables are few enough."));
            outcomes.add(Findings::of(&DESCRIBES).judged("And sends nothing meanwhile."));
            Some((plugin, compiling))
        }
        Err(failure) => {
            let steps: [(LoadStep, &'static Definition); 5] = [
                (LoadStep::File, &COMPONENT),
                (LoadStep::Contract, &IMPORTS),
                (LoadStep::Compile, &COMPILES),
                (LoadStep::Link, &IMPORTS),
                (LoadStep::Describe, &DESCRIBES),
            ];
            // The types are part of the contract, as the names before them are.
            let failed = steps.iter().find(|(at, _)| *at == step).map(|(_, rule)| rule.id);
            for (at, rule) in steps {
                if at == step {
                    broken(rule, &failure, outcomes);
                } else if at < step && Some(rule.id) != failed && at != LoadStep::Link {
                    outcomes.add(Findings::of(rule).judged("Yes."));
                }
            }
            None
        }
    }
}

/// Judges the size. `None` if no host accepts it.
fn size(size: u64, limits: &Limits, outcomes: &mut Outcomes) -> Option<()> {
    let (mut too_large, mut large) = (Findings::of(&SIZE), Findings::of(&SLIM));
    if size > limits.component {
        too_large.add(format!(
            "it is larger than the {} that a host accepts",
            limits.shown(Bound::Component)
        ));
    } else if size > SLIM_SIZE {
        large.add(format!(
            "it has {} bytes; {} are enough for a connector",
            grouped(size),
            grouped(SLIM_SIZE)
        ));
    }
    let fits = size <= limits.component;
    outcomes.add(too_large.judged(format!("{} bytes.", grouped(size))));
    if fits {
        outcomes.add(large.judged(format!("Less than {} bytes.", grouped(SLIM_SIZE))));
    }
    fits.then_some(())
}

fn broken(rule: &'static Definition, failure: &Failure, outcomes: &mut Outcomes) {
    let mut findings = Findings::of(rule);
    findings.add(failure.message.clone());
    let mut judged = findings.judged("");
    // The failure's own hint is more precise than the rule's if it addresses the author.
    if failure.code == smp_host::failure::Code::Component && failure.hint.is_some() {
        judged.hint.clone_from(&failure.hint);
        judged.remedy = Some((*failure.remedy).clone());
    }
    outcomes.add(judged);
}

/// The name of an interface without package and version.
fn short(name: &str) -> &str {
    let interface = name.rsplit('/').next().unwrap_or(name);
    interface.split('@').next().unwrap_or(interface)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_host::validation::CheckOutcome;

    fn outcome_of(bytes: u64, rule: &str) -> CheckOutcome {
        let mut outcomes = Outcomes::default();
        size(bytes, &Limits::default(), &mut outcomes);
        outcomes.complete("", None).into_iter().find(|outcome| outcome.id == rule).unwrap().outcome
    }

    #[test]
    fn a_large_file_is_noted_and_a_too_large_one_fails() {
        let noted = |bytes| {
            let mut outcomes = Outcomes::default();
            size(bytes, &Limits::default(), &mut outcomes);
            outcomes.complete("", None).into_iter().find(|rule| rule.id == "is-slim").unwrap()
        };
        assert!(!noted(SLIM_SIZE).is_note());
        assert!(noted(SLIM_SIZE + 1).is_note());
        assert_eq!(noted(SLIM_SIZE + 1).outcome, CheckOutcome::Passed);
        assert_eq!(
            outcome_of(Limits::default().component, "is-small-enough"),
            CheckOutcome::Passed
        );
        assert_eq!(
            outcome_of(Limits::default().component + 1, "is-small-enough"),
            CheckOutcome::Failed
        );
    }
}
