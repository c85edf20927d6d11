//! The formats of members, and what writes each.

use std::fmt;
use std::io::Write;
use std::str::FromStr;

use smp_host::collect::sink::Sink;
use smp_host::contract::Instant;
use smp_host::files::{Csv, Json, Ndjson};

use super::table::Table;
use super::terminal::Look;

/// How members are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    /// For people, on a terminal.
    Table,
    /// For spreadsheets.
    Csv,
    /// An object a line, for programs.
    Ndjson,
    /// One array, for programs that want it whole.
    Json,
}

impl Format {
    /// All formats, in the order in which they are offered.
    pub(crate) const ALL: [Self; 4] = [Self::Table, Self::Csv, Self::Ndjson, Self::Json];

    /// The name on the command line.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
        }
    }

    /// Whether members are written as they arrive; otherwise they are held until the end.
    #[must_use]
    pub(crate) fn streams(self) -> bool {
        matches!(self, Self::Csv | Self::Ndjson)
    }

    /// A sink of this format. `resuming` says that the output already holds the members of earlier pages; `now` and `look` are for people.
    pub(crate) fn sink<'w>(self, output: impl Write + Send + 'w, resuming: bool, now: Instant, look: Look) -> Box<dyn Sink + 'w> {
        match self {
            Self::Table => Box::new(Table::new(output, now, look)),
            Self::Csv => Box::new(Csv::new(output, resuming)),
            Self::Ndjson => Box::new(Ndjson::new(output)),
            Self::Json => Box::new(Json::new(output)),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == name).ok_or(UnknownFormat)
    }
}

/// The name is none of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the formats are `table`, `csv`, `ndjson` and `json`")]
pub(crate) struct UnknownFormat;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
        }
        assert_eq!("xml".parse::<Format>().unwrap_err().to_string(), "the formats are `table`, `csv`, `ndjson` and `json`");
        assert_eq!("CSV".parse::<Format>(), Err(UnknownFormat));
    }

    #[test]
    fn each_format_streams_exactly_when_it_says_so() {
        for format in Format::ALL {
            let mut out = Vec::new();
            {
                let mut sink = format.sink(&mut out, false, Instant { seconds: 0, nanoseconds: 0 }, Look::PLAIN);
                sink.write_page(&smp_host::testing::page()).unwrap();
                sink.flush().unwrap();
            }
            assert_eq!(!out.is_empty(), format.streams(), "{format}");
        }
    }
}
