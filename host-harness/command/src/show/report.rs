//! Renders validations and failures for the person at the terminal.
//!
//! The checks come in the order of the report, each with a mark, a message and a hint.

use std::fmt::Write;

use crate::show::terminal::{Look, Style, width};
use crate::show::words::hang;
use smp_host::failure::{Code, Failure};
use smp_host::validation::{CheckOutcome, CheckResult};
use smp_listing::{name, sentence, shown, wait};

/// The checks and the verdict, for people.
#[must_use]
pub(crate) fn text(checks: &[CheckResult], ready: bool, look: Look) -> String {
    let mut out = String::new();
    let (shown, hidden) = shown(checks);
    for check in shown {
        told_check(&mut out, check, look);
    }
    if hidden > 0 {
        told(
            &mut out,
            "   ",
            &format!("and {hidden} more checks that are not shown"),
            look,
            Style::Yellow,
        );
    }
    let count = |mark: CheckOutcome| checks.iter().filter(|check| check.outcome == mark).count();
    let (verdict, style) = match (ready, count(CheckOutcome::Failed), count(CheckOutcome::Warning))
    {
        (true, _, 0) => ("Ready.".to_owned(), Style::Green),
        (true, _, 1) => ("Ready, with a warning.".to_owned(), Style::Green),
        (true, _, warnings) => (format!("Ready, with {warnings} warnings."), Style::Green),
        (false, 0, _) => ("Not ready: not everything could be checked.".to_owned(), Style::Red),
        (false, 1, _) => ("Not ready: a check failed.".to_owned(), Style::Red),
        (false, failed, _) => (format!("Not ready: {failed} checks failed."), Style::Red),
    };
    let _ = writeln!(out, "\n {}", look.paint().styled(style, &verdict));
    out
}

/// Writes a check. One that needs no attention takes one line, if it fits.
fn told_check(out: &mut String, check: &CheckResult, look: Look) {
    let (sign, style) = sign(check.outcome);
    let paint = look.paint();
    let (title, message) = (name(&check.title), sentence(&check.message));
    let _ = write!(out, " {} {}", paint.styled(style, sign), paint.bold(&title));
    let is_quiet = matches!(check.outcome, CheckOutcome::Passed | CheckOutcome::Skipped);
    if is_quiet && width(&title) + width(&message) + 5 <= look.width {
        let _ = writeln!(out, "  {}", paint.dim(&message));
    } else {
        out.push('\n');
        told(out, "   ", &message, look, Style::Plain);
    }
    advice(out, check.hint.as_deref(), look);
    let details = Details {
        code: check.code,
        setting: check.setting.as_deref(),
        vendor_code: check.vendor_code.as_deref(),
        retry_after_s: check.retry_after_s,
    };
    details.write(out, look);
}

/// A failure for people: what happened, what to do, and when to retry.
#[must_use]
pub(crate) fn failure(failure: &Failure, look: Look) -> String {
    let mut out = String::new();
    let (sign, style) = sign(CheckOutcome::Failed);
    let message = sentence(&failure.message);
    hang(&mut out, "   ", &message, look, Style::Bold);
    // The mark is coloured separately, in place of the first line's indent.
    out.replace_range(..3, &format!(" {} ", look.paint().styled(style, sign)));
    advice(&mut out, failure.hint.as_deref(), look);
    let details = Details {
        code: Some(failure.code),
        setting: failure.setting.as_deref(),
        vendor_code: failure.vendor_code.as_deref(),
        retry_after_s: failure.retry_after_s,
    };
    details.write(&mut out, look);
    out
}

/// The details below a message.
struct Details<'d> {
    code: Option<Code>,
    setting: Option<&'d str>,
    vendor_code: Option<&'d str>,
    retry_after_s: Option<u64>,
}

impl Details<'_> {
    fn write(&self, out: &mut String, look: Look) {
        let facts = [
            self.code.map(|code| format!("code {code}")),
            self.setting.map(|setting| format!("setting {}", name(setting))),
            self.vendor_code.map(|code| format!("vendor code {}", name(code))),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        if let Some(seconds) = self.retry_after_s {
            hang(out, "   → ", &format!("Try again in {}.", wait(seconds)), look, Style::Plain);
        }
        told(out, "   ", &facts.join(" · "), look, Style::Dim);
    }
}

/// The mark of an outcome, and its colour.
pub(super) fn sign(outcome: CheckOutcome) -> (&'static str, Style) {
    match outcome {
        CheckOutcome::Passed => ("✔", Style::Green),
        CheckOutcome::Warning => ("!", Style::Yellow),
        CheckOutcome::Failed => ("✘", Style::Red),
        CheckOutcome::Skipped => ("–", Style::Dim),
    }
}

