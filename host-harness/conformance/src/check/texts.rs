//! Checks that the texts of a descriptor can be shown unchanged: whole, and without anything that
//! acts on a page or a terminal. Pure.
//!
//! The host makes all text safe before it shows it (see `listing/markdown.rs`); others that use a
//! descriptor may not. So a text that would have to be changed does not pass.

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

use super::rules::{FITTING, Findings, Outcomes, SAFE};
use smp_host::contract::Descriptor;
use smp_host::http::base;
use smp_host::text::counted;
use smp_host::text::is_active;
use smp_listing::{LONGEST_NAME, LONGEST_TEXT, is_address, is_misleading};

/// How a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Markdown.
    Markdown,
    /// Prose, without markup.
    Plain,
    /// A heading, a label or a name.
    Name,
    /// Text for machines, shown as code: an address, a path, a pattern.
    Code,
}

/// A text, and its place.
struct Text<'d> {
    place: String,
    text: &'d str,
    kind: Kind,
}

/// Judges every text.
pub(super) fn judge(descriptor: &Descriptor, outcomes: &mut Outcomes) {
    let (mut unsafe_texts, mut cut) = (Findings::of(&SAFE), Findings::of(&FITTING));
    let all = texts(descriptor);
    for Text { place, text, kind } in &all {
        unsafe_texts.extend(acting(text, *kind).map(|what| format!("{place} holds {what}")));
        let most =
            if matches!(kind, Kind::Name | Kind::Code) { LONGEST_NAME } else { LONGEST_TEXT };
        let length = text.chars().count();
        if length > most {
            cut.add(format!("{place} has {length} characters; a listing shows {most}"));
        }
        if *kind == Kind::Markdown {
            cut.extend(
                flattened(text).map(|what| {
                    format!("{place} holds {what}, which a listing shows as plain text")
                }),
            );
        }
    }
    outcomes.add(unsafe_texts.judged(format!("{}.", counted(all.len(), "text"))));
    let longest = all.iter().map(|text| text.text.chars().count()).max().unwrap_or_default();
    outcomes.add(cut.judged(format!("The longest text has {longest} characters.")));
}

/// What in the text acts on a page or a terminal.
fn acting(text: &str, kind: Kind) -> Option<&'static str> {
    let is_code = kind == Kind::Code;
    if text.chars().any(|sign| is_active(sign) && (is_code || !matches!(sign, '\n' | '\t'))) {
        return Some("a control or text-direction character");
    }
    if is_code {
        return None;
    }
    let mut link: Option<(String, String)> = None;
    for event in Parser::new(text) {
        match event {
            Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::HtmlBlock) => {
                return Some("HTML");
            }
            Event::Start(Tag::Image { .. }) => return Some("an image"),
            Event::Start(Tag::Heading { .. }) if kind == Kind::Markdown => {
                return Some("a heading");
            }
            Event::Start(Tag::Link { link_type: LinkType::Email, .. }) => {}
            Event::Start(Tag::Link { dest_url, .. }) => {
                if !is_address(&dest_url) {
                    return Some("a link to something other than a plain web or e-mail address");
                }
                link = Some((dest_url.into_string(), String::new()));
            }
            Event::Text(part) | Event::Code(part) => {
                link.iter_mut().for_each(|(_, shown)| shown.push_str(&part))
            }
            Event::End(TagEnd::Link)
                if link.take().is_some_and(|(address, shown)| is_misleading(&shown, &address)) =>
            {
                return Some("a link whose text reads as a different address");
            }
            _ => {}
        }
    }
    None
}

/// What in the Markdown is outside the subset that a listing shows.
fn flattened(text: &str) -> Option<&'static str> {
    Parser::new(text).find_map(|event| match event {
        Event::Start(Tag::BlockQuote(_)) => Some("a quotation"),
        Event::Start(Tag::CodeBlock(_)) => Some("a block of code"),
        Event::Start(Tag::Emphasis) => Some("emphasis with single marks"),
        Event::Rule => Some("a rule"),
        _ => None,
    })
}

