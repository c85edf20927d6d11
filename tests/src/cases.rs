//! Plays the fixtures of a component, and compares each outcome with its `expected.json`, or writes
//! it there.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot run says so by panicking"
)]

use std::path::{Path, PathBuf};

use serde_json::Value;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::failure::Failure;
use smp_replay::fixture::write_expected;
use smp_replay::player::Player;
use tokio::runtime::Runtime;

/// The files that every case has.
const FILES: [&str; 3] = ["settings.json", "traffic.har", "expected.json"];

/// A loaded component, and the folder of its cases.
pub struct Cases {
    folder: PathBuf,
    runtime: Runtime,
    player: Player,
}

impl Cases {
    /// Loads the component.
    ///
    /// # Panics
    /// When it cannot be loaded.
    #[must_use]
    pub fn new(component: PathBuf, folder: PathBuf) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let bytes = std::fs::read(component).expect("the component is there");
        let engine = Engine::new(&EngineOptions::new(Compiler::Inside)).expect("an engine");
        let plugin = runtime.block_on(Plugin::load(&engine, &bytes)).expect("the component loads");
        Self {
            folder,
            runtime,
            player: Player::new(&plugin).expect("the component names an origin"),
        }
    }

    /// The folder of a case.
    #[must_use]
    pub fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The names of all cases, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        crate::harness::names(&self.folder)
            .into_iter()
            .filter(|name| self.folder(name).is_dir())
            .collect()
    }

    /// The outcome of a case.
    ///
    /// # Panics
    /// When it cannot be played.
    #[must_use]
    pub fn played(&self, name: &str) -> Value {
        self.play(name).unwrap_or_else(|failure| panic!("{name}: {failure}"))
    }

    fn play(&self, name: &str) -> Result<Value, Failure> {
        self.runtime.block_on(self.player.outcome(&self.player.case(&self.folder(name))?))
    }

    /// Plays every case. With `BLESS=1`, the outcome replaces the expected one.
    ///
    /// # Panics
    /// When an outcome differs from the expected one.
    pub fn assert_as_expected(&self) {
        let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
        let faults: Vec<String> = self
            .names()
            .iter()
            .filter_map(|name| Some(format!("{name}: {}", self.fault(name, bless)?)))
            .collect();
        assert!(
            faults.is_empty(),
            "{}\n(BLESS=1 writes what came; read the difference before it is committed)",
            faults.join("\n")
        );
    }

    /// What is wrong with a case.
    fn fault(&self, name: &str, bless: bool) -> Option<String> {
        let folder = self.folder(name);
        let came = match self.play(name) {
            Ok(came) => came,
            Err(failure) => return Some(failure.to_string()),
        };
        if bless {
            write_expected(&folder, &came).expect("`expected.json` can be written");
        }
        let missing: Vec<_> = FILES.iter().filter(|file| !folder.join(file).is_file()).collect();
        if !missing.is_empty() {
            return Some(format!("{missing:?} missing; BLESS=1 writes expected.json"));
        }
        let expected = read(&folder.join("expected.json"));
        (expected != text(&came)).then(|| difference(&expected, &came))
    }
}

/// A value as `expected.json` has it.
///
/// # Panics
/// Never: every value can be written.
#[must_use]
pub fn text(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a value can be written") + "\n"
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the file is there, and text")
}

/// The first difference between the outcome and the expected one.
fn difference(expected: &str, came: &Value) -> String {
    match serde_json::from_str(expected) {
        Err(error) => format!("expected.json is not JSON: {error}"),
        Ok(expected) => first_difference("", &expected, came)
            .unwrap_or_else(|| "the same values, written in another way".to_owned()),
    }
}

fn first_difference(path: &str, expected: &Value, came: &Value) -> Option<String> {
    match (expected, came) {
        (Value::Object(expected), Value::Object(came)) => {
            let keys =
                expected.keys().chain(came.keys().filter(|key| !expected.contains_key(*key)));
            keys.map(|key| (key, expected.get(key), came.get(key))).find_map(
                |(key, expected, came)| {
                    let path = format!("{path}.{key}");
                    match (expected, came) {
                        (Some(expected), Some(came)) => first_difference(&path, expected, came),
                        (expected, came) => Some(told(&path, expected, came)),
                    }
                },
            )
        }
        (Value::Array(expected), Value::Array(came)) => {
            let length = expected.len().max(came.len());
            (0..length).map(|index| (index, expected.get(index), came.get(index))).find_map(
                |(index, expected, came)| {
                    let path = format!("{path}[{index}]");
                    match (expected, came) {
                        (Some(expected), Some(came)) => first_difference(&path, expected, came),
                        (expected, came) => Some(told(&path, expected, came)),
                    }
                },
            )
        }
        (expected, came) => (expected != came).then(|| told(path, Some(expected), Some(came))),
    }
}

fn told(path: &str, expected: Option<&Value>, came: Option<&Value>) -> String {
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    format!("`{path}`\n  expected {}\n  came     {}", shown(expected), shown(came))
}
