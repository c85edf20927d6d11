//! Hints in the words of the language that a connector is written in. Pure.

use super::rules::{ENDING, MEMORY, SLIM, STANDING};
use crate::check::verdict::Rule;
use smp_host::component::outline::Toolchain;

/// Replaces the hints of rules that are fixed in another way in this language. A hint that is more
/// precise than the rule's own stays.
pub(super) fn translate(rules: &mut [Rule], toolchain: Toolchain) {
    for rule in rules {
        let own = [&SLIM, &STANDING, &ENDING, &MEMORY].into_iter().find(|own| own.id == rule.id);
        if let Some(own) = own
            && rule.hint.as_deref() == Some(own.hint)
            && let Some(hint) = hint(rule.id, toolchain)
        {
            rule.hint = Some(hint.to_owned());
        }
    }
}

fn hint(rule: &str, toolchain: Toolchain) -> Option<&'static str> {
    use Toolchain::{Clang, JavaScript, Python, Rust};
    Some(match (rule, toolchain) {
        ("is-slim", Rust) => {
            "Every host that runs it compiles it and keeps the code in memory. Build for size \
             (`opt-level = \"s\"`, `lto = \"fat\"`, `strip = true`)."
        }
        ("is-slim", Clang) => {
            "Every host that runs it compiles it and keeps the code in memory. Build for size \
             (`-Os -flto -Wl,--strip-all`)."
        }
        ("is-slim", JavaScript) => {
            "The engine is most of it. With QuickJS (`componentize-qjs`) nothing needs to be done; \
             StarlingMonkey has eight times its size."
        }
        ("is-slim", Python) => "The interpreter is most of it: nothing needs to be done.",
        ("no-crash", JavaScript | Python) => {
            "Check answers before using them. Before parsing JSON, count its brackets: the parser \
             recurses as deep as the answer is nested."
        }
        ("no-hang", JavaScript | Python) => {
            "Bound every loop and every list that is kept. Before parsing JSON, count its brackets \
             and cut its white space: the parser recurses as deep as the answer is nested, and \
             copies all of it."
        }
        ("memory", JavaScript | Python) => {
            "Cut white space before parsing, let go of the text once it is parsed, and keep only \
             one page."
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::rules::Findings;
    use super::*;

    #[test]
    fn a_hint_is_in_the_words_of_the_language_unless_it_is_more_precise() {
        let judged = |toolchain, precise: Option<&str>| {
            let mut findings = Findings::of(&SLIM);
            findings.add("it has 2,000,000 bytes");
            let mut rule = findings.judged("");
            if let Some(precise) = precise {
                rule.hint = Some(precise.to_owned());
            }
            translate(std::slice::from_mut(&mut rule), toolchain);
            rule.hint.unwrap()
        };
        assert!(judged(Toolchain::Rust, None).contains("opt-level"));
        assert!(judged(Toolchain::JavaScript, None).contains("componentize-qjs"));
        assert!(judged(Toolchain::Python, None).contains("nothing needs to be done"));
        assert_eq!(judged(Toolchain::Unknown, None), SLIM.hint);
        assert_eq!(judged(Toolchain::Rust, Some("Do this.")), "Do this.");
    }
}