/// Every text of the descriptor.
fn texts(descriptor: &Descriptor) -> Vec<Text<'_>> {
    let mut all = Vec::new();
    let mut add = |kind, place: String, text| all.push(Text { place, text, kind });
    for (place, text, kind) in [
        ("`name`", &descriptor.name, Kind::Name),
        ("`vendor`", &descriptor.vendor, Kind::Plain),
        ("`summary`", &descriptor.summary, Kind::Plain),
        ("`pricing`", &descriptor.pricing, Kind::Plain),
        ("`status`", &descriptor.status, Kind::Plain),
        ("`integration-type`", &descriptor.integration_type, Kind::Plain),
        ("`version`", &descriptor.version, Kind::Plain),
    ] {
        add(kind, place.to_owned(), text);
    }
    for (number, base) in base::bases(&descriptor.api).enumerate() {
        let place = if number == 0 { "`api.base`".to_owned() } else { format!("origin {number}") };
        add(Kind::Code, place, base);
    }
    for (number, set) in numbered(&descriptor.data_collected) {
        add(Kind::Name, format!("the name of data set {number}"), &set.name);
        for (field_number, field) in numbered(&set.fields) {
            add(
                Kind::Name,
                format!("the name of field {field_number} of data set {number}"),
                &field.name,
            );
            add(
                Kind::Plain,
                format!("the description of field {field_number} of data set {number}"),
                &field.description,
            );
        }
    }
    for (number, permission) in numbered(&descriptor.permissions_required) {
        add(Kind::Markdown, format!("permission {number}"), permission);
    }
    for field in &descriptor.settings {
        let key = &field.key;
        add(Kind::Name, format!("the label of `{key}`"), &field.label);
        add(Kind::Plain, format!("the help of `{key}`"), &field.help);
        add(Kind::Code, format!("the placeholder of `{key}`"), &field.placeholder);
        if let Some(pattern) = &field.pattern {
            add(Kind::Code, format!("the pattern of `{key}`"), pattern);
        }
        for choice in &field.choices {
            add(Kind::Code, format!("a choice of `{key}`"), &choice.value);
            add(Kind::Name, format!("the label of a choice of `{key}`"), &choice.label);
        }
        if let Some(default) = &field.default {
            add(Kind::Code, format!("the default of `{key}`"), default);
        }
        for (number, known) in field.secret.iter().flat_map(|secret| numbered(&secret.prefixes)) {
            add(Kind::Code, format!("prefix {number} of `{key}`"), &known.prefix);
            add(Kind::Plain, format!("the meaning of prefix {number} of `{key}`"), &known.meaning);
            add(Kind::Plain, format!("the hint of prefix {number} of `{key}`"), &known.hint);
        }
    }
    for (number, endpoint) in numbered(&descriptor.api.endpoints) {
        add(Kind::Code, format!("the path of endpoint {number}"), &endpoint.path);
        add(Kind::Plain, format!("the purpose of endpoint {number}"), &endpoint.purpose);
        if let Some(scope) = &endpoint.scope {
            add(Kind::Code, format!("the scope of endpoint {number}"), scope);
        }
        for (name, value) in &endpoint.request_headers {
            add(Kind::Code, format!("a header of endpoint {number}"), name);
            add(Kind::Code, format!("the header `{name}` of endpoint {number}"), value);
        }
        for name in &endpoint.response_headers {
            add(Kind::Code, format!("a header that endpoint {number} reads"), name);
        }
    }
    for (number, section) in numbered(&descriptor.setup_guide) {
        add(
            Kind::Name,
            format!("the title of section {number} of the setup guide"),
            &section.title,
        );
        add(
            Kind::Markdown,
            format!("the introduction of section {number} of the setup guide"),
            &section.introduction,
        );
        for (step_number, step) in numbered(&section.steps) {
            add(
                Kind::Markdown,
                format!("step {step_number} of section {number} of the setup guide"),
                step,
            );
        }
    }
    for (number, question) in numbered(&descriptor.faq) {
        add(Kind::Name, format!("question {number}"), &question.question);
        add(Kind::Markdown, format!("the answer to question {number}"), &question.answer);
    }
    all
}

