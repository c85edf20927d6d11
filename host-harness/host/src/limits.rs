//! The limits of a component. Every bound has its name, its default and its reason in one place; a
//! run that reaches one ends as `limit`.
//!
//! Operators and failures use a bound's name: `memory` in `--limit memory=128MiB` is the one in
//! “the limit `memory` is 64 MiB”.

use std::fmt;
use std::time::Duration;

use crate::failure::{Code, Failure};
use crate::remedy::Remedy;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Declares the bounds. Their doc comments are the reasons in the documentation and on the command
/// line.
macro_rules! bounds {
    ($($(#[doc = $reason:literal])+ $bound:ident $name:literal $field:ident: $kind:ident $type:ty = $default:expr $(, at least $least:expr)? $(, at most $most:expr)?;)+) => {
        /// The bounds of all runs of an engine. [`Limits::default`] serves any organization that is known; a platform may tighten
        /// them, and a run may tighten those of its engine.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = $reason])+ pub $field: $type,)+
        }

        /// A bound, by what it bounds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Bound {
            $($(#[doc = $reason])+ $bound,)+
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl Bound {
            /// All bounds, in the order in which a run meets them.
            pub const ALL: &'static [Self] = &[$(Self::$bound,)+];

            /// The name that operators and failures use.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$bound => $name,)+ }
            }

            /// The field of [`Limits`] that contains it.
            #[cfg(test)]
            fn field(self) -> &'static str {
                match self { $(Self::$bound => stringify!($field),)+ }
            }

            /// The reason for its value, in a sentence or two.
            #[must_use]
            pub fn reason(self) -> &'static str {
                match self { $(Self::$bound => concat!($($reason,)+).trim_start(),)+ }
            }
        }

        impl Limits {
            /// The value of a bound, for people.
            #[must_use]
            pub fn shown(&self, bound: Bound) -> String {
                match bound { $(Bound::$bound => value::$kind::shown(self.$field),)+ }
            }

            /// These bounds, each no higher than the other's.
            #[must_use]
            pub fn within(&self, most: &Self) -> Self {
                Self { $($field: self.$field.min(most.$field),)+ }
            }

            /// Sets the bound of this name to a value: `10s`, `500ms`, `64MiB`, `8192`.
            ///
            /// # Errors
            /// When there is no such bound, the value is none for it, nothing can run with so little, or
            /// no machine gives so much.
            pub fn set(&mut self, name: &str, text: &str) -> Result<(), LimitError> {
                match name {
                    $($name => {
                        let value: $type =
                            value::$kind::read(text).ok_or(LimitError::Value { name: $name, usual: value::$kind::EXAMPLE })?;
                        $(if value < $least {
                            return Err(LimitError::TooLittle { name: $name, least: value::$kind::shown::<$type>($least) });
                        })?
                        $(if value > $most {
                            return Err(LimitError::TooMuch { name: $name, most: value::$kind::shown::<$type>($most) });
                        })?
                        self.$field = value;
                    })+
                    _ => return Err(LimitError::Unknown),
                }
                Ok(())
            }
        }
    };
}

