//! A connector on recorded traffic, call by call: what a check and a comparison of two versions stand on.
//!
//! It is the same path as a real run, down to the transport, on a clock that nobody waits on. Unlike [`crate::rehearsal`], which is strict,
//! it goes on where the traffic holds no answer, and tells that it does not.

use std::time::Duration;

pub mod bench;
pub mod cases;
pub mod played;
pub mod traffic;

/// Time that a call may compute at most: a connector needs a few milliseconds, and there are many calls.
pub const MOST_COMPUTING: Duration = Duration::from_secs(2);
