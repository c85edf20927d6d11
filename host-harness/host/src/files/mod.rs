//! Members and usage in files: the formats csv, ndjson and json, the output file, and the
//! checkpoint from which a collection resumes.
//!
//! A format writes what it is given. It drops no duplicates, judges no completeness and opens no
//! file, which is its caller's task. It returns an output's error unchanged.

pub use crate::instant;

mod line;
mod quiet;
pub mod row;
pub mod rowed;
mod rows;
pub mod seats;

pub mod csv;
pub mod json;
pub mod ndjson;

pub mod target;

pub mod checkpoint;
mod held;
pub mod journal;
pub mod output;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use crate::collect::sink::Sink;
use crate::contract::UsagePage;
use crate::text;

pub use self::csv::Csv;
pub use self::json::Json;
pub use self::ndjson::Ndjson;
pub use self::rows::Rows;

/// Members that a table or a json document holds until it is written. A row takes about half a
/// kilobyte, so this is some 50 MB; no person reads that many, and lines are better for programs.
pub const MOST_MEMBERS_HELD: usize = 100_000;
/// Bytes that they hold. It is four times what [`MOST_MEMBERS_HELD`] ordinary members need in json:
/// only a component that fills its texts on purpose reaches it.
pub const MOST_BYTES_HELD: usize = 256 * 1024 * 1024;

/// A format for programs. A table is for people and needs a terminal: it belongs to the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// For spreadsheets.
    Csv,
    /// One object per line.
    Ndjson,
    /// One array, for programs that read it whole.
    Json,
}

impl Format {
    /// All formats, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Ndjson, Self::Json];

    /// The name on the command line, and in a checkpoint.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Json => "json",
        }
    }

    /// Whether members are written as they arrive; otherwise they are held until the end.
    #[must_use]
    pub fn streams(self) -> bool {
        matches!(self, Self::Csv | Self::Ndjson)
    }

    /// A sink of this format. `resuming` says that the output already contains the members of
    /// earlier pages.
    pub fn sink<'w>(self, output: impl Write + Send + 'w, resuming: bool) -> Box<dyn Sink + 'w> {
        match self {
            Self::Csv => Box::new(Csv::new(output, resuming)),
            Self::Ndjson => Box::new(Ndjson::new(output)),
            Self::Json => Box::new(Json::new(output)),
        }
    }

    /// A sink of this format for usage.
    pub fn usage_sink<'w>(
        self,
        output: impl Write + Send + 'w,
        resuming: bool,
    ) -> Box<dyn Sink<UsagePage> + 'w> {
        match self {
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

/// The name is not that of a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the formats are `csv`, `ndjson` and `json`")]
pub struct UnknownFormat;

/// The size of what a format holds until the end.
#[derive(Debug, Default)]
pub struct Held {
    members: usize,
    bytes: usize,
}

impl Held {
    /// Adds members and bytes, within the bounds.
    pub fn add(&mut self, members: usize, bytes: usize) -> io::Result<()> {
        self.members = self.members.saturating_add(members);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.members > MOST_MEMBERS_HELD {
            let most = u64::try_from(MOST_MEMBERS_HELD).unwrap_or(u64::MAX);
            return Err(too_much(&format!("more than {} members", text::grouped(most))));
        }
        if self.bytes > MOST_BYTES_HELD {
            let most = u64::try_from(MOST_BYTES_HELD).unwrap_or(u64::MAX);
            return Err(too_much(&format!("members of more than {}", text::size(most))));
        }
        Ok(())
    }
}

fn too_much(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!(
            "{what} are not held for this format: use `ndjson` or `csv`, which are written as \
             members arrive"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
        }
        assert_eq!(
            "xml".parse::<Format>().unwrap_err().to_string(),
            "the formats are `csv`, `ndjson` and `json`"
        );
        assert_eq!("CSV".parse::<Format>(), Err(UnknownFormat));
    }

    #[test]
    fn what_is_held_is_bounded_and_the_error_names_the_way_out() {
        let mut held = Held::default();
        held.add(MOST_MEMBERS_HELD, MOST_BYTES_HELD).unwrap();
        assert_eq!(
            held.add(1, 0).unwrap_err().to_string(),
            "more than 100,000 members are not held for this format: use `ndjson` or `csv`, which \
             are written as members arrive"
        );
        assert_eq!(
            Held::default().add(1, MOST_BYTES_HELD + 1).unwrap_err().to_string(),
            "members of more than 256 MiB (268,435,456 bytes) are not held for this format: use \
             `ndjson` or `csv`, which are written as members arrive"
        );
    }

    #[test]
    fn each_format_streams_exactly_when_it_says_so() {
        for format in Format::ALL {
            let mut out = Vec::new();
            {
                let mut sink = format.sink(&mut out, false);
                sink.write_page(&crate::testing::page()).unwrap();
                sink.flush().unwrap();
            }
            assert_eq!(!out.is_empty(), format.streams(), "{format}");
        }
    }
}
