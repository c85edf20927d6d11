//! Tests of `new` in every language: what it makes is built, passes its check, collects 20,000
//! people with the bytes of every other language, and runs in a host with a pool.
//!
//! A language whose toolchain is not on the machine is skipped, with a message. Python and the
//! large engine of JavaScript take minutes: `make languages` sets `SMP_LANGUAGES=all` for them, and
//! prints what the connector costs in each.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::limits::Limits;
use smp_replay::player::Player;
use smp_tests::harness::{Run, binary, folder, make, read_json, skipped};
use tempfile::TempDir;

#[path = "languages/measured.rs"]
mod measured;
#[path = "languages/packaged.rs"]
mod packaged;

use measured::measured;

/// People of the service, and how many of them are on a page.
const PEOPLE: usize = 20_000;

#[test]
fn a_connector_in_rust() {
    let Some(project) = Project::new("rust", &[("cargo", "--version")], "") else { return };
    // The kit takes a minute to compile, the connector some seconds.
    let kept = binary().with_file_name("language-rust");
    fs::create_dir_all(&kept).unwrap();
    std::os::unix::fs::symlink(&kept, project.path().join("target")).unwrap();
    project.lives_up_to_it();
    project.is_packaged("serde_json");
    measured("Rust", &project.component());
    let mut format = Command::new("cargo");
    let formatted = format.args(["fmt", "--check"]).current_dir(project.path()).output().unwrap();
    assert!(formatted.status.success(), "{}", text_of(&formatted));
}

#[test]
fn a_connector_in_javascript() {
    let needs = [("node", "--version"), ("npm", "--version")];
    let Some(project) = Project::new("js", &needs, "") else { return };
    if !project.lives_up_to_it() {
        return;
    }
    project.is_packaged("componentize-qjs");
    measured("JavaScript, QuickJS", &project.component());
    // An exception, with WASI left to `seal`: its text and its place are in the log.
    let source = project.path().join("src/connector.js");
    let text = fs::read_to_string(&source).unwrap();
    let begin = "function page(team, cursor) {";
    assert!(text.contains(begin));
    fs::write(&source, text.replace(begin, &format!("{begin} throw new Error('boom 7');")))
        .unwrap();
    let ended = project.make(&["debug"]);
    assert!(!ended.status.success());
    let said = text_of(&ended);
    for words in ["connector warning: ", "boom 7", "at page (/connector.js:", "code trap"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_connector_in_c() {
    let needs = [("clang", "--version"), ("wasm-ld", "--version")];
    let Some(project) = Project::new("c", &needs, "'sudo make languages-installed'") else {
        return;
    };
    project.lives_up_to_it();
    project.is_packaged("wasi-libc");
    measured("C", &project.component());
}

#[test]
fn a_connector_in_python() {
    if !all_languages() {
        return;
    }
    let Some(project) = Project::new("python", &[("python3", "--version")], "") else { return };
    if !project.lives_up_to_it() {
        return;
    }
    project.is_packaged("componentize-py");
    measured("Python", &project.component());
    // With all of WASI that the toolchain brings along, it is sealed as well.
    let path = project.path();
    let bare = path.join("build/with-wasi.wasm");
    let made = Command::new(path.join(".venv/bin/componentize-py"))
        .args(["--quiet", "--wit-path", "wit", "--world", "connector-plugin", "componentize"])
        .args(["--python-path", "src", "app", "--output"])
        .arg(&bare)
        .current_dir(path)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", text_of(&made));
    project.sealed(&bare, 20);
}

#[test]
fn a_connector_on_the_large_engine_of_javascript() {
    if !all_languages() {
        return;
    }
    let Some(project) = Project::new("js", &[("npm", "--version")], "") else { return };
    // The lock file pins it: see `tests/languages/package.json`.
    let tools = binary().with_file_name("language-starlingmonkey");
    fs::create_dir_all(&tools).unwrap();
    for name in ["package.json", "package-lock.json"] {
        fs::copy(folder("languages").join(name), tools.join(name)).unwrap();
    }
    let installed = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(&tools)
        .output()
        .unwrap();
    if !installed.status.success() {
        skipped(&format!("npm cannot install componentize-js here: {}", text_of(&installed)));
        return;
    }
    let path = project.path();
    let read = |name: &str| fs::read_to_string(path.join("src").join(name)).unwrap();
    let (answers, connector) = (read("answers.js"), read("connector.js"));
    let whole = answers.replace("export ", "")
        + &connector.replace("import { Fault, fail, isText, json } from './answers.js';", "");
    fs::create_dir_all(path.join("build")).unwrap();
    fs::write(path.join("build/whole.js"), whole).unwrap();
    let bare = path.join("build/with-wasi.wasm");
    let made = Command::new(tools.join("node_modules/.bin/componentize-js"))
        .args(["build/whole.js", "--wit", "wit", "--world-name", "connector-plugin"])
        .args(["--disable", "http", "--disable", "fetch-event", "--out"])
        .arg(&bare)
        .current_dir(path)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", text_of(&made));
    measured("JavaScript, StarlingMonkey", &project.sealed(&bare, 10));
}

#[test]
fn the_bindings_of_c_are_those_of_the_contract() {
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(folder("../wit")).unwrap();
    let world = resolve.select_world(&[package], Some("connector-plugin")).unwrap();
    let mut files = wit_bindgen_core::Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files).unwrap();
    let templates = folder("../host-harness/command/templates/c/generated");
    for (name, made) in files.iter().filter(|(name, _)| !name.ends_with(".o")) {
        let path = templates.join(name);
        if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
            fs::write(&path, made).unwrap();
        }
        assert!(fs::read(&path).unwrap() == made, "BLESS=1 writes {}", path.display());
    }
}