bounds! {
    /// Size of the file. A connector in Rust has 0.2 MB; one in Python brings its interpreter, and
    /// has 19 MB.
    Component "component" component: bytes u64 = 32 * MIB, at least 8;
    /// Processor time to compile it, in a separate process. A connector of 160 KiB takes about
    /// 0.1 s, CPython with a connector about 20 s.
    CompileTime "compile-time" compile_time: time Duration = Duration::from_secs(60);
    /// Memory to compile it, in a separate process. A connector of 160 KiB takes less than 20 MiB.
    CompileMemory "compile-memory" compile_memory: bytes u64 = 1024 * MIB, at least MIB;
    /// Stack, in bytes. Parsers go a few hundred frames deep at the most. The machine sets it aside
    /// for each call, so it is at most 1 GiB.
    Stack "stack" stack: bytes usize = 512 * KIB as usize, at least KIB as usize, at most 1024 * MIB as usize;
    /// Core instances in the component, and as many memories and tables. wit-component makes about
    /// four, and 38 for CPython.
    Instances "instances" instances: count usize = 64, at least 1;
    /// Elements of all tables together. A connector has one table with some hundred functions.
    TableElements "table-elements" table_elements: count usize = 10_000;
    /// Handles of resources at the same time. The contract has no resource, so a connector needs
    /// none.
    Handles "handles" handles: count usize = 1_000;
    /// Linear memory, in bytes. The largest body takes a few times its size when parsed.
    Memory "memory" memory: bytes usize = 64 * MIB as usize, at least 64 * KIB as usize;
    /// Processor time of one call, looked at every hundredth of a second. A page of 1,000 members
    /// takes some milliseconds.
    Cpu "cpu" cpu: time Duration = Duration::from_secs(10);
    /// Time of one call, in addition to the waits that the run's budget permits: for pacing, and
    /// for slow answers.
    CallTime "call-time" call_time: time Duration = Duration::from_secs(30 * 60);
    /// Time of a whole run, waits included. 50,000 pages at five requests a second take under three hours.
    RunTime "run-time" run_time: time Duration = Duration::from_secs(6 * 60 * 60);
    /// Bytes that one call may pass in either direction, by their size in host memory, and bytes of
    /// the rows that its page becomes: the largest body, as records.
    CallBytes "call-bytes" call_bytes: bytes usize = 32 * MIB as usize, at least KIB as usize;
    /// Requests of one run, without retries: more than the pages that the guard admits.
    Requests "requests" requests: count u64 = 100_000;
    /// Largest body of an answer, in bytes, after decompression. A page of 1,000 members has about 0.7 MB.
    Response "response" response: bytes u64 = 8 * MIB, at least 1;
    /// Log lines of one run. A person reads them; the rest is cut off, and the run goes on.
    LogLines "log-lines" log_lines: count u64 = 1_000;
    /// Bytes of all log lines of one run, as shown. The rest is cut off, and the run goes on.
    LogBytes "log-bytes" log_bytes: bytes u64 = 256 * KIB;
    /// Length of one log line, in characters; the rest is cut off.
    LogLine "log-line" log_line: count usize = 2_000;
    /// Longest text in a descriptor, a check, a message or a hint, in bytes: what a person reads as
    /// one piece.
    Text "text" text: bytes usize = 8 * KIB as usize, at least 1;
    /// Longest text of a member or a product, in bytes: names and addresses are much shorter, and a
    /// row must stay readable.
    MemberText "member-text" member_text: bytes usize = 4 * KIB as usize, at least 1;
    /// Entries of any list in a descriptor or a report, and attributes of a member: what a person
    /// reads.
    Entries "entries" entries: count usize = 200, at least 1;
    /// Members on a page, products on a page, and products that one member uses. The largest known
    /// pages have 1,000 members.
    PageMembers "page-members" page_members: count usize = 10_000, at least 1;
    /// Pages of one collection: 2.5 million members at 50 a page, more than any organization has.
    Pages "pages" pages: count u64 = 50_000, at least 1;
    /// Members of one collection, as many as those pages have. The host keeps 19 to 39 bytes of
    /// each, and as many again after a cursor expired: at most 200 MB.
    Members "members" members: count u64 = 2_500_000, at least 1;
    /// Consecutive pages without a new member. Pages may be empty; a hundred of them are a loop
    /// that changes its cursor.
    PagesWithoutNews "pages-without-news" pages_without_news: count u64 = 100, at least 1;
}

/// The resolution of CPU limits: how often the engine's epoch advances.
pub const TICK: Duration = Duration::from_millis(10);

pub use smp_guard::LONGEST_CURSOR;

/// Why a bound was not set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// There is no bound of that name.
    #[error("there is no limit of that name")]
    Unknown,
    /// The value is malformed.
    #[error("the limit `{name}` takes a value such as {usual}")]
    Value {
        /// Name of the bound.
        name: &'static str,
        /// An example of a value.
        usual: &'static str,
    },
    /// Nothing can run with so little: a failure would blame the component for the operator's
    /// setting.
    #[error("the limit `{name}` must be at least {least}: with less no connector can run")]
    TooLittle {
        /// Name of the bound.
        name: &'static str,
        /// The lowest permitted value.
        least: String,
    },
    /// A machine does not give so much, so that each run would fail.
    #[error("the limit `{name}` can be at most {most}: a machine does not set more aside")]
    TooMuch {
        /// Name of the bound.
        name: &'static str,
        /// The most that it can be set to.
        most: String,
    },
}

impl Limits {
    /// The failure of a run that reached a bound. `what` names what the component did, as the start
    /// of a sentence.
    #[must_use]
    pub fn reached(&self, bound: Bound, what: impl fmt::Display) -> Failure {
        let message = format!("{what}: the limit `{}` is {}", bound.name(), self.shown(bound));
        Failure::new(Code::Limit, message)
            .with_remedy(Remedy::RaiseLimit { limit: bound.name(), to: None })
            .with_hint(
                "This is more than any connector of its kind needs. Report it to the publisher of \
                 the connector. If you trust it, raise the limit.",
            )
    }
}