pub(super) fn advice(out: &mut String, hint: Option<&str>, look: Look) {
    let hint = hint.map(sentence).unwrap_or_default();
    if !hint.is_empty() {
        hang(out, "   → ", &hint, look, Style::Plain);
    }
}

pub(super) fn told(out: &mut String, first: &str, text: &str, look: Look, style: Style) {
    if !text.is_empty() {
        hang(out, first, text, look, style);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use smp_host::contract::{self, Advice, Check, FailureKind, Outcome, Report};
    use smp_host::settings::Checked;
    use smp_host::testing::any_text;
    use smp_host::text::is_active;
    use smp_host::validation::Validation;

    #[test]
    fn checks_are_told_with_what_to_do() {
        assert_eq!(
            format!("\n{}", text(&checks(), false, Look { width: 60, colour: false })),
            "
 ✔ Organization ID  It looks right.
 ! Api Key
   It has an unusual beginning.
   → Compare it with the page.
   setting api-key
 ✘ Access
   The key was not accepted.
   → It is wrong, expired or revoked: make a new one and
     enter it here.
   → Try again in 2 minutes.
   code credentials · setting api-key · vendor code E-1
 – Members  Not looked at without access.

 Not ready: a check failed.
"
        );
    }

    #[test]
    fn the_verdict_follows_from_the_checks() {
        let all = checks();
        let verdict = |checks: &[CheckResult], ready| {
            text(checks, ready, Look::PLAIN).lines().last().unwrap().to_owned()
        };
        assert_eq!(verdict(&all[..1], true), " Ready.");
        assert_eq!(verdict(&all[..2], true), " Ready, with a warning.");
        assert_eq!(verdict(&[all[1].clone(), all[1].clone()], true), " Ready, with 2 warnings.");
        assert_eq!(
            verdict(&[all[2].clone(), all[2].clone()], false),
            " Not ready: 2 checks failed."
        );
        assert_eq!(verdict(&all[3..], false), " Not ready: not everything could be checked.");
    }

    #[test]
    fn a_failure_says_what_happened_what_to_do_and_when_to_come_back() {
        let mut limited = Failure::new(Code::RateLimited, "the service asks for a pause")
            .with_hint("Nothing is lost: run it again later.");
        limited.retry_after_s = Some(40);
        assert_eq!(
            failure(&limited, Look::PLAIN),
            " ✘ the service asks for a pause\n   → Nothing is lost: run it again later.\n   → Try \
             again in 40 seconds.\n   code rate-limited\n"
        );
        assert_eq!(
            failure(&Failure::new(Code::Trap, ""), Look { width: 100, colour: true }),
            " \u{1b}[31m✘\u{1b}[0m \n   \u{1b}[2mcode trap\u{1b}[0m\n"
        );
    }

    proptest! {
        #[test]
        fn no_text_of_a_component_steers_a_terminal(text in any_text(), columns in 0_usize..160) {
            let look = Look { width: columns, colour: false };
            let strange = Failure {
                code: Code::Other,
                message: text.clone(),
                hint: Some(text.clone()),
                setting: Some(text.clone()),
                vendor_code: Some(text.clone()),
                retry_after_s: Some(u64::MAX),
                remedy: Box::new(Code::Other.remedy()),
            };
            let mut check = checks().remove(2);
            (check.title, check.message, check.hint) = (text.clone(), text.clone(), Some(text.clone()));
            (check.setting, check.vendor_code) = (Some(text.clone()), Some(text));
            for shown in [failure(&strange, look), super::text(&[check], false, look)] {
                prop_assert!(!shown.chars().any(|sign| sign != '\n' && is_active(sign)), "{:?}", shown);
                prop_assert!(shown.ends_with('\n'));
            }
        }
    }

    fn checks() -> Vec<CheckResult> {
        let check = |id: &str, title: &str, outcome| Check {
            id: id.into(),
            title: title.into(),
            required: true,
            setting: None,
            outcome,
        };
        let setting = Some("api-key".to_owned());
        let refused = contract::Failure {
            kind: FailureKind::Credentials,
            message: "The key was not accepted.".into(),
            hint: "It is wrong, expired or revoked: make a new one and enter it here.".into(),
            setting: setting.clone(),
            vendor_code: Some("E-1".into()),
            retry_after_seconds: Some(100),
        };
        let unusual = Advice {
            message: "It has an unusual beginning.".into(),
            hint: "Compare it with the page.".into(),
            setting,
        };
        let checks = vec![
            check("id", "Organization ID", Outcome::Passed("It looks right.".into())),
            check("key", "Api Key", Outcome::Warning(unusual)),
            check("access", "Access", Outcome::Failed(refused)),
            check("members", "Members", Outcome::Skipped("Not looked at without access.".into())),
        ];
        Validation::new(Report { checks, credential_expires: None }, &Checked::default())
            .checks()
            .to_vec()
    }
}
