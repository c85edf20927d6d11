//! Tests that what comes out of a text is the subset, for several readers.

use proptest::prelude::*;
use pulldown_cmark::{Options, Tag};

use super::*;
use crate::address::LONGEST_ADDRESS;
use crate::words::LONGEST_TEXT;
use smp_host::testing::any_text;

const TABLE: &str = "| a | b |\n| --- | --- |\n";

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
        ("AT&T &amp; &#60;b&#62;", "AT&T & &lt;b>"),
        ("a&#10;# b&#27;[31m", "a # b\\[31m"),
        ("[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"),
        ("[x](data:text/html,y)", "\\[x\\](data:text/html,y)"),
        ("[x](//evil.test)", "\\[x\\](//evil.test)"),
        ("[x](https://a.test\u{0}@evil.test)", "\\[x\\](https\\://a.test@evil.test)"),
        ("[x](https://good.test@evil.test)", "\\[x\\](https\\://good.test@evil.test)"),
        ("[x](https://аpple.test)", "\\[x\\](https\\://аpple.test)"),
        ("[good.test](https://evil.test)", "<https://evil.test>"),
        ("[https://good.test](https://evil.test)", "<https://evil.test>"),
        ("[good.test](https://good.test/x)", "[good.test](https://good.test/x)"),
        ("![x](https://a.test/pixel.png)", "\\!\\[x\\](<https://a.test/pixel.png>)"),
        ("[x]: https://evil.test", "\\[x\\]: <https://evil.test>"),
        ("# heading", "\\# heading"),
        ("> quote", "\\> quote"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("1.2.3", "1.2.3"),
        ("-1 and #2", "\\-1 and #2"),
        ("|-|:-:|", "&#124;-&#124;:-:&#124;"),
        ("==", "\\=="),
        ("---", "\\---"),
        ("*a* _b_ snake_case ~~c~~", "\\*a\\* \\_b\\_ snake_case \\~\\~c\\~\\~"),
        ("***a***", "\\***a**\\*"),
        ("__a__**b**", "**ab**"),
        ("**`a`**__`b`__", "**`a` `b`**"),
        ("__a__[**b**](https://a.test)", "**a**[**b**](https://a.test)"),
        ("a **&#32;** b", "a  b"),
        ("C #", "C \\#"),
        ("** a **", "\\*\\* a \\*\\*"),
        ("```rust", "&#96;&#96;&#96;rust"),
        ("` `", ""),
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
                    first\n\n   not a heading\n\n   no code";
    assert_eq!(block(text, 1_000, "   "), expected);
    for (text, expected) in [
        ("\n\n- a\n- b", "- a\n- b"),
        ("- a\n\n- b\n\n  c", "- a\n- b\n\n  c"),
        ("a\n7. b\n8. c", "a\n7\\. b\n8\\. c"),
        ("a\n\n7. b\n8. c", "a\n\n7. b\n8. c"),
        ("a\n-", "a"),
        ("a\n- &#32;\n- b", "a\n- b"),
        ("- - - - a\n- b", "- - - a\n- b"),
        ("> a\n\n***\n\n```\n# b\n\n\nc\n```", "a\n\n\\# b\nc"),
        ("**a\n# b**", "\\*\\*a\n\nb\\*\\*"),
        ("**a\n: b**", "**a\n\\: b**"),
        ("<div>\n# a\n</div>", "&lt;div>\n\\# a\n&lt;/div>"),
        ("[x]: https://a.test\n\n[x]", "[x](https://a.test)"),
        ("a\n[x]: javascript:b\n[x]", "a\n\\[x\\]: javascript:b\n\\[x\\]"),
    ] {
        assert_eq!(block(text, 1_000, ""), expected, "{text:?}");
    }
}

#[test]
fn code_and_cells_stay_in_their_bounds() {
    assert_eq!(code("GET /a`b\n|c", 100), "`GET /a'b |c`");
    assert_eq!(code(" \n", 100), "");
    assert_eq!(in_cell(&inline("a | `b|<c>` `d`", 100)), "a &#124; b&#124;&lt;c> `d`");
}

#[test]
fn long_texts_are_cut() {
    assert_eq!(inline("abcdef", 3), "abc…");
    assert_eq!(inline("**abc**", 5), "\\*\\*abc…");
    let long = format!("https://a.test/{}", "x".repeat(LONGEST_ADDRESS));
    assert_eq!(inline(&long, 1_000), long.replace(':', "\\:"));
}