impl Limits {
    /// The failure of a file or an artifact that is larger than a component may be.
    #[must_use]
    pub fn component_too_large(&self, what: &str) -> Failure {
        let reached = self
            .reached(Bound::Component, format_args!("{what} is larger than a component may be"));
        Failure { code: Code::Component, ..reached }
    }
}

/// Values in the form that people write.
mod value {
    /// Durations: `10s`, `500ms`, `5min`, `2h`; a bare number is seconds.
    pub(super) mod time {
        use std::time::Duration;

        pub(crate) const EXAMPLE: &str = "`10s`, `500ms`, `5min` or `2h`";
        /// A week: a longer time is a typing error.
        const LONGEST: f64 = 7.0 * 86_400.0;

        pub(crate) fn read(text: &str) -> Option<Duration> {
            let (number, unit) = super::split(text);
            let seconds = match unit {
                "ms" => 0.001,
                "" | "s" => 1.0,
                "min" => 60.0,
                "h" => 3_600.0,
                _ => return None,
            };
            let seconds = number.parse::<f64>().ok()? * seconds;
            (0.001..=LONGEST).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
        }

        pub(crate) fn shown(value: Duration) -> String {
            match (value.as_millis(), value.as_secs()) {
                (ms, _) if ms % 1_000 != 0 => format!("{ms} ms"),
                (_, seconds) if seconds > 0 && seconds.is_multiple_of(3_600) => {
                    format!("{} h", seconds / 3_600)
                }
                (_, seconds) if seconds > 0 && seconds.is_multiple_of(60) => {
                    format!("{} min", seconds / 60)
                }
                (_, seconds) => format!("{seconds} s"),
            }
        }
    }

    /// Sizes: `64MiB`, `8KiB`, `8192`; a bare number is bytes.
    pub(super) mod bytes {
        use super::super::{KIB, MIB};

        pub(crate) const EXAMPLE: &str = "`64MiB`, `8KiB` or `8192` (bytes)";
        /// More than a machine has for one connector: a typing error.
        const LARGEST: u64 = 64 * 1024 * MIB;

        pub(crate) fn read<T: TryFrom<u64>>(text: &str) -> Option<T> {
            let (number, unit) = super::split(text);
            let bytes = match unit {
                "" | "B" => 1,
                "KiB" => KIB,
                "MiB" => MIB,
                "GiB" => 1024 * MIB,
                _ => return None,
            };
            T::try_from(
                number.parse::<u64>().ok()?.checked_mul(bytes).filter(|bytes| *bytes <= LARGEST)?,
            )
            .ok()
        }

        pub(crate) fn shown<T: TryInto<u64>>(value: T) -> String {
            match value.try_into().unwrap_or(u64::MAX) {
                bytes if bytes > 0 && bytes.is_multiple_of(1024 * MIB) => {
                    format!("{} GiB", bytes / (1024 * MIB))
                }
                bytes if bytes > 0 && bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
                bytes if bytes > 0 && bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
                1 => "1 byte".to_owned(),
                bytes => format!("{bytes} bytes"),
            }
        }
    }

    /// Numbers.
    pub(super) mod count {
        pub(crate) const EXAMPLE: &str = "a whole number";

        pub(crate) fn read<T: TryFrom<u64>>(text: &str) -> Option<T> {
            T::try_from(text.trim().parse::<u64>().ok()?).ok()
        }

        pub(crate) fn shown<T: TryInto<u64>>(value: T) -> String {
            value.try_into().unwrap_or(u64::MAX).to_string()
        }
    }

