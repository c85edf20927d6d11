//! Tests of remedies: data in the library, options in the command, and one place that explains a
//! key of the wrong kind.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::sync::Arc;

use serde_json::json;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::contract::Outcome;
use smp_host::host::{Host, Pace, RunOptions};
use smp_host::http::clock::BoxFuture;
use smp_host::http::origin::Origin;
use smp_host::http::policy::Grants;
use smp_host::http::transport::{Request, Response, Transport, TransportError};
use smp_host::remedy::Remedy;
use smp_host::settings::{SecretText, Settings};
use smp_tests::harness::{Run, component, folder};
use smp_tests::mock::Mock;

/// A service that gives every request the same answer.
struct Always(u16, &'static str);

impl Transport for Always {
    fn send<'a>(&'a self, _: &'a Request) -> BoxFuture<'a, Result<Response, TransportError>> {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let answer = Response { status: self.0, headers, body: self.1.as_bytes().to_vec() };
        Box::pin(std::future::ready(Ok(answer)))
    }
}

#[tokio::test]
async fn a_key_of_the_wrong_kind_is_explained_whichever_call_meets_it() {
    let engine = Engine::new(&EngineOptions::new(Compiler::Inside)).unwrap();
    let plugin = Plugin::load(&engine, &fs::read(component()).unwrap()).await.unwrap();
    let settings = Settings {
        values: [("organization-id".to_owned(), "7c2k9a41".to_owned())].into(),
        secrets: [("api-key".to_owned(), SecretText::new("ATATTtoken-of-a-user".into()))].into(),
    };
    let checked = settings.check(plugin.descriptor(), true).unwrap();
    let grants =
        Grants::reading(Origin::parse("https://api.example.test").unwrap(), plugin.descriptor());
    let session = |answer: Always| {
        let options = RunOptions { pace: Pace::Off, ..RunOptions::new(Arc::new(answer)) };
        Host::default().session(&plugin, &checked, &grants, options)
    };
    let refused = || session(Always(401, r#"{"code":401,"message":"Unauthorized"}"#));
    let connect = refused().connect().await.unwrap_err();
    let collect = refused().collect(None).await.unwrap_err();
    let report = refused().validate().await.unwrap();
    let failed = report.checks.into_iter().find_map(|check| match check.outcome {
        Outcome::Failed(failure) => Some(failure),
        _ => None,
    });
    for (call, message) in [
        ("connect", connect.message.clone()),
        ("collect", collect.message),
        ("validate", failed.unwrap().message),
    ] {
        assert_eq!(
            message.matches("By its prefix, the Api Key is").count(),
            1,
            "{call}: {message}"
        );
    }
    assert_eq!(*connect.remedy, Remedy::NewKey { setting: Some("api-key".into()) });

    let mut scopeless = session(Always(403, r#"{"code":403,"message":"scope does not match"}"#));
    let Remedy::MorePermissions { scopes } = *scopeless.connect().await.unwrap_err().remedy else {
        panic!()
    };
    assert!(scopes.contains(&"read:orgs:admin".to_owned()), "{scopes:?}");
}

#[test]
fn the_command_words_what_mends_a_failure_as_its_options() {
    let mock = Mock::builder().members(25).page_size(10);
    let mock = mock.rule("users:2-:status-429;retry-after=30".parse().unwrap()).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("missing/members.csv");
    let key = |run: Run| run.args(["--secret", "api-key=env:SMP_TEST_KEY"]);
    let at = |command| {
        Run::bare()
            .arg(command)
            .arg(component())
            .args(["--upstream", &mock.url(), "--json"])
            .env("SMP_TEST_KEY", "ATCTTx")
    };
    for (run, code, way_out, remedy) in [
        (
            at("validate").args(["--set", "organization-id=a"]),
            "invalid-settings",
            "`--secret api-key=env:NAME`",
            json!({"kind": "give-setting", "setting": "api-key", "secret": true}),
        ),
        (
            key(at("collect")),
            "invalid-settings",
            "`--set organization-id=VALUE`",
            json!({"kind": "give-setting", "setting": "organization-id", "secret": false}),
        ),
        (
            Run::new("collect").at(&mock).args(["--json", "--max-wait", "0"]),
            "rate-limited",
            "`--max-wait 30`",
            json!({"kind": "come-back", "after_s": 30, "max_wait_s": 30}),
        ),
        (
            Run::new("collect").at(&mock).args(["--json", "--limit", "memory=64KiB"]),
            "limit",
            "`--limit memory=…`",
            json!({"kind": "raise-limit", "limit": "memory", "to": null}),
        ),
        (
            Run::new("connect").for_organization_of(&mock).arg("--json"),
            "denied",
            "`--allow-origin https://api.atlassian.com`",
            json!({"kind": "approve-origin", "origin": "https://api.atlassian.com"}),
        ),
        (
            Run::new("collect").at(&mock).args(["--json"]).file("--output", &nowhere),
            "output",
            "`--output`",
            json!({"kind": "make-room", "of": "output"}),
        ),
    ] {
        let ended = run.end();
        let (told, error) = (ended.said(code), ended.error());
        assert!(told.contains(way_out), "{way_out} is missing: {told}");
        assert_eq!(error["remedy"], remedy, "{told}");
    }
}

/// Folders of library code, below the repository.
const LIBRARIES: &[&str] = &[
    "host-harness/guard/src",
    "host-harness/host/src",
    "host-harness/listing/src",
    "host-harness/replay/src",
    "host-harness/conformance/src",
    "host-harness/distribution/src",
];

/// Names that only the command has: an option, a make target, its own name.
#[test]
fn no_text_of_the_library_names_an_option_a_make_target_or_the_command() {
    let root = folder("..");
    let makefile = fs::read_to_string(root.join("Makefile")).unwrap();
    let targets: Vec<&str> = makefile.lines().filter_map(target).collect();
    assert!(targets.contains(&"component") && targets.contains(&"bench"), "{targets:?}");
    let (mut texts, mut found) = (0, Vec::new());
    for library in LIBRARIES {
        for path in sources(&root.join(library)) {
            let name =
                path.strip_prefix(root.join(library)).unwrap().to_string_lossy().into_owned();
            let is_test = ["tests.rs", "testing.rs"].iter().any(|end| name.ends_with(end))
                || name.contains("/tests/");
            if is_test {
                continue;
            }
            for text in literals(&fs::read_to_string(&path).unwrap()) {
                texts += 1;
                if let Some(word) = names_the_command(&text, &targets) {
                    found.push(format!("{library}/{name}: `{word}` in “{text}”"));
                }
            }
        }
    }
    assert!(texts > 1_000, "only {texts} texts were read");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn texts_are_found_and_judged_whatever_stands_around_them() {
    let source = r##"
        //! "--in-a-comment"
        /* "--in /* nested */ comments" */
        const A: &str = "say \"hi\" \
                         there"; // "--after"
        const B: &str = r#"raw "--option" text"#;
        fn c<'a>(x: &'a str) -> char { '"' }
        const D: &[u8] = b"bytes\\";
        #[cfg(test)]
        mod tests { const E: &str = "--in-a-test {"; fn f() { g("}"); } }
        #[cfg(test)]
        use h;
        const I: &str = "last";
    "##;
    assert_eq!(literals(source), ["say \"hi\" there", "raw \"--option\" text", "bytes\\", "last"]);
    for (text, named) in [
        ("`--limit memory=…`", Some("--l")),
        ("use --set", Some("--s")),
        ("-----BEGIN PUBLIC KEY-----", None),
        ("a -- b", None),
        ("`make component` builds it", Some("make component")),
        ("make sure of it", None),
        ("remake component", None),
        ("`smp-harness check`", Some("smp-harness")),
    ] {
        assert_eq!(names_the_command(text, &["component", "bench"]).as_deref(), named, "{text}");
    }
}

/// The target that a line of a makefile begins.
fn target(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(':')?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_name.then_some(name)
}

fn sources(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn names_the_command(text: &str, targets: &[&str]) -> Option<String> {
    if text.contains("smp-harness") {
        return Some("smp-harness".to_owned());
    }
    for (at, _) in text.match_indices("--") {
        let before = text[..at].chars().next_back();
        let after = text[at + 2..].chars().next().filter(char::is_ascii_alphabetic);
        if let (false, Some(letter)) = (before == Some('-'), after) {
            return Some(format!("--{letter}"));
        }
    }
    for (at, _) in text.match_indices("make ") {
        let begins_a_word = !text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let ends_a_word = |character: char| !character.is_ascii_lowercase() && character != '-';
        let word = text[at + 5..].split(ends_a_word).next().unwrap_or_default();
        if begins_a_word && targets.contains(&word) {
            return Some(format!("make {word}"));
        }
    }
    None
}

/// The string literals of Rust source, without those in comments and in test-only items.
fn literals(source: &str) -> Vec<String> {
    let mut reader = Reader { rest: source, found: Vec::new() };
    while !reader.rest.is_empty() {
        reader.step();
    }
    reader.found
}

struct Reader<'a> {
    rest: &'a str,
    found: Vec<String>,
}

impl<'a> Reader<'a> {
    /// Reads a comment, a literal, a test-only item or one character.
    fn step(&mut self) -> Option<char> {
        if self.rest.starts_with("//") {
            self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
        } else if self.rest.starts_with("/*") {
            self.comment();
        } else if let Some(rest) = self.rest.strip_prefix("#[cfg(test)]") {
            self.rest = rest;
            self.item();
        } else if self.rest.starts_with("r\"") || self.rest.starts_with("r#") {
            return self.raw();
        } else if self.rest.starts_with('"') {
            self.text();
        } else if self.rest.starts_with('\'') {
            self.character();
        } else {
            // A whole word at once: an `r` at its end does not begin a literal.
            let word = self
                .rest
                .find(|sign: char| !sign.is_alphanumeric() && sign != '_')
                .unwrap_or(self.rest.len());
            let byte_literal = word == 1 && self.rest.starts_with('b');
            let sign = self.rest.chars().next();
            self.skip(if word > 0 && !byte_literal {
                word
            } else {
                sign.map_or(0, char::len_utf8)
            });
            return sign;
        }
        None
    }

    fn skip(&mut self, bytes: usize) -> &'a str {
        let (skipped, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        skipped
    }

    fn comment(&mut self) {
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.skip(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.skip(2);
            } else if let Some(sign) = self.rest.chars().next() {
                self.skip(sign.len_utf8());
            }
            if depth == 0 || self.rest.is_empty() {
                return;
            }
        }
    }

    /// Skips an item: to its semicolon, or to the end of its braces.
    fn item(&mut self) {
        let (kept, mut depth) = (self.found.len(), 0);
        while !self.rest.is_empty() {
            match self.step() {
                Some('{') => depth += 1,
                Some('}') if depth == 1 => break,
                Some('}') => depth -= 1,
                Some(';') if depth == 0 => break,
                _ => {}
            }
        }
        self.found.truncate(kept);
    }

    fn raw(&mut self) -> Option<char> {
        let hashes = self.rest[1..].bytes().take_while(|byte| *byte == b'#').count();
        if !self.rest[1 + hashes..].starts_with('"') {
            // A raw identifier.
            self.skip(1);
            return Some('r');
        }
        self.skip(2 + hashes);
        let end = format!("\"{}", "#".repeat(hashes));
        let text = self.skip(self.rest.find(&end).unwrap()).to_owned();
        self.found.push(text);
        self.skip(end.len());
        None
    }

    fn text(&mut self) {
        self.skip(1);
        let mut text = String::new();
        loop {
            let sign = self.rest.chars().next().unwrap();
            self.skip(sign.len_utf8());
            match sign {
                '"' => break,
                '\\' => {
                    let escaped = self.rest.chars().next().unwrap();
                    self.skip(escaped.len_utf8());
                    match escaped {
                        '\n' => {
                            self.rest = self.rest.trim_start();
                        }
                        other => text.push(other),
                    }
                }
                other => text.push(other),
            }
        }
        self.found.push(text);
    }

    /// A character or a lifetime.
    fn character(&mut self) {
        let mut signs = self.rest.chars().skip(1);
        let length = match (signs.next(), signs.next()) {
            (Some('\\'), Some(_)) => self.rest[3..].find('\'').map(|end| end + 4),
            (Some(sign), Some('\'')) => Some(sign.len_utf8() + 2),
            _ => None,
        };
        self.skip(length.unwrap_or(1));
    }
}
