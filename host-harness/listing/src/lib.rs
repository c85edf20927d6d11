//! What a connector says about itself, as a platform or a marketplace shows it: safe Markdown, and
//! JSON for scripts.
//!
//! Every text comes from a component and is hostile until it is escaped here. Nothing here knows a
//! terminal.

mod words;

mod markdown;
pub mod parts;

pub mod guide;
pub mod json;

#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;

pub use markdown::{code, is_address, is_misleading};
pub use words::{LONGEST_NAME, LONGEST_TEXT, method, name, pace, sentence, shown, wait};
