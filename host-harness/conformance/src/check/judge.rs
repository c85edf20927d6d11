//! Judges whether the outcome of a call under a fault is permitted. Pure.
//!
//! It depends on what the connector can know (see [`super::fault`]):
//!
//! * Under any fault a call may end in a failure that says what happened and what to do. It never
//!   crashes or hangs, and never repeats text of an answer.
//! * *Unreadable*: the connector cannot have read anything from the answer. A list that is called
//!   complete has exactly the members of the undisturbed one; if the undisturbed list is not
//!   complete, this one must not be either. Its rows may differ only by what the answer would have
//!   added, which is a warning. Settings may be ready only if the undisturbed ones are, and the
//!   report must differ from the undisturbed one: a check that gives the same text without an
//!   answer did not read it. (If the undisturbed report already warns, its text may be about just
//!   that.) An account is the undisturbed one, or none. A result that stays the same whichever
//!   answer cannot be read is not made from the answers.
//! * *Changed*: every field but the id may be absent, so other rows are permitted. But the members
//!   must be the same, unless the service itself leaves the field out in a complete list: then a
//!   shorter list may be right. If the undisturbed run failed, a change may have fixed it.
//! * *Late* and *same*: the result is the undisturbed one. A late answer may exhaust the waiting
//!   time.

use super::fault::Class;
use super::rules::{
    ACCOUNT, DISCREET, Definition, ENDING, KEEPING, PATIENT, READY, ROWS, STANDING, WHOLE, WORDED,
};
use smp_host::failure::{Code, Failure};
use smp_host::text::shortened;
use smp_replay::player::call::{Call, End, Played};

/// A breach of a rule, without its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) rule: &'static Definition,
    pub(super) what: String,
}

/// The fault of a run.
pub(super) struct Under<'f> {
    pub(super) class: &'f Class,
    /// Whether the replaced answer could be read.
    pub(super) was_readable: bool,
    /// Whether the removed field may be missing.
    pub(super) may_be_missing: bool,
}

/// The breaches of any run, with or without a fault. The word marks made-up texts.
pub(super) fn always(played: &Played, word: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    match &played.end {
        End::Failed(failure) => breaches.extend(of_failure(failure)),
        End::Checked { wordless: Some(check), .. } => {
            breaches.push(breach(
                &WORDED,
                format!("the check `{check}` does not say what was found, or what to do"),
            ));
        }
        End::List { .. } if played.exchanges.is_empty() => {
            breaches.push(breach(&WHOLE, "a list is called complete, but no request was sent"));
        }
        End::Account(_) if played.exchanges.is_empty() => {
            breaches.push(breach(&ACCOUNT, "an account is named, but no request was sent"))
        }
        _ => {}
    }
    if let Some(said) = played.said.iter().find(|said| said.contains(word)) {
        breaches.push(breach(
            &DISCREET,
            format!("it repeats a word of the answer: “{}”", around(said, word)),
        ));
    }
    breaches
}

/// The breaches of a run under a fault, compared with the undisturbed one.
pub(super) fn under(fault: &Under<'_>, call: Call, undisturbed: &End, came: &End) -> Vec<Breach> {
    match fault.class {
        Class::Late | Class::Same => same(matches!(fault.class, Class::Late), undisturbed, came),
        Class::Unreadable | Class::Changed { .. } => {
            let is_unreadable = *fault.class == Class::Unreadable;
            let breach = match (call, undisturbed, came) {
                (
                    Call::Validate,
                    End::Checked { .. } | End::Failed(_),
                    End::Checked { ready: true, .. },
                ) if is_unreadable => false_ready(fault.was_readable, undisturbed, came),
                (Call::Connect, _, End::Account(id)) => {
                    other_account(is_unreadable, undisturbed, id)
                }
                (Call::Collect | Call::Usage, _, End::List { .. }) => {
                    false_success(is_unreadable, fault.may_be_missing, undisturbed, came)
                }
                _ => None,
            };
            breach.into_iter().collect()
        }
    }
}

