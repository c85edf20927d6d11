//! Makes Markdown of a component safe to show: a small subset passes, everything else becomes plain
//! text.
//!
//! These pass: `**bold**`, `` `code` ``, `[text](https://…)` and bare web addresses; in blocks also
//! paragraphs and lists. For any input, the output has no heading, image, HTML or table, no link to
//! anything but `http`, `https` and `mailto`, and no control or bidirectional character.

use smp_host::text::is_active;

/// Longest address, in characters. Browsers and servers disagree about addresses of more than a few
/// thousand; a guide needs none longer than this.
const LONGEST_ADDRESS: usize = 500;
/// How deeply bold text and links may nest.
const DEEPEST: usize = 3;

/// The text on one line, for a heading or a paragraph.
pub(crate) fn inline(text: &str, most: usize) -> String {
    guarded(spans(&cleaned(text, most).split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// The text as paragraphs and lists. Each line but the first has this indent. It never begins with
/// a list.
pub(crate) fn block(text: &str, most: usize, indent: &str) -> String {
    let mut out = String::new();
    let mut is_apart = false;
    for line in cleaned(text, most).lines().map(str::trim) {
        if line.is_empty() {
            is_apart = !out.is_empty();
            continue;
        }
        if !out.is_empty() {
            out.push_str(if is_apart { "\n\n" } else { "\n" });
            out.push_str(indent);
        }
        match bullet(line) {
            Some((marker, rest)) if !out.is_empty() => {
                out.push_str(marker);
                out.push_str(&guarded(spans(rest)));
            }
            _ => out.push_str(&guarded(spans(line))),
        }
        is_apart = false;
    }
    out
}

/// The text as a code span, or nothing if it is empty.
pub fn code(text: &str, most: usize) -> String {
    let plain =
        cleaned(text, most).replace('`', "'").split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.is_empty() { plain } else { format!("`{plain}`") }
}

/// Safe Markdown on one line, for a table cell.
pub(crate) fn in_cell(markdown: &str) -> String {
    markdown.replace('|', "\\|")
}

/// The text without control and bidirectional characters, shortened to the bound.
fn cleaned(text: &str, most: usize) -> String {
    let mut signs = text
        .chars()
        .map(|sign| if sign == '\t' { ' ' } else { sign })
        .filter(|&sign| sign == '\n' || !is_active(sign));
    let mut cleaned: String = signs.by_ref().take(most).collect();
    if signs.next().is_some() {
        cleaned.push('…');
    }
    cleaned
}

/// A list's marker and the rest of its line.
fn bullet(line: &str) -> Option<(&str, &str)> {
    if let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some(("- ", rest.trim_start()));
    }
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let rest = line.get(digits..)?.strip_prefix(". ")?;
    ((1..=2).contains(&digits))
        .then(|| (line.get(..digits + 2).unwrap_or_default(), rest.trim_start()))
}

/// The line with its first sign escaped, if the line would otherwise be more than a paragraph.
fn guarded(line: String) -> String {
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(' ');
    let is_ruled = line.chars().all(|sign| matches!(sign, '-' | ':' | '|' | ' '));
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let (number, rest) = line.split_at(digits);
    let behind = rest.get(1..).unwrap_or_default();
    let acts = match rest.chars().next() {
        Some('.' | ')') if digits > 0 => ends(behind),
        _ if digits > 0 => false,
        Some('>') => true,
        Some('#') => ends(rest.trim_start_matches('#')),
        Some('-' | '+') => ends(behind) || is_ruled,
        Some(':' | '|') => is_ruled,
        Some('=') => rest.chars().all(|sign| sign == '='),
        _ => false,
    };
    if acts { format!("{number}\\{rest}") } else { line }
}

/// The line with its spans kept and everything else escaped.
fn spans(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    write_spans(&mut out, line, 0, true);
    out
}

fn write_spans(out: &mut String, line: &str, depth: usize, may_link: bool) {
    let mut rest = line;
    let mut before = ' ';
    while let Some(sign) = rest.chars().next() {
        let span = match sign {
            '`' => code_span(out, rest),
            '*' if depth < DEEPEST => bold(out, rest, depth, may_link),
            '[' if may_link && depth < DEEPEST => link(out, rest, depth),
            '<' if may_link => bracketed(out, rest),
            'h' | 'H' if may_link && !before.is_alphanumeric() => bare(out, rest),
            _ => None,
        };
        let taken = span.unwrap_or_else(|| literal(out, sign, before, rest));
        before = rest.get(..taken).and_then(|span| span.chars().next_back()).unwrap_or(sign);
        rest = rest.get(taken..).unwrap_or_default();
    }
}

/// Adds one sign, or a run of backticks, as plain text. Returns how many bytes were taken.
fn literal(out: &mut String, sign: char, before: char, rest: &str) -> usize {
    let run = rest.chars().take_while(|&sign| sign == '`').count();
    let after = rest.chars().nth(1).unwrap_or(' ');
    if run > 0 {
        out.push_str(&"\\`".repeat(run));
        return run;
    }
    if sign == '\\' && after.is_ascii_punctuation() {
        // A sign that the author escaped is a plain sign.
        push_plain(out, after, ' ', rest.get(1..).unwrap_or_default());
        return 2;
    }
    push_plain(out, sign, before, rest);
    sign.len_utf8()
}

/// Adds the first sign of `rest` so that no Markdown reader interprets it.
fn push_plain(out: &mut String, sign: char, before: char, rest: &str) {
    let after = rest.chars().nth(1).unwrap_or(' ');
    match sign {
        '<' => out.push_str("&lt;"),
        '&' if begins_entity(rest) => out.push_str("&amp;"),
        '_' if before.is_alphanumeric() && after.is_alphanumeric() => out.push('_'),
        '\\' | '`' | '*' | '_' | '[' | ']' | '~' => out.extend(['\\', sign]),
        // Some Markdown readers turn every bare address into a link.
        ':' if rest.starts_with("://") => out.push_str("\\:"),
        '!' if after == '[' => out.push_str("\\!"),
        _ => out.push(sign),
    }
}

/// Whether a Markdown reader would take this for a character reference.
fn begins_entity(text: &str) -> bool {
    let name = text.get(1..).unwrap_or_default();
    let length =
        name.bytes().take_while(|&byte| byte.is_ascii_alphanumeric() || byte == b'#').count();
    length > 0 && name.as_bytes().get(length) == Some(&b';')
}

fn code_span(out: &mut String, rest: &str) -> Option<usize> {
    let (code, after) = rest.strip_prefix('`')?.split_once('`')?;
    if code.trim().is_empty() || after.starts_with('`') {
        return None;
    }
    out.extend(["`", code, "`"]);
    Some(code.len() + 2)
}

fn bold(out: &mut String, rest: &str, depth: usize, may_link: bool) -> Option<usize> {
    let (inner, after) = rest.strip_prefix("**")?.split_once("**")?;
    let is_tight =
        |sign: Option<char>| sign.is_some_and(|sign| !sign.is_whitespace() && sign != '*');
    if !is_tight(inner.chars().next())
        || !is_tight(inner.chars().next_back())
        || after.starts_with('*')
    {
        return None;
    }
    out.push_str("**");
    write_spans(out, inner, depth + 1, may_link);
    out.push_str("**");
    Some(inner.len() + 4)
}

fn link(out: &mut String, rest: &str, depth: usize) -> Option<usize> {
    let (text, after) = rest.strip_prefix('[')?.split_once("](")?;
    let (address, _) = after.split_once(')')?;
    if text.trim().is_empty() || text.contains(['[', ']']) || !is_address(address) {
        return None;
    }
    if is_misleading(text, address) {
        out.extend(["<", address, ">"]);
    } else {
        out.push('[');
        write_spans(out, text, depth + 1, false);
        out.extend(["](", address, ")"]);
    }
    Some(text.len() + address.len() + 4)
}

/// Whether the text reads as an address other than the one it links to.
pub fn is_misleading(text: &str, address: &str) -> bool {
    let text = text.trim();
    text.contains("://") && text != address
        || (text.contains('.') && !text.contains(char::is_whitespace) && !address.contains(text))
}

fn bracketed(out: &mut String, rest: &str) -> Option<usize> {
    let (address, _) = rest.strip_prefix('<')?.split_once('>')?;
    is_address(address).then(|| {
        out.extend(["<", address, ">"]);
        address.len() + 2
    })
}

fn bare(out: &mut String, rest: &str) -> Option<usize> {
    let end = rest.find(|sign| !is_of_address(sign)).unwrap_or(rest.len());
    // Punctuation at the end is part of the sentence.
    let address = rest.get(..end)?.trim_end_matches(['.', ',', ';', ':', '!', '?', '*', '_', '~']);
    is_address(address).then(|| {
        out.extend(["<", address, ">"]);
        address.len()
    })
}

/// Whether the text is an address that a guide may link to.
pub fn is_address(text: &str) -> bool {
    let behind = |scheme: &str| {
        text.get(..scheme.len())
            .filter(|head| head.eq_ignore_ascii_case(scheme))
            .and_then(|_| text.get(scheme.len()..))
    };
    let begins_well = |rest: &str| rest.starts_with(|sign: char| sign.is_ascii_alphanumeric());
    // A user name before a host makes the address look like another.
    let has_user =
        |rest: &str| rest.split(['/', '?', '#']).next().is_some_and(|host| host.contains('@'));
    let is_web = |rest: &str| begins_well(rest) && !has_user(rest);
    text.len() <= LONGEST_ADDRESS
        && text.chars().all(is_of_address)
        && (behind("https://").or_else(|| behind("http://")).is_some_and(is_web)
            || behind("mailto:").is_some_and(begins_well))
}

/// The signs of an address that have no meaning in Markdown and HTML. Other scripts are left out,
/// because their look-alikes deceive.
fn is_of_address(sign: char) -> bool {
    sign.is_ascii_alphanumeric()
        || matches!(
            sign,
            '-' | '.'
                | '_'
                | '~'
                | ':'
                | '/'
                | '?'
                | '#'
                | '@'
                | '!'
                | '$'
                | '&'
                | '*'
                | '+'
                | ','
                | ';'
                | '='
                | '%'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;
    use smp_host::testing::any_text;

    #[test]
    fn the_subset_passes_and_everything_else_is_text() {
        for (text, expected) in [
            ("Press **Create** in `Settings`.", "Press **Create** in `Settings`."),
            ("See [the page](https://a.test/x?y=1).", "See [the page](https://a.test/x?y=1)."),
            ("[**bold** link](mailto:a@b.test)", "[**bold** link](mailto:a@b.test)"),
            ("Go to https://a.test/b_c_d.", "Go to <https://a.test/b_c_d>."),
            ("(https://a.test)", "(<https://a.test>)"),
            ("<https://a.test>", "<https://a.test>"),
            ("https://a.test/o/<orgId>", "<https://a.test/o/>&lt;orgId>"),
            ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
            ("AT&T &amp; &#60;b&#62;", "AT&T &amp;amp; &amp;#60;b&amp;#62;"),
            ("[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"),
            ("[x](data:text/html,y)", "\\[x\\](data:text/html,y)"),
            ("[x](//evil.test)", "\\[x\\](//evil.test)"),
            ("[x](https://a.test\u{0}@evil.test)", "\\[x\\](https\\://a.test@evil.test)"),
            ("[x](https://good.test@evil.test)", "\\[x\\](https\\://good.test@evil.test)"),
            ("[x](https://аpple.test)", "\\[x\\](https\\://аpple.test)"),
            ("[good.test](https://evil.test)", "<https://evil.test>"),
            ("[https://good.test](https://evil.test)", "<https://evil.test>"),
            ("[good.test](https://good.test/x)", "[good.test](https://good.test/x)"),
            ("![x](https://a.test/pixel.png)", "\\![x](https://a.test/pixel.png)"),
            ("[x]: https://evil.test", "\\[x\\]: <https://evil.test>"),
            ("# heading", "\\# heading"),
            ("> quote", "\\> quote"),
            ("- item", "\\- item"),
            ("1. item", "1\\. item"),
            ("1.2.3", "1.2.3"),
            ("-1 and #2", "-1 and #2"),
            ("|-|:-:|", "\\|-|:-:|"),
            ("==", "\\=="),
            ("---", "\\---"),
            ("*a* _b_ snake_case ~~c~~", "\\*a\\* \\_b\\_ snake_case \\~\\~c\\~\\~"),
            ("***a***", "\\*\\*\\*a\\*\\*\\*"),
            ("** a **", "\\*\\* a \\*\\*"),
            ("```rust", "\\`\\`\\`rust"),
            ("` `", "\\` \\`"),
            ("\\* \\\\ \\domains", "\\* \\\\ \\\\domains"),
            ("a\nb\u{1b}[31m\u{202e}c", "a b\\[31mc"),
        ] {
            assert_eq!(inline(text, 1_000), expected, "{text:?}");
        }
    }

    #[test]
    fn a_block_keeps_paragraphs_and_lists() {
        let text = "Fill in the form:\n- **Organization ID**\n* `Api Key`\n1. first\n\n\n  # not \
                    a heading\r\n    no code";
        let expected = "Fill in the form:\n   - **Organization ID**\n   - `Api Key`\n   1. \
                        first\n\n   \\# not a heading\n   no code";
        assert_eq!(block(text, 1_000, "   "), expected);
        assert_eq!(block("\n\n- a\n- b", 1_000, ""), "\\- a\n- b");
    }

    #[test]
    fn code_and_cells_stay_in_their_bounds() {
        assert_eq!(code("GET /a`b\n|c", 100), "`GET /a'b |c`");
        assert_eq!(code(" \n", 100), "");
        assert_eq!(in_cell(&inline("a | `b|c`", 100)), "a \\| `b\\|c`");
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(inline("abcdef", 3), "abc…");
        assert_eq!(inline("**abc**", 5), "\\*\\*abc…");
        let long = format!("https://a.test/{}", "x".repeat(LONGEST_ADDRESS));
        assert_eq!(inline(&long, 1_000), long.replace(':', "\\:"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_reader_finds_nothing_but_the_subset(text in any_markdown()) {
            for markdown in [inline(&text, 200), format!("1. {}", block(&text, 200, "   ")), format!("# {}", inline(&text, 200))] {
                prop_assert!(!markdown.chars().any(|sign| sign != '\n' && is_active(sign)), "{:?}", markdown);
                let mut headings = 0;
                for event in Parser::new_ext(&markdown, github()) {
                    match &event {
                        Event::Html(_) | Event::InlineHtml(_) | Event::Rule | Event::FootnoteReference(_) => panic!("{event:?} in {markdown:?}"),
                        Event::Start(Tag::Link { dest_url, .. }) => {
                            let address = dest_url.to_ascii_lowercase();
                            let is_good = ["https://", "http://", "mailto:"].iter().any(|scheme| address.starts_with(scheme));
                            prop_assert!(is_good || address.contains('@'), "{dest_url:?} in {markdown:?}");
                        }
                        Event::Start(Tag::Heading { .. }) => headings += 1,
                        Event::Start(Tag::Paragraph | Tag::Strong | Tag::List(_) | Tag::Item) => {}
                        Event::Start(tag) => panic!("{tag:?} in {markdown:?}"),
                        _ => {}
                    }
                }
                prop_assert_eq!(headings, usize::from(markdown.starts_with("# ")), "{:?}", markdown);
            }
        }

        #[test]
        fn plain_words_come_out_as_they_went_in(text in "[a-zA-Z0-9 äöü张,]{0,60}") {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(inline(&text, 200), text);
        }
    }

    /// The Markdown dialect of most sites that show a guide.
    fn github() -> Options {
        Options::ENABLE_TABLES
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_GFM
    }

    /// Text with many signs that Markdown readers interpret.
    fn any_markdown() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            any_text(),
            proptest::sample::select(vec![
                "**",
                "*",
                "_",
                "`",
                "```",
                "[x](",
                "](",
                "![",
                "[^1]",
                "]: ",
                ")",
                "https://a.test/",
                "javascript:",
                "data:",
                "mailto:a@b.test",
                "<b>",
                "<!--",
                "-->",
                "</",
                "<https://b.test>",
                "&lt;",
                "&#60;",
                "\\",
                "\n",
                "\n\n",
                "# ",
                "- ",
                "1. ",
                "> ",
                "---",
                "===",
                "|",
                "|-|",
                "\n|a|\n|-|\n",
                "~~",
                "~",
                "    ",
                "$$",
                "+++",
                ":::",
                "word",
            ])
            .prop_map(str::to_owned),
        ];
        proptest::collection::vec(part, 0..10).prop_map(|parts| parts.concat())
    }
}