#[test]
fn a_project_is_made_whole_and_nothing_is_replaced() {
    let parent = tempfile::tempdir().unwrap();
    let new = |name: &str, more: &[&str]| {
        let run = Run::bare().arg("new").arg(parent.path().join(name)).args(["--language", "c"]);
        run.args(more).end()
    };
    let ended = new("my-service", &["--json"]);
    assert_eq!((ended.code, &ended.json()["id"]), (Some(0), &json!("my-service")));
    let made = fs::read_to_string(parent.path().join("my-service/src/connector.c")).unwrap();
    assert!(made.contains("copy(\"My Service\")"), "{made}");
    assert!(new("my-service", &["--json"]).said("output").contains("is not empty"));
    let here = parent.path().join("here");
    fs::create_dir(&here).unwrap();
    let run = Run::bare().args(["new", ".", "--language", "rust"]).within(&here);
    let ended = run.arg("--json").end();
    assert_eq!((ended.code, &ended.json()["id"]), (Some(0), &json!("here")), "{}", ended.stderr);
    assert!(here.join("Cargo.lock").exists());
    assert_eq!(new("Ünfit", &[]).code, Some(2));
    assert_eq!(new("Ünfit", &["--id", "fit"]).code, Some(0));
    assert_eq!(new("other", &["--id", "-"]).code, Some(2));
    // Without the command, it says how to get it, before anything is built.
    let ended = make()
        .arg("check")
        .env("SMP_HARNESS", "no-such-command")
        .current_dir(parent.path().join("my-service"))
        .output()
        .unwrap();
    let said = text_of(&ended);
    assert!(!ended.status.success(), "{said}");
    assert!(
        said.starts_with("no-such-command is not there: put smp-harness on the PATH"),
        "{said}"
    );
    // A release is of a commit. That, too, is said before anything is built.
    let ended = make()
        .args(["package", "RELEASE=1"])
        .env("SMP_HARNESS", binary())
        .current_dir(parent.path().join("my-service"))
        .output()
        .unwrap();
    let said = text_of(&ended);
    let way = "RELEASE=1 names the commit of the package, and there is none: 'git init', if";
    assert!(!ended.status.success() && said.starts_with(way), "{said}");
    assert!(!parent.path().join("my-service/dist").exists());
}

/// A project of a connector, in a folder of its own.
struct Project(TempDir);

