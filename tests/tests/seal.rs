//! Tests of `seal`: guests of other toolchains import what the contract defines and nothing else,
//! what the stub answers is the same for everyone, and a pooled host takes the result.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::json;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::component::session::Session;
use smp_host::contract::log::Level;
use smp_host::failure::Code;
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::clock::BoxFuture;
use smp_host::http::origin::Origin;
use smp_host::http::policy::Grants;
use smp_host::http::transport::{Request, Response, Transport, TransportError};
use smp_host::observer::{Context, Event, Observer};
use smp_host::settings::Settings;
use smp_tests::harness::{Run, test_component};

#[test]
fn a_guest_with_wasi_is_refused_with_the_command_that_closes_it() {
    let inspect = |path: &Path| Run::bare().arg("inspect").arg(path).arg("--json").end();
    let said = inspect(&test_component("wasi")).said("component");
    for words in [
        "wasi:cli/environment@0.2.6",
        "In Rust, build for `wasm32-unknown-unknown`.",
        "`smp-harness seal IN.wasm --output OUT.wasm`",
    ] {
        assert!(said.contains(words), "{said}");
    }
    let said = inspect(&test_component("preview-1")).said("component");
    assert!(said.contains("core WebAssembly module") && said.contains("smp-harness seal"));
}

#[test]
fn a_sealed_guest_imports_and_exports_what_the_contract_defines() {
    let folder = tempfile::tempdir().unwrap();
    for (name, closed, left_out) in
        [("wasi", 15, json!(["additional"])), ("preview-1", 1, json!([]))]
    {
        let output = folder.path().join(format!("{name}.wasm"));
        let seal = || {
            Run::bare()
                .arg("seal")
                .arg(test_component(name))
                .file("--output", &output)
                .arg("--json")
        };
        let told = seal().end().json();
        assert_eq!(told["closed"].as_array().unwrap().len(), closed, "{told}");
        assert_eq!(told["left_out"], left_out);
        let first = std::fs::read(&output).unwrap();
        assert_eq!(told["size"], first.len());
        assert_eq!(seal().end().code, Some(0));
        assert_eq!(std::fs::read(&output).unwrap(), first, "equal bytes");
        let told = Run::bare().arg("inspect").arg(&output).arg("--json").end().json();
        let names = |key: &str| told[key].as_array().unwrap().clone();
        assert_eq!(names("imports"), ["smp:connector/http@0.2.0", "smp:connector/log@0.2.0"]);
        assert_eq!(names("exports"), ["smp:connector/connector@0.2.0"]);
    }
}

#[test]
fn what_cannot_be_sealed_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.wasm"), folder.path().join("out.wasm"));
    std::fs::write(&input, "text").unwrap();
    let seal = |input: &Path, output: &Path| {
        Run::bare().arg("seal").arg(input).file("--output", output).arg("--json").end()
    };
    assert!(seal(&input, &output).said("component").contains("not a WebAssembly component"));
    assert!(!output.exists());
    let missing = folder.path().join("missing.wasm");
    assert!(seal(&missing, &output).said("component").contains("cannot be read"));
    let same = folder.path().join("same.wasm");
    std::fs::copy(test_component("wasi"), &same).unwrap();
    std::os::unix::fs::symlink("same.wasm", folder.path().join("link.wasm")).unwrap();
    for output in ["same.wasm", "link.wasm"] {
        let ended = seal(&same, &folder.path().join(output));
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.said("invalid-settings").contains("`--output` and `IN.wasm` are the same"));
    }
    assert_eq!(std::fs::read(&same).unwrap(), std::fs::read(test_component("wasi")).unwrap());
    for output in ["-", "/dev/stdout"] {
        let ended = seal(&same, Path::new(output));
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.said("invalid-settings").contains("for the result"));
    }
    let nowhere = folder.path().join("no/folder/out.wasm");
    assert!(seal(&test_component("wasi"), &nowhere).said("output").contains("cannot be written"));
}

