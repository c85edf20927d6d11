//! What a run does about a list that is shorter than its total: by default it is `incomplete`, and
//! an operator can accept one number of missing records, no other.
//!
//! Some services state a total that has one account more than they ever list. Nothing brings that
//! account, so the run says when the same number was missing before, and the operator decides.

use smp_guard::Error;

use super::report::Note;
use crate::failure::Failure;
use crate::limits::Limits;
use crate::remedy::Remedy;

/// What is known of a list's shortfall before the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shortfall {
    /// How many records may be missing, exactly: with more or fewer, the list is `incomplete`.
    pub accepted: Option<u64>,
    /// How many were missing in the run before, if any were.
    pub before: Option<u64>,
}

impl Shortfall {
    /// Judges what the guard found. A shortfall that was accepted is a note of the report.
    ///
    /// # Errors
    /// The failure of the run.
    pub(super) fn judge(self, found: Error, limits: &Limits) -> Result<Note, Failure> {
        let missing = missing(&found);
        let Error::Incomplete { there, told, records } = found else {
            return Err(limits.found(found));
        };
        if self.accepted == missing {
            return Ok(Note {
                message: format!(
                    "The service states {told} {records} and listed {there}. The shortfall was \
                     accepted for this run, so the list counts as complete."
                ),
                hint: "What is missing is not known. Ask the service's support.".to_owned(),
                setting: None,
            });
        }
        let mut failure = limits.found(found);
        match (self.accepted, missing) {
            (Some(accepted), Some(missing)) => {
                failure.message += &format!(
                    ": {missing} are missing, and a shortfall of exactly {accepted} was accepted"
                );
            }
            (None, Some(missing)) if self.before == Some(missing) => {
                failure.message += ": as many are missing as in the run before";
                failure = failure
                    .with_hint(
                        "Collect again later. If the same number stays missing, the service \
                         counts what it does not list: ask its support. If the list is of use \
                         without them, accept exactly this shortfall.",
                    )
                    .with_remedy(Remedy::AcceptShortfall { missing });
            }
            _ => {}
        }
        Err(failure)
    }
}

/// How many records are missing, if that is what the guard found.
pub(super) fn missing(found: &Error) -> Option<u64> {
    match found {
        Error::Incomplete { there, told, .. } => Some(told.saturating_sub(*there)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Code;

    #[test]
    fn a_shortfall_counts_only_where_exactly_it_was_accepted() {
        let found = || Error::Incomplete { there: 30, told: 31, records: "members" };
        let again = Remedy::AcceptShortfall { missing: 1 };
        for (accepted, before, outcome) in [
            (None, None, Err(("31 members", Remedy::later()))),
            (None, Some(2), Err(("31 members", Remedy::later()))),
            (None, Some(1), Err(("as many are missing as in the run before", again))),
            (Some(1), None, Ok("states 31 members and listed 30")),
            (Some(1), Some(1), Ok("states 31 members and listed 30")),
            (Some(0), None, Err(("exactly 0 was accepted", Remedy::later()))),
            (
                Some(2),
                Some(1),
                Err(("1 are missing, and a shortfall of exactly 2", Remedy::later())),
            ),
        ] {
            let judged = Shortfall { accepted, before }.judge(found(), &Limits::default());
            match (judged, outcome) {
                (Ok(note), Ok(words)) => assert!(note.message.contains(words), "{note:?}"),
                (Err(failure), Err((words, remedy))) => {
                    assert_eq!((failure.code, &*failure.remedy), (Code::Incomplete, &remedy));
                    assert!(failure.message.contains(words), "{failure}");
                    assert!(failure.retryable());
                }
                (judged, _) => panic!("{accepted:?} {before:?}: {judged:?}"),
            }
        }
    }

    #[test]
    fn no_other_fault_is_accepted() {
        let accepted = Shortfall { accepted: Some(1), before: None };
        let endless = accepted.judge(Error::Endless("it goes on".into()), &Limits::default());
        assert_eq!(endless.unwrap_err().code, Code::UnexpectedResponse);
    }
}
