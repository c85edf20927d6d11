//! The setup guide as Markdown, for the person who connects a service.
//!
//! Everything in it comes from the descriptor and passes through the subset of Markdown that is safe to show: the headings, tables
//! and numbers are ours. It holds no setting's value.

use std::fmt::Write;

use crate::contract::{Api, DataSet, Descriptor, GuideSection, Question, SettingField};
use crate::listing::markdown::{block, code, in_cell, inline};
use crate::listing::words::{LONGEST_NAME, LONGEST_TEXT, method, pace, shown};

/// The guide.
#[must_use]
pub fn markdown(descriptor: &Descriptor) -> String {
    let mut out = format!("# Connect {}\n", name(&descriptor.name));
    about(&mut out, descriptor);
    collected(&mut out, &descriptor.data_collected);
    permissions(&mut out, &descriptor.permissions_required);
    let (sections, hidden) = shown(&descriptor.setup_guide);
    sections.iter().for_each(|guide| section(&mut out, guide));
    more(&mut out, hidden);
    form(&mut out, &descriptor.settings);
    requests(&mut out, &descriptor.api);
    questions(&mut out, &descriptor.faq);
    out
}

fn about(out: &mut String, descriptor: &Descriptor) {
    paragraph(out, &text(&descriptor.summary));
    let facts = [
        ("Made by", &descriptor.vendor),
        ("Pricing", &descriptor.pricing),
        ("Status", &descriptor.status),
        ("Type", &descriptor.integration_type),
        ("Version of the connector", &descriptor.version),
    ];
    out.push('\n');
    for (label, fact) in facts {
        if !fact.trim().is_empty() {
            let _ = writeln!(out, "- **{label}:** {}", text(fact));
        }
    }
}

fn collected(out: &mut String, sets: &[DataSet]) {
    let (sets, hidden) = shown(sets);
    if !sets.is_empty() {
        heading(out, "What is collected");
    }
    for set in sets {
        let (fields, hidden) = shown(&set.fields);
        let title = capitalized(&name(&set.name));
        table(out, &[&title, "What it holds"], fields.iter().map(|field| [format!("**{}**", name(&field.name)), text(&field.description)]));
        more(out, hidden);
    }
    more(out, hidden);
}

fn permissions(out: &mut String, permissions: &[String]) {
    let (permissions, hidden) = shown(permissions);
    if !permissions.is_empty() {
        heading(out, "What you need");
        out.push('\n');
    }
    for permission in permissions {
        let _ = writeln!(out, "- {}", block(permission, LONGEST_TEXT, "  "));
    }
    more(out, hidden);
}

fn section(out: &mut String, guide: &GuideSection) {
    heading(out, &name(&guide.title));
    paragraph(out, &block(&guide.introduction, LONGEST_TEXT, ""));
    let (steps, hidden) = shown(&guide.steps);
    if !steps.is_empty() {
        out.push('\n');
    }
    for (index, step) in steps.iter().enumerate() {
        let marker = format!("{}. ", index + 1);
        let _ = writeln!(out, "{marker}{}", block(step, LONGEST_TEXT, &" ".repeat(marker.len())));
    }
    more(out, hidden);
}

fn form(out: &mut String, settings: &[SettingField]) {
    let (fields, hidden) = shown(settings);
    if fields.is_empty() {
        return;
    }
    heading(out, "The form");
    let row = |field: &SettingField| {
        let example = code(&field.placeholder, LONGEST_NAME);
        let example = if example.is_empty() { example } else { format!(" Looks like {example}.") };
        let need = match (field.required, field.secret.is_some()) {
            (true, true) => "required, secret",
            (true, false) => "required",
            (false, true) => "optional, secret",
            (false, false) => "optional",
        };
        [format!("**{}**", name(&field.label)), format!("{}{example}", text(&field.help)), need.to_owned()]
    };
    table(out, &["Field", "What to enter", ""], fields.iter().map(row));
    more(out, hidden);
    if fields.iter().any(|field| field.secret.is_some()) {
        paragraph(out, "A secret stays with the platform: it is attached to requests on their way out, and the connector never sees it.");
    }
}

fn requests(out: &mut String, api: &Api) {
    let (endpoints, hidden) = shown(&api.endpoints);
    if endpoints.is_empty() {
        return;
    }
    heading(out, "What the connector asks the service");
    let base = code(&api.base, LONGEST_NAME);
    paragraph(out, &format!("It may send the requests below to {base}, and no others: at most {}.", pace(&api.rate_limit)));
    table(
        out,
        &["Request", "What for", "Scope"],
        endpoints.iter().map(|endpoint| {
            let changes = if endpoint.read_only { "" } else { " **May change data.**" };
            [
                code(&format!("{} {}", method(endpoint), endpoint.path), LONGEST_NAME),
                format!("{}{changes}", text(&endpoint.purpose)),
                endpoint.scope.as_deref().map_or("–".to_owned(), |scope| code(scope, LONGEST_NAME)),
            ]
        }),
    );
    more(out, hidden);
    let mut scopes: Vec<_> =
        endpoints.iter().filter_map(|endpoint| endpoint.scope.as_deref()).map(|scope| code(scope, LONGEST_NAME)).collect();
    scopes.sort();
    scopes.dedup();
    if !scopes.is_empty() {
        paragraph(out, &format!("A key with scopes needs {}.", enumerated(&scopes)));
    }
}

