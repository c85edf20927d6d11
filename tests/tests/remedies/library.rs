//! Tests that the texts of the libraries name nothing that only the command has.

use std::fs;

use smp_tests::harness::{folder, rust_files};

use crate::literals::literals;

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
        for path in rust_files(&root.join(library)) {
            let name =
                path.strip_prefix(root.join(library)).unwrap().to_string_lossy().into_owned();
            let is_test = ["tests.rs", "testing.rs"].iter().any(|end| name.ends_with(end))
                || name.contains("/tests/");
            if is_test {
                continue;
            }
            for text in literals(&fs::read_to_string(&path).unwrap()) {
                texts += 1;
                if let Some(word) = names_the_command(&without_toolchains(&text), &targets) {
                    found.push(format!("{library}/{name}: `{word}` in “{text}”"));
                }
            }
        }
    }
    assert!(texts > 1_000, "only {texts} texts were read");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The text without the options of other programs: of the toolchains that make components.
fn without_toolchains(text: &str) -> String {
    const THEIRS: [&str; 6] = [
        "componentize-qjs ",
        "componentize-py ",
        "jco componentize",
        "--backend-qjs-",
        "--disable http",
        "-Os ",
    ];
    let is_theirs = |span: &&str| THEIRS.iter().any(|start| span.starts_with(start));
    text.split('`').filter(|span| !is_theirs(span)).collect::<Vec<_>>().join("`")
}

/// The target that a line of a makefile begins.
fn target(line: &str) -> Option<&str> {
    let (name, _) = line.split_once(':')?;
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_name.then_some(name)
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
