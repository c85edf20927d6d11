//! Released components, frozen with their own traffic and outcomes, which every later host must
//! reproduce.
//!
//! ```text
//! released/VERSION/
//!   ID.wasm              the component, as it was released
//!   fixtures/CASE/       its cases, copied: today's fixtures may change, these must not
//!   expected/            the output of `inspect`; for each case one `expected.ndjson`: what `validate` and `connect`
//!                        gave, the report and the exit codes, then the members
//!   SHA256SUMS           of all of these
//! ```
//!
//! Members stay the same, byte for byte. JSON documents of the host may gain entries, but never
//! change any. Texts for people, the table and the host's own messages, are not frozen: they may be
//! improved.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Ended, Run, names};

/// The cases of a release: each way in which a list ends, and each way in which the host adds
/// something.
pub const CASES: [&str; 16] = [
    "acme",
    "cursor-refused-once",
    "empty-page-in-the-middle",
    "every-oddity-of-a-member",
    "fewer-members-than-told",
    "key-lacks-a-scope-403",
    "key-lacks-the-scope-for-domains",
    "key-not-accepted",
    "members-on-two-pages",
    "next-page-on-another-host",
    "no-account-claimed",
    "no-domain-verified",
    "only-apps-and-customers",
    "service-back-in-two-hours",
    "too-many-requests-for-a-moment",
    "web-page-in-place-of-members",
];

/// Codes whose texts are the host's own.
const HOSTS_CODES: [&str; 11] = [
    "incomplete",
    "limit",
    "busy",
    "denied",
    "trap",
    "contract",
    "component",
    "checkpoint",
    "fixture",
    "interrupted",
    "output",
];

const SUMS: &str = "SHA256SUMS";
const EXPECTED: &str = "expected";
const CASE: &str = "expected.ndjson";
const FIXTURES: &str = "fixtures";

/// Stored or present outputs, by path within the folder.
type Files = BTreeMap<String, Vec<u8>>;

/// Freezes a component of this version with these cases of a folder, in a new folder.
///
/// # Errors
/// When the folder is there, the component has another version or cannot be run, or a file cannot
/// be written.
pub fn freeze(
    component: &Path,
    version: &str,
    fixtures: &Path,
    cases: &[&str],
    target: &Path,
) -> io::Result<()> {
    if target.exists() {
        return Err(refused(format!(
            "`{}` exists: a release is never frozen again",
            target.display()
        )));
    }
    let inspected = inspected(component).json();
    let [id, told] = ["id", "version"]
        .map(|key| inspected.pointer(&format!("/descriptor/{key}")).and_then(Value::as_str));
    if told != Some(version) {
        return Err(refused(format!(
            "`{}` is of version {}, not {version}",
            component.display(),
            told.unwrap_or("unknown")
        )));
    }
    let parent = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    // Whole or not at all.
    let made = tempfile::Builder::new().prefix(".frozen-").tempdir_in(parent)?;
    let id = id.ok_or_else(|| refused("it has no id".into()))?;
    fs::copy(component, made.path().join(id).with_extension("wasm"))?;
    for case in cases {
        copy(&fixtures.join(case), &made.path().join(FIXTURES).join(case))?;
    }
    for (path, bytes) in outputs(made.path())? {
        let path = made.path().join(EXPECTED).join(path);
        fs::create_dir_all(path.parent().unwrap_or(made.path()))?;
        fs::write(path, bytes)?;
    }
    fs::write(made.path().join(SUMS), sums(made.path())?)?;
    fs::rename(made.keep(), target)
}

/// The differences from the release, a sentence each.
///
/// # Errors
/// When the folder cannot be read.
pub fn faults(folder: &Path) -> io::Result<Vec<String>> {
    let mut faults = Vec::new();
    if fs::read_to_string(folder.join(SUMS)).unwrap_or_default() != sums(folder)? {
        faults.push(
            "the files are not those of SHA256SUMS: the release was changed; restore it from the \
             history"
                .into(),
        );
    }
    let (kept, came) = (read(&folder.join(EXPECTED))?, outputs(folder)?);
    for path in kept.keys().chain(came.keys()).collect::<BTreeSet<_>>() {
        match (kept.get(path), came.get(path)) {
            (Some(_), None) => faults.push(format!("{path}: nothing comes out any more")),
            (None, Some(_)) => faults.push(format!("{path}: comes out, and did not")),
            (Some(kept), Some(came)) if kept != came && !says_more(path, kept, came) => {
                faults.push(format!("{path}: {}", difference(kept, came)));
            }
            _ => {}
        }
    }
    Ok(faults)
}

