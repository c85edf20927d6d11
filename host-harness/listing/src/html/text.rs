//! Texts of components and services as HTML: escaped, of bounded length, each in its own direction.
//!
//! Markdown passes first through the subset of `markdown.rs`, then a list of
//! permitted elements: paragraphs, lists, bold, code, and links to `https` and `mailto`. Everything
//! else is shown as text.

use maud::{Markup, html};
use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::address::is_address;
use crate::markdown;
use crate::words::{self, LONGEST_NAME, LONGEST_TEXT};

/// A short text.
pub fn name(text: &str) -> Markup {
    html! { bdi { (words::name(text)) } }
}

/// A long text on one line.
pub fn said(text: &str) -> Markup {
    html! { bdi { (words::sentence(text)) } }
}

/// A short text as code.
pub fn code(text: &str) -> Markup {
    html! { code dir="auto" { (words::name(text)) } }
}

/// A text with backticks around its code, such as a finding.
pub fn finding(text: &str) -> Markup {
    let text = words::sentence(text);
    let is_paired = text.matches('`').count().is_multiple_of(2);
    html! {
        bdi {
            @if is_paired {
                @for (number, part) in text.split('`').enumerate() {
                    @if number.is_multiple_of(2) { (part) } @else { code { (part) } }
                }
            } @else { (text) }
        }
    }
}

/// The safe subset of Markdown on one line.
pub fn line(text: &str) -> Markup {
    let safe = markdown::inline(text, LONGEST_TEXT);
    html! { bdi { (read(&safe, true)) } }
}

/// The safe subset of Markdown, with paragraphs and lists.
pub fn block(text: &str) -> Markup {
    block_of(text, LONGEST_TEXT)
}

/// The same of a text of this length.
pub fn block_of(text: &str, most: usize) -> Markup {
    read(&markdown::block(text, most, ""), false)
}

/// A link, if the address is one of `https` or `mailto`; otherwise its text.
pub fn link(address: &str) -> Markup {
    linked(address, &html! { (words::name(address)) })
}

/// How deep elements nest at most. The subset has three levels of lists, each of an item in a list,
/// and spans in it.
const DEEPEST: usize = 24;

fn read(markdown: &str, on_one_line: bool) -> Markup {
    let mut events = Parser::new_ext(markdown, Options::empty());
    let parts = within(&mut events, on_one_line, 0);
    html! { @for part in parts { (part) } }
}

fn within(events: &mut Parser<'_>, on_one_line: bool, depth: usize) -> Vec<Markup> {
    let mut parts = Vec::new();
    while let Some(event) = events.next() {
        let part = match event {
            Event::End(_) => break,
            Event::Start(tag) if depth < DEEPEST => {
                let inner = within(events, on_one_line, depth + 1);
                let inner = html! { @for part in inner { (part) } };
                element(&tag, &inner, on_one_line)
            }
            Event::Start(_) => html! {},
            Event::Code(text) => html! { code { (words::sentence(&text)) } },
            Event::SoftBreak if !on_one_line => html! { "\n" },
            Event::HardBreak if !on_one_line => html! { br; },
            Event::SoftBreak | Event::HardBreak => html! { " " },
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                html! { (shown(&text)) }
            }
            _ => html! {},
        };
        parts.push(part);
    }
    parts
}

fn element(tag: &Tag<'_>, inner: &Markup, on_one_line: bool) -> Markup {
    match tag {
        Tag::Strong => html! { strong { (inner) } },
        Tag::Link { dest_url, .. } => linked(dest_url, inner),
        Tag::Paragraph if !on_one_line => html! { p dir="auto" { (inner) } },
        Tag::List(None) if !on_one_line => html! { ul { (inner) } },
        Tag::List(Some(1)) if !on_one_line => html! { ol { (inner) } },
        Tag::List(Some(first)) if !on_one_line => html! { ol start=(first) { (inner) } },
        Tag::Item if !on_one_line => html! { li dir="auto" { (inner) } },
        _ => html! { (inner) },
    }
}

fn linked(address: &str, text: &Markup) -> Markup {
    let scheme = |scheme: &str| {
        address.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
    };
    if is_address(address) && (scheme("https://") || scheme("mailto:")) {
        return html! { a href=(address) rel="noreferrer noopener nofollow" { (text) } };
    }
    let plain = crate::name(address);
    // A text that is not its address says where it would lead.
    html! { (text) @if text.0 != plain.as_ref() { " (" code { (plain) } ")" } }
}

/// Characters that steer the eye are written out; spaces at both ends stay.
fn shown(text: &str) -> String {
    smp_host::text::shortened(text, LONGEST_TEXT.max(LONGEST_NAME)).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{HOSTILE, assert_is_harmless};
    use smp_host::testing::any_text;

    #[test]
    fn bold_code_lists_and_honest_links_pass_and_nothing_else() {
        let to = |address: &str, text: &str| {
            format!("<a href=\"{address}\" rel=\"noreferrer noopener nofollow\">{text}</a>")
        };
        for (text, expected) in [
            ("a **b** `c <d>`", "a <strong>b</strong> <code>c &lt;d&gt;</code>".to_owned()),
            ("[the page](https://a.test/b)", to("https://a.test/b", "the page")),
            ("go to https://a.test.", format!("go to {}.", to("https://a.test", "https://a.test"))),
            ("[mail](mailto:a@b.test)", to("mailto:a@b.test", "mail")),
            ("[x](javascript:alert(1))", "[x](javascript:alert(1))".into()),
            ("[x](http://a.test)", "x (<code>http://a.test</code>)".into()),
            ("http://a.test", "http://a.test".into()),
            ("[bank.test](https://evil.test)", to("https://evil.test", "https://evil.test")),
            ("<b>x</b> & <script>", "&lt;b&gt;x&lt;/b&gt; &amp; &lt;script&gt;".into()),
            ("# a", "# a".into()),
            ("{{x}} | $y$", "{{x}} | $y$".into()),
            ("", String::new()),
        ] {
            assert_eq!(line(text).into_string(), format!("<bdi>{expected}</bdi>"), "{text}");
        }
    }

    #[test]
    fn a_block_has_paragraphs_and_lists() {
        assert_eq!(
            block("Note:\n- **a**\n- b\n\nThen <go>.\n\n3. c").into_string(),
            "<p dir=\"auto\">Note:</p><ul><li dir=\"auto\"><strong>a</strong></li><li \
             dir=\"auto\">b</li></ul><p dir=\"auto\">Then &lt;go&gt;.</p><ol start=\"3\"><li \
             dir=\"auto\">c</li></ol>"
        );
    }

    #[test]
    fn code_in_a_finding_is_code_if_its_marks_are_in_pairs() {
        assert_eq!(finding("a `<b>` c").into_string(), "<bdi>a <code>&lt;b&gt;</code> c</bdi>");
        assert_eq!(finding("a ` c").into_string(), "<bdi>a ` c</bdi>");
    }

    #[test]
    fn no_hostile_text_becomes_markup() {
        for text in HOSTILE {
            for markup in [line(text), block(text), said(text), name(text), finding(text)] {
                assert_is_harmless(&markup.into_string());
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_a_text_is_it_stays_a_text(text in any_text()) {
            for markup in [line(&text), block(&text), said(&text), code(&text), link(&text)] {
                assert_is_harmless(&markup.into_string());
            }
        }
    }
}