/// The entries, numbered from one.
fn numbered<T>(entries: &[T]) -> impl Iterator<Item = (usize, &T)> {
    entries.iter().enumerate().map(|(index, entry)| (index + 1, entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{complete, said};

    #[test]
    fn what_acts_is_a_failure_that_names_the_field() {
        for (step, what) in [
            ("Open **it** at `x`, then [here](https://example.test/a).\n\n- one\n- two", None),
            ("AT&T, 1 < 2, see <https://example.test> and <ann@example.test>", None),
            ("a <b>bold</b> word", Some("HTML")),
            ("<script>alert(1)</script>", Some("HTML")),
            ("![x](https://example.test/pixel.png)", Some("an image")),
            ("# Title", Some("a heading")),
            ("Title\n---", Some("a heading")),
            (
                "[x](javascript:alert(1))",
                Some("a link to something other than a plain web or e-mail address"),
            ),
            (
                "[x][1]\n\n[1]: data:text/html,y",
                Some("a link to something other than a plain web or e-mail address"),
            ),
            (
                "[x](https://good.test@evil.test)",
                Some("a link to something other than a plain web or e-mail address"),
            ),
            (
                "[good.test](https://evil.test)",
                Some("a link whose text reads as a different address"),
            ),
            (
                "[**good.test**](https://evil.test)",
                Some("a link whose text reads as a different address"),
            ),
            ("a\u{1b}[31m", Some("a control or text-direction character")),
            ("\u{202e}gpj", Some("a control or text-direction character")),
        ] {
            let found = said(&complete(), |d| d.setup_guide[0].steps[0] = step.into(), judge);
            let expected: Vec<_> = what
                .iter()
                .map(|what| {
                    format!("texts-safe: step 1 of section 1 of the setup guide holds {what}")
                })
                .collect();
            assert_eq!(found, expected, "{step}");
        }
    }

    #[test]
    fn plain_texts_may_look_like_markdown_and_code_like_html() {
        let change = |d: &mut Descriptor| {
            d.summary = "# 1 for teams > 10".into();
            d.settings[0].placeholder = "<id>".into();
        };
        assert_eq!(said(&complete(), change, judge), [""; 0]);
        assert_eq!(
            said(&complete(), |d| d.summary = "<img src=x>".into(), judge),
            ["texts-safe: `summary` holds HTML"]
        );
    }

    #[test]
    fn what_a_listing_cuts_or_flattens_is_a_warning() {
        let of = |change: fn(&mut Descriptor)| said(&complete(), change, judge);
        assert_eq!(
            of(|d| d.name = "x".repeat(301)),
            ["texts-shown-whole: `name` has 301 characters; a listing shows 300"]
        );
        assert_eq!(
            of(|d| d.summary = "x".repeat(4_001)),
            ["texts-shown-whole: `summary` has 4001 characters; a listing shows 4000"]
        );
        assert_eq!(
            of(|d| d.faq[0].answer = "> a\n\nb".into()),
            ["texts-shown-whole: the answer to question 1 holds a quotation, which a listing \
              shows as plain text"]
        );
    }

    #[test]
    fn every_text_of_a_descriptor_is_looked_at() {
        // One mark in every text of a filled descriptor: each place is named once.
        let mut marked = smp_listing::testing::filled_with("a\u{202e}b");
        marked.settings[1].key = "other".into();
        let all = texts(&marked);
        assert!(all.iter().all(|text| acting(text.text, text.kind).is_some()));
        let mut places: Vec<_> = all.iter().map(|text| &text.place).collect();
        places.sort();
        places.dedup();
        assert_eq!(places.len(), all.len());
        assert_eq!(all.len(), 37);
    }
}