/// The breach of a call with the same outcome whichever of its answers cannot be read.
pub(super) fn unmoved(call: Call, undisturbed: &End) -> Option<Breach> {
    match (call, undisturbed) {
        (Call::Collect | Call::Usage, End::List { .. }) => Some(breach(
            &WHOLE,
            "the same list is called complete whichever answer cannot be read: it is not made \
             from the service's answers",
        )),
        (Call::Connect, End::Account(_)) => Some(breach(
            &ACCOUNT,
            "the same account is named whichever answer cannot be read: it takes its setting for \
             the account",
        )),
        _ => None,
    }
}

fn of_failure(failure: &Failure) -> Option<Breach> {
    let said = shortened(&failure.message, 200);
    let wordless = failure.message.trim().is_empty()
        || failure.hint.as_deref().is_none_or(|hint| hint.trim().is_empty());
    match failure.code {
        Code::Trap => Some(breach(&STANDING, said)),
        Code::Limit => Some(breach(&ENDING, said)),
        Code::Contract if said.contains("has no hint") || said.contains("has no message") => {
            Some(breach(&WORDED, said))
        }
        Code::Contract => Some(breach(&KEEPING, said)),
        Code::Denied
        | Code::Fixture
        | Code::Component
        | Code::Checkpoint
        | Code::Interrupted
        | Code::Output => Some(breach(&KEEPING, format!("it ends as `{}`: {said}", failure.code))),
        _ if wordless => Some(breach(
            &WORDED,
            format!("the failure `{}` has no message or no hint", failure.code),
        )),
        _ => None,
    }
}

fn false_ready(was_readable: bool, undisturbed: &End, came: &End) -> Option<Breach> {
    let (End::Checked { ready: true, report: before, warned, .. }, End::Checked { report, .. }) =
        (undisturbed, came)
    else {
        return Some(breach(
            &READY,
            "the settings are called ready, but are not ready without the fault",
        ));
    };
    (was_readable && !warned && before == report).then(|| {
        breach(&READY, "the settings are called ready in the same words as with the right answer")
    })
}

fn other_account(is_unreadable: bool, undisturbed: &End, id: &str) -> Option<Breach> {
    match undisturbed {
        End::Account(right) if right == id => None,
        End::Account(_) => {
            Some(breach(&ACCOUNT, "the account differs from the one with the right answer"))
        }
        _ if is_unreadable => {
            Some(breach(&ACCOUNT, "an account is named, but there is none without the fault"))
        }
        _ => None,
    }
}

fn false_success(
    is_unreadable: bool,
    may_be_missing: bool,
    undisturbed: &End,
    came: &End,
) -> Option<Breach> {
    let End::List { ids, rows } = came else { return None };
    let End::List { ids: right, rows: right_rows } = undisturbed else {
        return is_unreadable.then(|| {
            breach(
                &WHOLE,
                format!(
                    "a list of {} is called complete, but there is none without the fault",
                    ids.len()
                ),
            )
        });
    };
    let missing = right.difference(ids).count();
    let strange = ids.difference(right).count();
    match (missing, strange) {
        (0, 0) if is_unreadable && rows != right_rows => {
            Some(breach(&ROWS, "the members are complete, with less about them"))
        }
        (0, 0) => None,
        _ if may_be_missing => None,
        (missing, 0) => Some(breach(
            &WHOLE,
            format!("a list is called complete without {missing} of {} members", right.len()),
        )),
        (missing, strange) => Some(breach(
            &WHOLE,
            format!(
                "a list is called complete without {missing} of {} members, and with {strange} \
                 that do not exist",
                right.len()
            ),
        )),
    }
}

fn same(is_late: bool, undisturbed: &End, came: &End) -> Vec<Breach> {
    let is_same = match (undisturbed, came) {
        (End::Failed(right), End::Failed(failure)) if is_late => right.code == failure.code,
        (End::Checked { ready: right, .. }, End::Checked { ready, .. }) if is_late => {
            right == ready
        }
        _ => undisturbed == came,
    };
    // That is reported as a breach of another rule.
    let is_told = matches!(came, End::Failed(failure) if of_failure(failure).is_some());
    if is_same || is_told {
        Vec::new()
    } else {
        vec![breach(&PATIENT, format!("it ends otherwise: {}", ended(came)))]
    }
}

/// The end of a call, in a few words.
fn ended(end: &End) -> String {
    match end {
        End::Checked { ready: true, .. } => "ready".into(),
        End::Checked { .. } => "not ready".into(),
        End::Account(_) => "with an account".into(),
        End::List { ids, .. } => format!("with a list of {}", ids.len()),
        End::Failed(failure) => {
            format!("as `{}`: {}", failure.code, shortened(&failure.message, 200))
        }
    }
}

