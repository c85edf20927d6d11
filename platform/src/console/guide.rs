//! Texts of a plugin that are written as Markdown: bold, code and https links, and nothing else.

use maud::{Markup, html};
use smp_host::text::shortened;
use smp_listing::{LONGEST_TEXT, is_address, is_misleading};

/// A part of a text.
enum Part<'t> {
    Plain(&'t str),
    Bold(&'t str),
    Code(&'t str),
    Link(&'t str, &'t str),
}

/// The text with what it may have. Whatever is not understood stays as it is written.
pub(super) fn line(text: &str) -> Markup {
    let text: String = text.chars().take(LONGEST_TEXT).collect();
    html! {
        bdi {
            @for part in parts(&text) {
                @match part {
                    Part::Plain(text) => (shown(text)),
                    Part::Bold(text) => strong { (shown(text)) },
                    Part::Code(text) => code { (shown(text)) },
                    Part::Link(text, to) => a href=(to) rel="noreferrer noopener" target="_blank" { (shown(text)) },
                }
            }
        }
    }
}

fn shown(text: &str) -> String {
    let joined = text.split(['\n', '\r', '\t']).collect::<Vec<_>>().join(" ");
    shortened(&joined, LONGEST_TEXT).into_owned()
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, part, after)) = next(rest) {
        parts.push(Part::Plain(before));
        parts.push(part);
        rest = after;
    }
    parts.push(Part::Plain(rest));
    parts
}

/// The first part that is not plain: what is before it, and what is after.
fn next(text: &str) -> Option<(&str, Part<'_>, &str)> {
    for (at, sign) in text.char_indices() {
        let rest = text.get(at..)?;
        let before = text.get(..at)?;
        match sign {
            '*' => {
                if let Some((bold, after)) =
                    rest.strip_prefix("**").and_then(|it| it.split_once("**"))
                    && !bold.is_empty()
                {
                    return Some((before, Part::Bold(bold), after));
                }
            }
            '`' => {
                if let Some((code, after)) = rest.get(1..).and_then(|it| it.split_once('`'))
                    && !code.is_empty()
                {
                    return Some((before, Part::Code(code), after));
                }
            }
            '[' => {
                if let Some((label, after)) = rest.get(1..).and_then(|it| it.split_once("]("))
                    && let Some((to, after)) = after.split_once(')')
                    && to.starts_with("https://")
                    && is_address(to)
                    && !is_misleading(label, to)
                    && !label.contains('[')
                {
                    return Some((before, Part::Link(label, to), after));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bold_code_and_honest_links_pass_and_nothing_else() {
        for (text, expected) in [
            ("a **b** `c`", "a <strong>b</strong> <code>c</code>"),
            (
                "see [the page](https://a.test/b)",
                "see <a href=\"https://a.test/b\" rel=\"noreferrer noopener\" target=\"_blank\">the page</a>",
            ),
            ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
            ("[x](http://a.test)", "[x](http://a.test)"),
            ("[bank.test](https://evil.test)", "[bank.test](https://evil.test)"),
            (
                "<b>x</b> ![i](https://a.test/i.png)",
                "&lt;b&gt;x&lt;/b&gt; !<a href=\"https://a.test/i.png\" rel=\"noreferrer noopener\" target=\"_blank\">i</a>",
            ),
            ("** a", "** a"),
            ("\u{202e}x", "\\u{202e}x"),
        ] {
            let expected = format!("<bdi>{expected}</bdi>");
            assert_eq!(line(text).into_string(), expected);
        }
    }
}
