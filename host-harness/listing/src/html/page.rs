//! A page that stands alone, and its policy. The only file that makes markup of a string, which is
//! the style sheet.
//!
//! The policy permits nothing but this style, by its hash, and pictures that are part of the page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

/// The style that the console and the pages share.
pub const STYLE: &str = include_str!("style.css");
/// What pages that stand alone add to it.
const REPORT: &str = include_str!("report.css");

/// A page that stands alone.
pub struct Page<'p> {
    /// Its title, for a window or a bookmark. It may be a stranger's text.
    pub title: &'p str,
    /// What kind of page it is, in a few words.
    pub kind: &'p str,
    /// Its sections: the anchor of each, and its name.
    pub sections: &'p [(&'p str, &'p str)],
    /// What it shows, from its heading on.
    pub body: &'p Markup,
}

impl Page<'_> {
    /// The whole document.
    #[must_use]
    pub fn document(&self) -> String {
        let style = format!("{STYLE}{REPORT}");
        let title = crate::name(self.title);
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy(&style));
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    title { @if !title.trim().is_empty() { (title) " · " } (self.kind) }
                    style { (PreEscaped(style)) }
                }
                body {
                    a .skip href="#main" { "Skip to the content" }
                    header {
                        span .brand { (self.kind) }
                        nav aria-label="On this page" {
                            @for (anchor, name) in self.sections {
                                a href=(format!("#{anchor}")) { (name) }
                            }
                        }
                    }
                    main #main tabindex="-1" { (self.body) }
                }
            }
        };
        format!("{}\n", document.into_string())
    }
}

/// What a page of this style may load.
fn policy(style: &str) -> String {
    let hash = STANDARD.encode(Sha256::digest(style));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; \
         form-action 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_stands_alone, tags};

    #[test]
    fn a_page_permits_its_own_style_and_pictures_in_it_and_nothing_else() {
        let body = html! { h1 { "A" } section #a { h2 { "B" } } };
        let sections = [("a", "B")];
        let page = Page { title: "<b>\u{202e}", kind: "Listing", sections: &sections, body: &body };
        let document = page.document();
        assert_stands_alone(&document);
        assert!(document.contains("<title>&lt;b&gt;\\u{202e} · Listing</title>"), "{document}");
        assert_eq!(tags(&document, "style").len(), 1);
        assert!(document.contains("<a href=\"#a\">B</a>"));
    }

    #[test]
    fn no_style_loads_anything_or_ends_its_element() {
        for style in [STYLE, REPORT] {
            for word in ["url(", "@import", "</", "@font-face", "image-set"] {
                assert!(!style.contains(word), "{word}");
            }
        }
    }
}