/// The present outputs of the component in the folder with its cases.
fn outputs(folder: &Path) -> io::Result<Files> {
    let component = component_of(folder)?;
    let mut files =
        Files::from([("inspect.json".to_owned(), inspected(&component).stdout.into_bytes())]);
    for case in names(&folder.join(FIXTURES)) {
        let fixture = folder.join(FIXTURES).join(&case);
        let run = |command: &str| {
            Run::bare().arg(command).arg(&component).arg("--json").file("--fixture", &fixture)
        };
        let mut ends = Map::new();
        let mut end = |name: &str, ended: Ended| {
            let error = ended
                .stderr
                .lines()
                .last()
                .and_then(|line| serde_json::from_str::<Value>(line).ok());
            let error = error
                .and_then(|value| value.get("error").cloned())
                .map_or(Value::Null, without_hosts_words);
            ends.insert(name.to_owned(), json!({"code": ended.code, "error": error}));
            ended.stdout
        };
        let [validated, connected] = ["validate", "connect"].map(|name| {
            let written = end(name, run(name).end());
            serde_json::from_str(&written).unwrap_or(Value::Null)
        });
        let report = tempfile::NamedTempFile::new()?;
        let collect = run("collect").args(["--format", "ndjson"]).file("--report", report.path());
        let members = end("collect", collect.end());
        let mut report: Value = serde_json::from_slice(&fs::read(report.path())?)?;
        if let Some(error) = report.get_mut("error") {
            *error = without_hosts_words(error.take());
        }
        let documents = [
            ("validate", validated),
            ("connect", connected),
            ("ends", Value::Object(ends)),
            ("report", report),
        ];
        let lines = documents.map(|(name, value)| format!("{}\n", json!({name: value})));
        let lines = lines.concat() + &members;
        files.insert(format!("{case}/{CASE}"), lines.into_bytes());
    }
    Ok(files)
}

fn inspected(component: &Path) -> Ended {
    Run::bare().arg("inspect").arg(component).arg("--json").end()
}

/// A failure without its texts for people, if they are the host's own.
fn without_hosts_words(mut error: Value) -> Value {
    let is_hosts =
        error.get("code").and_then(Value::as_str).is_some_and(|code| HOSTS_CODES.contains(&code));
    if let (true, Some(error)) = (is_hosts, error.as_object_mut()) {
        error.shift_remove("message");
        error.shift_remove("hint");
    }
    error
}

/// Whether the host's documents still have all their entries, and every member is as it was.
fn says_more(path: &str, kept: &[u8], came: &[u8]) -> bool {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok();
    let holds = |kept: &str, came: &str| {
        parsed(kept).zip(parsed(came)).is_some_and(|(kept, came)| holds(&came, &kept))
    };
    let [kept, came] = [kept, came].map(|bytes| String::from_utf8_lossy(bytes));
    if !path.ends_with(CASE) {
        return holds(&kept, &came);
    }
    let is_document = |line: &str| {
        parsed(line)
            .and_then(|value| value.as_object()?.keys().next().cloned())
            .is_some_and(|key| ["validate", "connect", "ends", "report"].contains(&key.as_str()))
    };
    kept.lines().count() == came.lines().count()
        && kept
            .lines()
            .zip(came.lines())
            .all(|(kept, came)| kept == came || (is_document(kept) && holds(kept, came)))
}

fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part.iter().all(|(key, value)| {
            whole.get(key).is_some_and(|whole| says_as_much(key, whole, value))
        }),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len()
                && whole.iter().zip(part).all(|(whole, part)| holds(whole, part))
        }
        (whole, part) => whole == part,
    }
}

/// Whether a value still has its content. The host may add its own way out to a connector's hint,
/// and may make a failure retryable; never the reverse.
fn says_as_much(key: &str, whole: &Value, part: &Value) -> bool {
    match (key, whole, part) {
        ("hint", Value::String(whole), Value::String(part)) => whole.starts_with(part.as_str()),
        ("retryable", Value::Bool(_), Value::Bool(false)) => true,
        _ => holds(whole, part),
    }
}

/// The first line that differs.
fn difference(kept: &[u8], came: &[u8]) -> String {
    let [kept, came] = [kept, came].map(|bytes| String::from_utf8_lossy(bytes));
    let mut lines =
        kept.lines().map(Some).chain([None]).zip(came.lines().map(Some).chain([None])).enumerate();
    match lines.find(|(_, (kept, came))| kept != came) {
        Some((number, (kept, came))) => {
            format!(
                "line {}\n    was  {}\n    came {}",
                number + 1,
                kept.unwrap_or("(the end)"),
                came.unwrap_or("(the end)")
            )
        }
        None => "the same lines, with other ends".to_owned(),
    }
}

fn component_of(folder: &Path) -> io::Result<PathBuf> {
    let is_component = |name: &String| name.ends_with(".wasm");
    let name = names(folder).into_iter().find(is_component);
    name.map(|name| folder.join(name))
        .ok_or_else(|| refused(format!("there is no component in `{}`", folder.display())))
}

/// The digests of all files, as `sha256sum` writes them.
fn sums(folder: &Path) -> io::Result<String> {
    let files = read(folder)?.into_iter().filter(|(path, _)| path != SUMS);
    Ok(files.map(|(path, bytes)| format!("{:x}  {path}\n", Sha256::digest(bytes))).collect())
}

/// All files below a folder.
fn read(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(
                read(&path)?.into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)),
            );
        } else {
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(files)
}

/// Copies a case without its expected outcome, which is generated again.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for (path, bytes) in read(from)?.into_iter().filter(|(path, _)| path != "expected.json") {
        let target = to.join(path);
        fs::create_dir_all(target.parent().unwrap_or(to))?;
        fs::write(target, bytes)?;
    }
    Ok(())
}

fn refused(why: String) -> io::Error {
    io::Error::other(why)
}