impl Project {
    /// Makes it. `None` if a program is missing, which is said with the way to get it.
    fn new(language: &str, needs: &[(&str, &str)], way: &str) -> Option<Self> {
        for (program, question) in needs {
            if !Command::new(program).arg(question).output().is_ok_and(|out| out.status.success()) {
                let install = if way.is_empty() { String::new() } else { format!("; {way}") };
                skipped(&format!("{program} is not installed{install}"));
                return None;
            }
        }
        let parent = tempfile::tempdir().unwrap();
        let ended = Run::bare()
            .arg("new")
            .arg(Self::within(parent.path()))
            .args(["--language", language])
            .end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        Some(Self(parent))
    }

    fn path(&self) -> PathBuf {
        Self::within(self.0.path())
    }

    /// Its folder. People have spaces in the names of theirs.
    fn within(parent: &Path) -> PathBuf {
        parent.join("my connectors/rosterly")
    }

    fn component(&self) -> PathBuf {
        self.path().join("dist/rosterly.wasm")
    }

    fn make(&self, arguments: &[&str]) -> Output {
        make()
            .args(arguments)
            .env("SMP_HARNESS", binary())
            .current_dir(self.path())
            .output()
            .unwrap()
    }

    /// Builds and judges it. False if the registry of its language cannot be reached.
    fn lives_up_to_it(&self) -> bool {
        let ended = self.make(&["check"]);
        let said = text_of(&ended);
        let is_offline = ["npm error network", "No matching distribution", "EAI_AGAIN"]
            .iter()
            .any(|words| said.contains(words));
        if is_offline {
            skipped(&format!("the package registry cannot be reached: {said}"));
            return false;
        }
        assert!(ended.status.success() && said.contains(" Passed"), "{said}");
        self.keeps_the_contract(&self.component());
        self.writes_one_outcome_again();
        let other = self.make(&["run", "CASE=fixtures/key-not-accepted"]);
        assert!(text_of(&other).contains("code credentials"), "{}", text_of(&other));
        true
    }

    /// The outcome of one case is made again, and of no other, and nothing is left behind.
    fn writes_one_outcome_again(&self) {
        let outcome = |case: &str| self.path().join("fixtures").join(case).join("expected.json");
        let (one, other) = (outcome("key-not-accepted"), outcome("people-on-two-pages"));
        let (before, kept) = (fs::read(&one).unwrap(), fs::read(&other).unwrap());
        fs::write(&one, "{}").unwrap();
        fs::write(&other, "{}").unwrap();
        let file = "fixtures/key-not-accepted/expected.json";
        for says in ["What it changes in ", "The outcome is that of "] {
            let ended = self.make(&["expected", "CASES=fixtures/key-not-accepted"]);
            let said = text_of(&ended);
            assert!(ended.status.success() && said.contains(&format!("{says}{file}")), "{said}");
        }
        assert!(fs::read(&one).unwrap() == before && fs::read(&other).unwrap() == b"{}");
        fs::write(&other, kept).unwrap();
        assert!(!self.path().join("build/case").exists());
    }

    /// A component with at least this many imports of WASI is refused, and sealed keeps the
    /// contract.
    fn sealed(&self, bare: &Path, least: usize) -> PathBuf {
        let refused = Run::bare().arg("inspect").arg(bare).arg("--json").end();
        assert!(refused.said("component").contains("smp-harness seal"));
        let output = self.path().join("build/sealed.wasm");
        let sealed =
            Run::bare().arg("seal").arg(bare).file("--output", &output).arg("--json").end();
        assert!(sealed.json()["closed"].as_array().unwrap().len() >= least, "{}", sealed.stdout);
        self.keeps_the_contract(&output);
        output
    }

    fn keeps_the_contract(&self, component: &Path) {
        let fixtures = self.path().join("fixtures");
        let run = Run::bare().args(["check", "--strict"]).arg(component);
        let ended = run.file("--fixtures", &fixtures).end();
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);

