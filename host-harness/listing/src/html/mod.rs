//! HTML for the console of a platform and for pages that stand alone: one style, one way to show a
//! stranger's text, and the sections that both show of a connector.
//!
//! A page that stands alone has no script and no outside asset, and its policy permits neither
//! ([`page`]). Every text of a component passes through [`text`], which escapes it.

pub mod icon;
pub mod page;
pub mod text;

pub mod parts;
pub mod plugin;