fn breach(rule: &'static Definition, what: impl Into<String>) -> Breach {
    Breach { rule, what: what.into() }
}

/// The text around the word.
fn around(text: &str, word: &str) -> String {
    let start = text.find(word).unwrap_or_default();
    let begin = text
        .char_indices()
        .map(|(index, _)| index)
        .rfind(|index| index + 40 <= start)
        .unwrap_or_default();
    shortened(text.get(begin..).unwrap_or_default(), 100).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use smp_replay::player::trace::Trace;

    const WORD: &str = "quetzalfeder";
    const UNREADABLE: Under<'_> =
        Under { class: &Class::Unreadable, was_readable: true, may_be_missing: false };
    const CHANGED: Under<'_> = Under {
        class: &Class::Changed { removed: None },
        was_readable: true,
        may_be_missing: false,
    };
    const LEFT_OUT: Under<'_> = Under { may_be_missing: true, ..CHANGED };
    const LATE: Under<'_> =
        Under { class: &Class::Late, was_readable: true, may_be_missing: false };
    const SAME: Under<'_> =
        Under { class: &Class::Same, was_readable: true, may_be_missing: false };

    fn list(ids: &[&str], rows: &str) -> End {
        End::List {
            ids: ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>(),
            rows: rows.as_bytes().to_vec(),
        }
    }

    fn failed(code: Code) -> End {
        End::Failed(Failure::new(code, "it did not work").with_hint("Try again."))
    }

    fn checked(ready: bool, words: &str, warned: bool) -> End {
        End::Checked { ready, report: json!(words), wordless: None, warned }
    }

    fn rules(breaches: &[Breach]) -> Vec<&str> {
        breaches.iter().map(|breach| breach.rule.id).collect()
    }

    #[test]
    fn a_list_that_is_called_whole_has_the_members_of_the_undisturbed_one() {
        let (none, other): (&[&str], &[&str]) = (&[], &["no-false-success"]);
        let right = list(&["a", "b"], "ab");
        for (fault, undisturbed, came, broken) in [
            (&UNREADABLE, &right, list(&["a", "b"], "ab"), none),
            (&UNREADABLE, &right, list(&["a"], "a"), other),
            (&UNREADABLE, &right, list(&[], ""), other),
            (&UNREADABLE, &right, list(&["a", "b", "c"], "abc"), other),
            (&UNREADABLE, &right, list(&["a", "b"], "a"), &["no-silent-loss"]),
            (&UNREADABLE, &right, failed(Code::Upstream), none),
            (&UNREADABLE, &failed(Code::Incomplete), list(&["a"], "a"), other),
            (&CHANGED, &right, list(&["a", "b"], "a"), none),
            (&CHANGED, &right, list(&["a"], "a"), other),
            (&CHANGED, &failed(Code::Incomplete), list(&["a"], "a"), none),
            (&LEFT_OUT, &right, list(&["a"], "a"), none),
        ] {
            assert_eq!(rules(&under(fault, Call::Collect, undisturbed, &came)), broken, "{came:?}");
        }
    }

    #[test]
    fn ready_without_an_answer_is_false_unless_the_report_says_what_is_missing() {
        let (none, false_ready): (&[&str], &[&str]) = (&[], &["no-false-ready"]);
        let right = checked(true, "all is well", false);
        let unread = Under { was_readable: false, ..UNREADABLE };
        for (fault, undisturbed, came, broken) in [
            (&UNREADABLE, &right, checked(true, "all is well", false), false_ready),
            (&UNREADABLE, &right, checked(true, "one thing could not be looked up", true), none),
            (&UNREADABLE, &right, checked(false, "no", false), none),
            (
                &UNREADABLE,
                &checked(false, "no", false),
                checked(true, "all is well", false),
                false_ready,
            ),
            (
                &UNREADABLE,
                &failed(Code::Upstream),
                checked(true, "all is well", false),
                false_ready,
            ),
            (
                &UNREADABLE,
                &checked(true, "it could not be looked up", true),
                checked(true, "it could not be looked up", true),
                none,
            ),
            (&unread, &right, checked(true, "all is well", false), none),
            (&CHANGED, &right, checked(true, "all is well", false), none),
        ] {
            assert_eq!(
                rules(&under(fault, Call::Validate, undisturbed, &came)),
                broken,
                "{came:?}"
            );
        }
    }

    #[test]
    fn an_account_is_the_undisturbed_one_or_none() {
        let account = |id: &str| End::Account(id.into());
        let (none, other): (&[&str], &[&str]) = (&[], &["no-other-account"]);
        for (fault, undisturbed, came, broken) in [
            (&UNREADABLE, account("1"), account("1"), none),
            (&UNREADABLE, account("1"), account(""), other),
            (&CHANGED, account("1"), account("42"), other),
            (&UNREADABLE, failed(Code::Permission), account("1"), other),
            (&CHANGED, failed(Code::UnexpectedResponse), account("1"), none),
            (&CHANGED, account("1"), failed(Code::UnexpectedResponse), none),
        ] {
            assert_eq!(
                rules(&under(fault, Call::Connect, &undisturbed, &came)),
                broken,
                "{came:?}"
            );
        }
    }

    #[test]
    fn late_and_padded_answers_change_nothing() {
        let right = list(&["a"], "a");
        let waited = |seconds| match failed(Code::RateLimited) {
            End::Failed(failure) => {
                End::Failed(Failure { retry_after_s: Some(seconds), ..failure })
            }
            end => end,
        };
        for fault in [&LATE, &SAME] {
            assert_eq!(rules(&under(fault, Call::Collect, &right, &right)), [""; 0]);
            assert_eq!(
                rules(&under(fault, Call::Collect, &right, &failed(Code::Upstream))),
                ["slow-and-large"]
            );
            assert_eq!(
                rules(&under(fault, Call::Collect, &right, &list(&["a"], "b"))),
                ["slow-and-large"]
            );
            assert_eq!(
                rules(&under(fault, Call::Collect, &right, &failed(Code::Trap))),
                [""; 0],
                "told as a crash"
            );
        }
        assert_eq!(rules(&under(&LATE, Call::Collect, &waited(90), &waited(30))), [""; 0]);
        assert_eq!(
            rules(&under(&SAME, Call::Collect, &waited(90), &waited(30))),
            ["slow-and-large"]
        );
    }

    #[test]
    fn what_no_run_may_end_in_breaks_a_rule_of_its_own() {
        let always = |end: End, said: &str| {
            let (said, trace) = (vec![said.into()], Trace::default());
            super::always(&Played { end, said, exchanges: vec![], trace }, WORD)
        };
        for (code, broken) in [
            (Code::Trap, "no-crash"),
            (Code::Limit, "no-hang"),
            (Code::Contract, "fails-as-agreed"),
            (Code::Denied, "fails-as-agreed"),
            (Code::Fixture, "fails-as-agreed"),
        ] {
            assert_eq!(rules(&always(failed(code), "")), [broken], "{code}");
        }
        for code in [
            Code::InvalidSettings,
            Code::Credentials,
            Code::Incomplete,
            Code::NoMembers,
            Code::CursorExpired,
            Code::Other,
        ] {
            assert_eq!(rules(&always(failed(code), "")), [""; 0], "{code}");
        }
        let hintless =
            Failure::new(Code::Contract, "the connector broke its contract: a failure has no hint");
        assert_eq!(rules(&always(End::Failed(hintless), "")), ["says-what-to-do"]);
        assert_eq!(
            rules(&always(End::Failed(Failure::new(Code::Upstream, "x")), "")),
            ["says-what-to-do"]
        );
        let wordless = End::Checked {
            ready: true,
            report: json!(""),
            wordless: Some("access".into()),
            warned: false,
        };
        assert_eq!(rules(&always(wordless, "")), ["says-what-to-do"]);
        let repeats = always(failed(Code::Other), &format!("the service said {WORD} to us"));
        assert_eq!(
            repeats[0].what,
            "it repeats a word of the answer: “the service said quetzalfeder to us”"
        );
        assert_eq!(rules(&repeats), ["repeats-nothing"]);
        // These runs send no request.
        assert_eq!(rules(&always(list(&["a"], "a"), "")), ["no-false-success"]);
        assert_eq!(rules(&always(End::Account("1".into()), "")), ["no-other-account"]);
    }
}