#[test]
fn what_the_stub_answers_is_the_same_for_everyone() {
    let guest = Guest::sealed("wasi", None);
    let answers: BTreeMap<_, _> = guest.plugin.descriptor().attributes.iter().cloned().collect();
    for (question, answer) in [
        ("environment", "[]"),
        ("arguments", "[]"),
        ("folder", "None"),
        ("input", "true"),
        ("skipped", "true"),
        ("ready", "[0, 1] true"),
        ("clock", "1000000"),
        ("year", "1970"),
        ("random", "[90, 90, 90]"),
        ("number", "true"),
        ("seed", "(6510615555426900570, 6510615555426900570)"),
        ("folders", "0"),
        ("room", "Some(65536)"),
    ] {
        assert_eq!(answers[question], answer, "{question}");
    }
    let guest = Guest::sealed("preview-1", None);
    let answers: BTreeMap<_, _> = guest.plugin.descriptor().attributes.iter().cloned().collect();
    for (question, answer) in
        [("arguments", "0 0"), ("clock", "1000000"), ("random", "[90, 90, 90]"), ("folders", "8")]
    {
        assert_eq!(answers[question], answer, "{question}");
    }
}

#[test]
fn what_a_guest_prints_becomes_log_lines() {
    let mut guest = Guest::sealed("wasi", None);
    now(guest.session.validate()).unwrap();
    // The host itself cuts a line at 2,000 characters.
    let long = "x".repeat(2_000) + "…";
    let expected = [
        (Level::Info, "one lïne".to_owned()),
        (Level::Info, "and ? more".to_owned()),
        (Level::Warn, long),
        (Level::Warn, "y".repeat(950)),
        (Level::Warn, "last".to_owned()),
    ];
    assert_eq!(guest.heard(), expected);

    let mut guest = Guest::sealed("preview-1", None);
    let report = now(guest.session.validate()).unwrap();
    assert!(format!("{report:?}").contains("42 bytes."), "{report:?}");
    let lines = ["one lïne", "and ", " more"];
    let expected: Vec<_> = [Level::Info, Level::Warn]
        .into_iter()
        .flat_map(|level| lines.map(|line| (level, line.to_owned())))
        .collect();
    assert_eq!(guest.heard(), expected);
}

#[test]
fn files_and_sockets_trap() {
    for name in ["wasi", "preview-1"] {
        let mut guest = Guest::sealed(name, None);
        assert_eq!(now(guest.session.connect()).unwrap_err().code, Code::Trap, "{name}");
    }
}

#[test]
fn a_host_that_sets_memory_aside_takes_sealed_guests() {
    for name in ["wasi", "preview-1"] {
        let mut guest = Guest::sealed(name, Some(2));
        assert_eq!(guest.plugin.refused_by_pools(), None);
        assert_eq!(now(guest.session.validate()).unwrap().checks.len(), 1, "{name}");
    }
}

/// A sealed guest, on a service that answers every request.
struct Guest {
    plugin: Plugin,
    session: Session,
    heard: Arc<Heard>,
}

#[derive(Default)]
struct Heard(Mutex<Vec<(Level, String)>>);

impl Guest {
    fn sealed(name: &str, pooled_runs: Option<u32>) -> Self {
        let bytes = std::fs::read(test_component(name)).unwrap();
        let sealed = smp_seal::seal(&bytes).unwrap().component;
        let options = EngineOptions { pooled_runs, ..EngineOptions::new(Compiler::Inside) };
        let plugin = now(Plugin::load(&Engine::new(&options).unwrap(), &sealed)).unwrap();
        let values = [("organization-id", "acme"), ("attack", "")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings = Settings { values: BTreeMap::from(values), ..Settings::default() };
        let checked = settings.check(plugin.descriptor(), false).unwrap();
        let origin = Origin::parse("https://api.tame.example").unwrap();
        let heard = Arc::<Heard>::default();
        let options = RunOptions {
            pace: Pace::Off,
            observer: Arc::clone(&heard) as Arc<dyn Observer>,
            ..RunOptions::new(Arc::new(Answering))
        };
        let grants = Grants::reading(origin, plugin.descriptor());
        let session = Host::default().session(&plugin, &checked, &grants, options);
        Self { plugin, session, heard }
    }

    fn heard(&self) -> Vec<(Level, String)> {
        self.heard.0.lock().unwrap().clone()
    }
}

impl Observer for Heard {
    fn event(&self, _: &Context, event: &Event<'_>) {
        if let Event::Log { level, message } = event {
            self.0.lock().unwrap().push((*level, (*message).to_owned()));
        }
    }
}

struct Answering;

impl Transport for Answering {
    fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        let (status, headers, body) = (200, vec![], b"{}".to_vec());
        Box::pin(std::future::ready(Ok(Response { status, headers, body })))
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
