//! Renders a connector's descriptor as a platform or a marketplace shows it: as safe Markdown, as
//! HTML, and as JSON for scripts. The style of all pages is here too.
//!
//! Every text of a component is hostile until it is escaped here. It is not a renderer for a
//! terminal.

mod words;

mod address;
mod markdown;
pub mod parts;

pub mod guide;
pub mod json;

pub mod html;

#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;

pub use address::{is_address, is_misleading};
pub use markdown::code;
pub use words::{LONGEST_NAME, LONGEST_TEXT, method, name, needed, pace, sentence, shown, wait};