fn questions(out: &mut String, questions: &[Question]) {
    let (questions, hidden) = shown(questions);
    if !questions.is_empty() {
        heading(out, "Questions and answers");
    }
    for question in questions {
        let _ = writeln!(out, "\n### {}", name(&question.question));
        paragraph(out, &block(&question.answer, LONGEST_TEXT, ""));
    }
    more(out, hidden);
}

fn name(text: &str) -> String {
    inline(text, LONGEST_NAME)
}

fn text(text: &str) -> String {
    inline(text, LONGEST_TEXT)
}

fn heading(out: &mut String, title: &str) {
    let _ = writeln!(out, "\n## {title}");
}

fn paragraph(out: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(out, "\n{text}");
    }
}

fn table<const N: usize>(out: &mut String, titles: &[&str; N], rows: impl Iterator<Item = [String; N]>) {
    let line = |cells: &[String; N]| format!("| {} |\n", cells.each_ref().map(|cell| in_cell(cell)).join(" | "));
    out.push('\n');
    out.push_str(&line(&titles.map(str::to_owned)));
    out.push_str(&format!("|{}\n", " --- |".repeat(N)));
    rows.for_each(|row| out.push_str(&line(&row)));
}

fn more(out: &mut String, hidden: usize) {
    if hidden > 0 {
        paragraph(out, &format!("… and {hidden} more."));
    }
}

fn capitalized(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}

/// A list as a sentence has it: `a, b and c`.
fn enumerated(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};

    use super::*;
    use crate::listing::testing::{descriptor, filled_with};
    use crate::sink::testing::any_text;
    use crate::text::is_active;

    #[test]
    fn the_guide_reads_from_what_it_is_to_what_is_asked() {
        assert_eq!(
            markdown(&descriptor()),
            "\
# Connect Example Cloud

Notes & boards for teams.

- **Made by:** Example
- **Pricing:** Depends on the number of people.
- **Status:** General Availability
- **Type:** api
- **Version of the connector:** 1.2.3

## What is collected

| Members | What it holds |
| --- | --- |
| **e-mail** | The address. |
| **last seen** | The latest activity. |

## What you need

- Be an **admin**.

## Get a key

It takes a minute.

1. Open <https://example.test>.
2. Note down:
   - the id
   - the key

## The form

| Field | What to enter |  |
| --- | --- | --- |
| **Organization ID** | In the address bar. Looks like `a1b2`. | required |
| **Api Key** | Shown once. | required, secret |

A secret stays with the platform: it is attached to requests on their way out, and the connector never sees it.

## What the connector asks the service

It may send the requests below to `https://api.example.test`, and no others: at most 5 in a second.

| Request | What for | Scope |
| --- | --- | --- |
| `GET /v1/orgs/{organization-id}/users` | Reads the members. | `read:users` |
| `POST /v1/ping` | Says hello. **May change data.** | – |

A key with scopes needs `read:users`.

## Questions and answers

### Why?

Because.
"
        );
    }

    #[test]
    fn what_is_empty_has_no_heading() {
        let mut bare = descriptor();
        (bare.data_collected, bare.permissions_required, bare.setup_guide) = (Vec::new(), Vec::new(), Vec::new());
        (bare.settings, bare.faq, bare.api.endpoints) = (Vec::new(), Vec::new(), Vec::new());
        assert!(!markdown(&bare).contains("##"));
    }

    #[test]
    fn a_guide_without_end_is_cut() {
        let mut endless = descriptor();
        endless.setup_guide[0].steps = vec!["x".repeat(10_000); 500];
        let guide = markdown(&endless);
        assert!(guide.contains("\n\n… and 300 more.\n") && guide.len() < 200 * 4_100 + 4_000, "{}", guide.len());
    }

    proptest! {
        #[test]
        fn whatever_the_texts_are_the_structure_is_ours(text in any_text()) {
            let guide = markdown(&filled_with(&text));
            prop_assert!(!guide.chars().any(|sign| sign != '\n' && is_active(sign)));
            let (mut headings, mut rows) = (Vec::new(), 0);
            for event in Parser::new_ext(&guide, Options::ENABLE_TABLES) {
                match event {
                    Event::Start(Tag::Heading { level, .. }) => headings.push(level),
                    Event::Start(Tag::TableRow) => rows += 1,
                    Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Image { .. } | Tag::CodeBlock(_) | Tag::BlockQuote(_)) => panic!("{guide}"),
                    _ => {}
                }
            }
            use HeadingLevel::{H1, H2, H3};
            prop_assert_eq!(headings, [H1, H2, H2, H2, H2, H2, H2, H3], "{}", guide);
            prop_assert_eq!(rows, 6, "{}", guide);
        }
    }
}