    /// A number and its unit, with or without a blank between them.
    fn split(text: &str) -> (&str, &str) {
        let text = text.trim();
        let end =
            text.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        (number, unit.trim_start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_set_by_its_name() {
        let mut limits = Limits::default();
        for (name, text, shown) in [
            ("memory", "128MiB", "128 MiB"),
            ("memory", "65537", "65537 bytes"),
            ("text", "16 KiB", "16 KiB"),
            ("cpu", "500ms", "500 ms"),
            ("cpu", "2", "2 s"),
            ("run-time", "0.5h", "30 min"),
            ("run-time", "24h", "24 h"),
            ("requests", "0", "0"),
            ("component", "1GiB", "1 GiB"),
        ] {
            limits.set(name, text).unwrap();
            let bound = Bound::ALL.iter().find(|bound| bound.name() == name).unwrap();
            assert_eq!(limits.shown(*bound), shown, "{name}={text}");
        }
        assert_eq!(
            (limits.memory, limits.cpu, limits.requests),
            (65_537, Duration::from_secs(2), 0)
        );
    }

    #[test]
    fn what_is_no_bound_or_no_value_is_refused_and_changes_nothing() {
        let mut limits = Limits::default();
        assert_eq!(limits.set("fuel", "1"), Err(LimitError::Unknown));
        for (name, text) in [
            ("memory", "much"),
            ("memory", "64MB"),
            ("memory", "-1"),
            ("memory", ""),
            ("memory", "99999999999999999999"),
            ("memory", "99999999999GiB"),
            ("stack", "65GiB"),
            ("cpu", "0"),
            ("cpu", "1e9"),
            ("cpu", "nan"),
            ("cpu", "10d"),
            ("cpu", "8000h"),
            ("requests", "1.5"),
            ("requests", "10s"),
        ] {
            let error = limits.set(name, text).unwrap_err();
            assert!(
                matches!(error, LimitError::Value { name: told, .. } if told == name),
                "{name}={text}"
            );
        }
        assert_eq!(limits, Limits::default());
    }

    #[test]
    fn so_little_that_nothing_can_run_is_refused_and_none_at_all_is_fine_where_it_works() {
        let mut limits = Limits::default();
        for (name, text, least) in [
            ("memory", "0", "64 KiB"),
            ("memory", "65535", "64 KiB"),
            ("stack", "0", "1 KiB"),
            ("component", "7", "8 bytes"),
            ("compile-memory", "0", "1 MiB"),
            ("instances", "0", "1"),
            ("call-bytes", "0", "1 KiB"),
            ("response", "0", "1 byte"),
            ("text", "0", "1 byte"),
            ("member-text", "0", "1 byte"),
            ("entries", "0", "1"),
            ("page-members", "0", "1"),
            ("pages", "0", "1"),
            ("pages-without-news", "0", "1"),
        ] {
            let error = limits.set(name, text).unwrap_err();
            assert!(
                matches!(&error, LimitError::TooLittle { name: told, least: at } if *told == name && at == least),
                "{name}={text}: {error}"
            );
        }
        assert_eq!(limits, Limits::default());
        for name in ["table-elements", "handles", "requests", "log-lines", "log-bytes", "log-line"]
        {
            limits.set(name, "0").unwrap();
        }
    }

    #[test]
    fn more_than_a_machine_sets_aside_is_refused_where_it_would_be_set_aside() {
        let mut limits = Limits::default();
        limits.set("stack", "1GiB").unwrap();
        for text in ["1025MiB", "64GiB"] {
            let error = limits.set("stack", text).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the limit `stack` can be at most 1 GiB: a machine does not set more aside"
            );
        }
        assert_eq!(limits.stack, 1 << 30);
        // These only count: a machine gives what is used of them.
        for name in ["memory", "compile-memory", "component", "call-bytes", "response", "text"] {
            limits.set(name, "64GiB").unwrap();
        }
    }

    #[test]
    fn every_bound_has_a_name_of_its_own_and_a_reason() {
        let mut names: Vec<_> = Bound::ALL.iter().map(|bound| bound.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Bound::ALL.len());
        for bound in Bound::ALL {
            assert!(
                bound.reason().ends_with('.') && !bound.reason().starts_with(' '),
                "{}",
                bound.name()
            );
        }
    }

    #[test]
    fn a_run_may_tighten_each_bound_and_widen_none() {
        for bound in Bound::ALL {
            let set = |text| Limits::default().set(bound.name(), text).map(|()| text);
            let values = [["2MiB", "3MiB"], ["2s", "3s"], ["2", "3"]];
            let [less, more] = values.into_iter().find(|[less, _]| set(less).is_ok()).unwrap();
            let (mut tight, mut wide) = (Limits::default(), Limits::default());
            tight.set(bound.name(), less).unwrap();
            wide.set(bound.name(), more).unwrap();
            assert_ne!(tight, wide, "{}", bound.name());
            assert_eq!((tight.within(&wide), wide.within(&tight)), (tight.clone(), tight));
        }
    }

    #[test]
    fn operators_and_programs_know_every_bound_by_one_name() {
        for bound in Bound::ALL {
            assert_eq!(bound.field().replace('_', "-"), bound.name());
        }
    }

    #[test]
    fn a_bound_that_was_reached_is_named_with_its_value_and_the_way_out() {
        let failure = Limits::default()
            .reached(Bound::Memory, "the connector needs more memory than permitted");
        assert_eq!(
            failure.to_string(),
            "limit: the connector needs more memory than permitted: the limit `memory` is 64 MiB"
        );
        assert_eq!(*failure.remedy, Remedy::RaiseLimit { limit: "memory", to: None });
        assert!(failure.hint.unwrap().ends_with("raise the limit."));
    }
}