#[test]
fn marks_without_end_cost_no_more_than_their_length() {
    // Three hundred texts of the greatest length: seconds, if one of them were quadratic.
    let begun = std::time::Instant::now();
    for unit in ["h-", "[", "![", "**", "*a ", "`", "<", "http://", "&", "- ", "> ", "[a](", "_a"] {
        let text = unit.repeat(LONGEST_TEXT);
        for _ in 0..25 {
            let shown = (inline(&text, LONGEST_TEXT), block(&text, LONGEST_TEXT, "  "));
            assert!(shown.0.len() + shown.1.len() < 100 * LONGEST_TEXT, "{unit}");
        }
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn no_reader_finds_anything_that_acts_in_what_was_hostile() {
    for text in crate::testing::HOSTILE {
        let guide = crate::guide::markdown(&crate::testing::filled_with(text));
        assert_passive(&guide, text);
    }
}

#[test]
fn the_pages_for_readers_in_other_languages_are_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/documents/hostile/pages.md");
    let page = |text: &&str| {
        let (line, cell) = (inline(text, 1_000), in_cell(&inline(text, 1_000)));
        let (step, alone) = (block(text, 1_000, "   "), block(text, 1_000, ""));
        let code = in_cell(&code(text, 1_000));
        format!("# {line}\n\n1. {step}\n\n{alone}\n\n{TABLE}| {cell} | {code} |\n")
    };
    let pages: Vec<String> = crate::testing::HOSTILE.iter().map(page).collect();
    let pages = pages.join(crate::testing::PAGE_BREAK);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &pages).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap() == pages, "BLESS=1 writes {path}");
}

/// Requires of three dialects of two readers that a page holds nothing but the subset.
fn assert_passive(page: &str, text: &str) {
    let options = markdown::Options {
        parse: markdown::ParseOptions::gfm(),
        compile: markdown::CompileOptions {
            allow_dangerous_html: true,
            allow_dangerous_protocol: true,
            gfm_tagfilter: false,
            ..markdown::CompileOptions::gfm()
        },
    };
    let html = markdown::to_html_with_options(page, &options).unwrap();
    assert_tags(&html, text);
    for options in [github(), Options::all()] {
        for event in Parser::new_ext(page, options) {
            if let Event::Start(Tag::Heading { id, classes, attrs, .. }) = &event {
                assert!(id.is_none() && classes.is_empty() && attrs.is_empty(), "{text:?}: {page}");
            }
            let acts = matches!(
                event,
                Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Image { .. })
            );
            assert!(!acts, "{text:?}: {event:?} in {page}");
        }
    }
}

/// Requires that HTML has no elements and attributes but those of the subset.
fn assert_tags(html: &str, text: &str) {
    const ELEMENTS: [&str; 17] = [
        "p", "h1", "h2", "h3", "ul", "ol", "li", "strong", "code", "a", "table", "thead", "tbody",
        "tr", "th", "td", "br",
    ];
    for tag in html.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or((tag, ""));
        let tag = tag.trim_start_matches('/').trim_end_matches([' ', '/']);
        let (element, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let is_plain = match element {
            "a" => {
                ["", "href=\"https://", "href=\"http://", "href=\"mailto:"].iter().any(|start| {
                    attributes.to_ascii_lowercase().starts_with(start)
                        && (attributes.is_empty() || !start.is_empty())
                }) && attributes.matches('"').count() <= 2
            }
            "ol" => attributes.is_empty() || attributes.starts_with("start=\""),
            _ => attributes.is_empty(),
        };
        assert!(ELEMENTS.contains(&element) && is_plain, "{text:?}: <{tag}> in {html}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_reader_finds_anything_that_acts(text in any_markdown()) {
        let line = inline(&text, 200);
        let cell = in_cell(&line);
        let page = format!(
            "# {line}\n\n1. {}\n\n{}\n\n{TABLE}| {cell} | {} |\n",
            block(&text, 200, "   "),
            block(&text, 200, ""),
            in_cell(&code(&text, 200)),
        );
        assert_passive(&page, &text);
    }

    #[test]
    fn a_reader_finds_nothing_but_the_subset(text in any_markdown()) {
        let item = format!("1. {}", block(&text, 200, "   "));
        for markdown in [inline(&text, 200), item, format!("# {}", inline(&text, 200))] {
            let acts = markdown.chars().any(|sign| sign != '\n' && is_active(sign));
            prop_assert!(!acts, "{:?}", markdown);
            let mut headings = 0;
            for event in Parser::new_ext(&markdown, github()) {
                match &event {
                    Event::Html(_)
                    | Event::InlineHtml(_)
                    | Event::Rule
                    | Event::FootnoteReference(_) => panic!("{event:?} in {markdown:?}"),
                    Event::Start(Tag::Link { dest_url, .. }) => {
                        let address = dest_url.to_ascii_lowercase();
                        let schemes = ["https://", "http://", "mailto:"];
                        let is_good = schemes.iter().any(|scheme| address.starts_with(scheme))
                            || address.contains('@');
                        prop_assert!(is_good, "{dest_url:?} in {markdown:?}");
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
            "{: onclick=x}",
            "{#a .b}",
            "{{",
            "]{",
            "&commat;",
            "&#10;",
            "&#32;",
            "&#124;",
            "<javascript:x>",
            "xmpp:a@b.test",
            "<img src=x>",
            "`|",
            "\\|",
            "`\\|<img>`",
            "    # ",
            "\n- ",
            "\n1. ",
            "\n\n  ",
            "__",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(part, 0..10).prop_map(|parts| parts.concat())
}
