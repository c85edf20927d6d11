//! What a component may use up. Every bound has its reason beside it; reaching one ends the run as `limit`.

use std::time::Duration;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The bounds of one run. [`Limits::default`] serves any organization that is known; a platform may tighten them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time that the component computes in one call, in steps of [`TICK`]. A page of 1,000 members takes some milliseconds.
    pub cpu_per_call: Duration,
    /// Time of one call, besides the waits that the run's budget allows: for pacing, and for requests that are answered late.
    pub wall_per_call: Duration,
    /// Linear memory, in bytes. The largest body, parsed, takes a few times its size.
    pub memory: usize,
    /// Elements of all tables. A component of this kind has one table with some hundred functions.
    pub table_elements: usize,
    /// Core instances in the component. wit-component makes about four.
    pub instances: usize,
    /// Bytes that one call may hand over in either direction, at their size in host memory: the largest body, as records.
    pub hostcall_bytes: usize,
    /// Requests of one run, repeated ones not counted: more than the pages that the guard lets pass.
    pub requests: u64,
    /// Largest body of an answer, in bytes, after decompression. A page of 1,000 members has about 0.7 MB.
    pub response_bytes: u64,
    /// Log lines of one run. What a person reads; a flood is cut off, and ends nothing.
    pub log_lines: u64,
    /// Length of one log line, in characters.
    pub log_line_length: usize,
    /// Pages of one collection: 2.5 million members at 50 a page, which no organization has.
    pub pages: u64,
    /// Pages in a row that bring no new member. Pages may be empty; a hundred of them are a loop that changes its cursor.
    pub pages_without_news: u64,
}

/// The grain of CPU limits: how often the engine's epoch advances.
pub const TICK: Duration = Duration::from_millis(10);

/// Longest cursor, in bytes, as the contract has it.
pub const LONGEST_CURSOR: usize = 8192;

/// Longest text in a member, in bytes: names and addresses are far below it, and a row must stay a row.
pub const LONGEST_MEMBER_TEXT: usize = 4 * KIB;

/// Longest text in a descriptor, a message or a hint, in bytes: what a person reads at once.
pub const LONGEST_TEXT: usize = 8 * KIB;

/// Most entries of any list in a descriptor or a report: what a person looks through.
pub const MOST_ENTRIES: usize = 200;

/// Largest component, in bytes. The largest connectors known are a few MB; compiling takes about a second for each.
pub const LARGEST_COMPONENT: u64 = 16 * 1024 * 1024;

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_per_call: Duration::from_secs(10),
            wall_per_call: Duration::from_secs(30 * 60),
            memory: 64 * MIB,
            table_elements: 10_000,
            instances: 16,
            hostcall_bytes: 32 * MIB,
            requests: 100_000,
            response_bytes: 8 * 1024 * 1024,
            log_lines: 1_000,
            log_line_length: 2_000,
            pages: 50_000,
            pages_without_news: 100,
        }
    }
}
