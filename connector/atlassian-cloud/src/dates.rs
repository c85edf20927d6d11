//! Dates of activity: what is read, and what is odd about it.
//!
//! A date that cannot be read, one that stands for "never" and one that has not come yet are unknown
//! and counted: a list is worth more than one date in it, and a wrong one is worse than none.

use smp_connector_kit::json::Any;
use smp_connector_kit::{Advice, Host, Instant, Level, time};

const DAY: i64 = 86_400;

/// The dates that were left out, by what is odd about them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OddDates {
    /// They could not be read.
    pub unreadable: u32,
    /// They stand for "never": the first day of the year 1970, where clocks begin, or an earlier
    /// one.
    pub never: u32,
    /// They lie more than a day beyond the date of the answer.
    pub ahead: u32,
}

impl OddDates {
    /// Reads a date; an odd one is unknown, and counted.
    pub fn read(&mut self, date: &Any<'_>) -> Option<Instant> {
        if matches!(date, Any::Null) || date.text() == Some("") {
            return None;
        }
        let Some(instant) = date.text().and_then(time::parse) else {
            self.unreadable = self.unreadable.saturating_add(1);
            return None;
        };
        if instant.seconds < DAY {
            self.never = self.never.saturating_add(1);
            return None;
        }
        Some(instant)
    }

    /// Gives a date back, unless it lies ahead of what an answer of that date can know.
    pub fn come(&mut self, date: Option<Instant>, answered: Option<Instant>) -> Option<Instant> {
        if let (Some(date), Some(answered)) = (date, answered)
            && date.seconds > answered.seconds.saturating_add(DAY)
        {
            self.ahead = self.ahead.saturating_add(1);
            return None;
        }
        date
    }

    /// The note on a page that has such dates: always the same, so that a collection says it once.
    /// How many they are is logged.
    pub fn note(self, host: &mut dyn Host) -> Option<Advice> {
        let Self { unreadable, never, ahead } = self;
        if self == Self::default() {
            return None;
        }
        host.log(
            Level::Warn,
            &format!(
                "dates of this page that are left out: {unreadable} could not be read, {never} \
                 stand for never, {ahead} lie ahead"
            ),
        );
        Some(Advice {
            message: "Some dates of last activity are left out: they cannot be read, stand for \
                      “never”, or lie in the future."
                .to_owned(),
            hint: "Nothing is wrong with your settings, and nobody is missing: such a date counts \
                   as unknown. If many dates are missing, send this message to the support of \
                   your SaaS management platform."
                .to_owned(),
            setting: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use smp_connector_kit::testing::Script;

    use super::*;

    #[test]
    fn a_date_that_stands_for_never_is_unknown() {
        let rows = [
            ("1970-01-01T00:00:00Z", None),
            ("1970-01-01", None),
            ("1970-01-01T05:30:00+05:30", None),
            ("1969-12-31T16:00:00-08:00", None),
            ("0001-01-01T00:00:00Z", None),
            ("0001-01-01", None),
            ("1970-01-02", Some(86_400)),
            ("2026-11-20", Some(1_795_132_800)),
        ];
        for (text, seconds) in rows {
            let mut odd = OddDates::default();
            let read = odd.read(&Any::Text(text.into()));
            assert_eq!(read.map(|instant| instant.seconds), seconds, "{text}");
            assert_eq!(odd.never, u32::from(seconds.is_none()), "{text}");
        }
    }

    #[test]
    fn a_date_that_is_no_text_cannot_be_read_and_none_is_none() {
        for (date, unreadable) in [
            (Any::Null, 0),
            (Any::Text("".into()), 0),
            (Any::Count(1_793_000_000), 1),
            (Any::Text("1793000000".into()), 1),
            (Any::Other, 1),
            (Any::List(Vec::new()), 1),
        ] {
            let mut odd = OddDates::default();
            assert_eq!((odd.read(&date), odd.unreadable), (None, unreadable), "{date:?}");
        }
    }

    #[test]
    fn a_date_may_lie_a_day_ahead_of_the_answer_and_no_more() {
        let answered = Some(time::from_unix_seconds(1_795_169_730));
        for (seconds, has_come) in [(0, true), (86_400, true), (86_401, false), (1 << 40, false)] {
            let date = Some(time::from_unix_seconds(1_795_169_730 + seconds));
            let mut odd = OddDates::default();
            assert_eq!(odd.come(date, answered).is_some(), has_come, "{seconds}");
            assert_eq!(odd.ahead, u32::from(!has_come), "{seconds}");
            assert_eq!(odd.come(date, None), date);
            assert_eq!(odd.come(None, answered), None);
        }
    }

    #[test]
    fn the_note_is_the_same_whatever_the_number_and_the_log_has_the_number() {
        let mut host = Script::new();
        let few = OddDates { unreadable: 1, ..OddDates::default() };
        let many = OddDates { unreadable: 2, never: 30, ahead: 4 };
        assert_eq!(few.note(&mut host), many.note(&mut host));
        assert_eq!(OddDates::default().note(&mut host), None);
        let line = "dates of this page that are left out: 2 could not be read, 30 stand for never, \
                    4 lie ahead";
        assert_eq!(host.lines.len(), 2);
        assert_eq!(host.lines[1], (Level::Warn, line.to_owned()));
    }
}
