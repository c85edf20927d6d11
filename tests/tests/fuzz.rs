//! Runs every target of `smp_tests::fuzz` on the seeds, on former failures, and on mutations of
//! both that are the same in each run.
//!
//! ```text
//! FUZZ_FACTOR=100 cargo test --release --workspace --test fuzz       a hundred times as many mutations
//! FUZZ_INPUT=FILE cargo test --release --workspace --test fuzz har   one input, for one target
//! ```
//! `make fuzz` runs them endlessly, guided by coverage.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a property that does not hold is reported by panicking"
)]

use std::fs;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use mutatis::Session;
use smp_tests::fuzz::mutate::Bytes;
use smp_tests::fuzz::{TARGETS, Target, component};
use smp_tests::harness::{self, folder, names};

/// Most changes of one input: with more, little is left of the seed.
const MOST_CHANGES: u32 = 6;

#[test]
fn answers_of_any_kind_end_as_the_contract_has_it() {
    holds("answers");
}

#[test]
fn a_checkpoint_is_believed_as_far_as_it_was_written() {
    holds("checkpoint");
}

#[test]
fn a_component_of_any_bytes_is_loaded_or_refused() {
    holds("component");
}

#[test]
fn a_har_is_refused_or_given_and_recorded_as_it_stands() {
    holds("har");
}

#[test]
fn what_belongs_to_a_release_is_read_or_refused() {
    holds("packages");
}

#[test]
fn a_policy_lets_nothing_out_that_a_server_reads_otherwise() {
    holds("policy");
}

#[test]
fn a_recording_is_read_as_it_was_answered() {
    holds("recording");
}

#[test]
fn settings_never_hold_or_repeat_a_key() {
    holds("settings");
}

#[test]
fn waits_end_within_their_budget() {
    holds("waits");
}

#[test]
fn words_are_read_as_others_read_them() {
    holds("words");
}

#[test]
fn every_target_has_seeds_and_all_but_the_loader_are_guided_by_coverage() {
    let all: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names(&folder("fuzz/corpus")), all);
    let guided: Vec<String> =
        all.iter().filter(|name| **name != "component").map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&folder("fuzz/fuzz_targets")), guided);
    assert!(names(&folder("fuzz/regressions")).iter().all(|name| all.contains(&name.as_str())));
}

/// Runs a target on all of its inputs.
fn holds(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    if let Some(path) = std::env::var_os("FUZZ_INPUT") {
        return (target.run)(&fs::read(path).expect("FUZZ_INPUT names a file"));
    }
    let seeds = seeds(name);
    assert!(!seeds.is_empty());
    for (path, bytes) in &seeds {
        tried(target, bytes, || path.clone());
    }
    let factor = std::env::var("FUZZ_FACTOR")
        .ok()
        .map_or(1, |factor| factor.parse().expect("FUZZ_FACTOR is a number"));
    let others: Vec<Vec<u8>> = seeds.into_iter().map(|(_, bytes)| bytes).collect();
    let hot: Vec<Vec<Range<usize>>> = others
        .iter()
        .map(|bytes| if name == "component" { component::hot(bytes) } else { Vec::new() })
        .collect();
    for number in 0..target.mutations * factor {
        let seed = chosen(number as usize, &hot);
        let (Some(bytes), Some(hot)) = (others.get(seed), hot.get(seed)) else { continue };
        let input = mutated(target, bytes, &others, hot, number);
        tried(target, &input, || kept(name, number, &input));
    }
}

/// The seed for the mutation of this number: all in turn, except for a seed that is changed inside,
/// a built component. Its mutants are compiled, which is slow. It is the last one.
fn chosen(number: usize, hot: &[Vec<Range<usize>>]) -> usize {
    match hot.iter().position(|hot| !hot.is_empty()) {
        Some(built) if number.is_multiple_of(5) => built,
        Some(built) => number % built.max(1),
        None => number % hot.len(),
    }
}

/// The mutation of this number: the same in each run.
fn mutated(
    target: &Target,
    seed: &[u8],
    others: &[Vec<u8>],
    hot: &[Range<usize>],
    number: u32,
) -> Vec<u8> {
    let mut value = seed.to_vec();
    let mut mutator = Bytes { dictionary: target.dictionary, others, hot };
    let mut session = Session::new().seed(u64::from(number));
    for _ in 0..=number % MOST_CHANGES {
        session.mutate_with(&mut mutator, &mut value).expect("a change");
    }
    value
}

/// Runs a target on one input, and names it if it fails.
fn tried(target: &Target, input: &[u8], path: impl FnOnce() -> PathBuf) {
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        panic!(
            "the target `{0}` does not hold; again with\n    FUZZ_INPUT={1} cargo test --release \
             --workspace --test fuzz {0}\nOnce it is fixed, keep the input in \
             tests/fuzz/regressions/{0}/.",
            target.name,
            path().display()
        );
    }
}

/// Stores an input that failed.
fn kept(name: &str, number: u32, input: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("smp-fuzz-{name}-{number}"));
    fs::write(&path, input).expect("a file in the folder of temporary files");
    path
}

/// The seeds of a target and its former failures; for the loader also the built connector, for
/// fixtures those of the tests.
fn seeds(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths = files(&folder("fuzz/corpus").join(name));
    let regressions = folder("fuzz/regressions").join(name);
    if regressions.is_dir() {
        paths.extend(files(&regressions));
    }
    match name {
        "component" => paths.push(harness::component()),
        "har" => paths.extend(
            files(&folder("fixtures"))
                .iter()
                .map(|case| case.join("traffic.har"))
                .filter(|path| path.is_file()),
        ),
        _ => {}
    }
    paths.into_iter().map(|path| (path.clone(), fs::read(&path).expect("a seed"))).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    names(folder).iter().map(|name| folder.join(name)).collect()
}