        let run = Run::bare().arg("collect").arg(component).env("KEY", "key_abcdef123456");
        let ended = run
            .args(["--upstream", &service(), "--set", "team=acme", "--secret", "key=env:KEY"])
            .args(["--rate", "off", "--format", "ndjson"])
            .end();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let expected: String = (0..PEOPLE).map(|number| format!("{}\n", member(number))).collect();
        assert!(ended.stdout == expected, "{:?}", ended.stdout.lines().next());

        let options = EngineOptions {
            pooled_runs: Some(2),
            cache: Some(std::path::absolute(binary().with_file_name("test-cache")).unwrap()),
            // Within this process the limit is of the clock, and this machine may do other work.
            limits: Limits { compile_time: Duration::from_secs(600), ..Limits::default() },
            ..EngineOptions::new(Compiler::Inside)
        };
        let bytes = fs::read(component).unwrap();
        let plugin = now(Plugin::load(&Engine::new(&options).unwrap(), &bytes)).unwrap();
        assert_eq!(plugin.refused_by_pools(), None);
        let player = Player::new(&plugin).unwrap();
        for case in ["people-on-two-pages", "key-not-accepted"] {
            let case = fixtures.join(case);
            let outcome = now(player.outcome(&player.case(&case).unwrap())).unwrap();
            assert_eq!(outcome, read_json(&case.join("expected.json")));
        }
    }
}

/// Whether the languages that take minutes are wanted.
fn all_languages() -> bool {
    let wanted = std::env::var_os("SMP_LANGUAGES").is_some_and(|value| value == "all");
    if !wanted {
        skipped("it takes minutes; 'make languages' runs it");
    }
    wanted
}

/// The address of a service with 20,000 people. It runs until the test ends.
fn service() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            while let Some(path) = requested(&mut reader) {
                let body = answer(&path).to_string();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                if reader.get_mut().write_all((head + &body).as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    format!("http://{address}")
}

/// The path of the next request.
fn requested(reader: &mut impl BufRead) -> Option<String> {
    let (mut first, mut line) = (String::new(), String::new());
    reader.read_line(&mut first).ok().filter(|length| *length > 0)?;
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    }
    first.split(' ').nth(1).map(ToOwned::to_owned)
}

fn answer(path: &str) -> Value {
    let Some((_, query)) = path.split_once("/people?") else {
        return json!({"id": "acme", "name": "Acme Instruments"});
    };
    let number = |name: &str| -> usize {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).unwrap().1.parse().unwrap()
    };
    let (page, size) = (number("page"), number("size"));
    let (first, behind) = ((page - 1) * size, PEOPLE.min(page * size));
    let person = |number: usize| {
        json!({
            "id": format!("p-{number}"),
            "email": email(number),
            "name": format!("Pérson {number}"),
            "status": status(number),
            "last_seen": seen(number),
        })
    };
    let people: Vec<_> = (first..behind).map(person).collect();
    json!({"people": people, "total": PEOPLE, "more": behind < PEOPLE})
}

fn email(number: usize) -> Option<String> {
    (!number.is_multiple_of(7)).then(|| format!("p{number}@acme.example"))
}

fn status(number: usize) -> &'static str {
    ["active", "invited", "suspended", "on-leave"][number % 4]
}

fn seen(number: usize) -> Option<usize> {
    (!number.is_multiple_of(5)).then_some(1_700_000_000 + number)
}

/// The person of this number, as the host writes members.
fn member(number: usize) -> Value {
    let seen = seen(number).map(|seconds| {
        let instant = jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
        instant.to_string()
    });
    let is_active = status(number) == "active";
    let product = json!({
        "key": "rosterly", "name": "Rosterly", "site": null, "last_active": seen
    });
    json!({
        "id": format!("p-{number}"),
        "email": email(number),
        "name": format!("Pérson {number}"),
        "role": if is_active { "Rosterly" } else { "" },
        "products": if is_active { vec![product] } else { vec![] },
        "last_seen": seen,
        "status": status(number),
        "kind": null,
        "affiliation": null,
        "billable": null,
        "attributes": {},
    })
}

fn text_of(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
