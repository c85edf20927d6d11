//! Sections of a Markdown page made from a descriptor. The guide and the listing share them.
//!
//! Every text passes through the subset of Markdown that is safe to show. Headings, tables and
//! numbers are written here.

use std::fmt::Write;

use crate::markdown::{block, code, in_cell, inline};
use crate::words::{LONGEST_NAME, LONGEST_TEXT, method, needed, pace, shown};
use smp_host::contract::{
    Api, DataSet, Descriptor, Endpoint, GuideSection, Question, SettingField,
};

/// The summary and the main facts.
pub fn about(out: &mut String, descriptor: &Descriptor) {
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

/// The data that is collected, a table per set.
pub fn collected(out: &mut String, sets: &[DataSet]) {
    let (sets, hidden) = shown(sets);
    if !sets.is_empty() {
        heading(out, 2, "What is collected");
    }
    for set in sets {
        let (fields, hidden) = shown(&set.fields);
        let title = capitalized(&name(&set.name));
        table(
            out,
            &[&title, "What it holds"],
            fields
                .iter()
                .map(|field| [format!("**{}**", name(&field.name)), text(&field.description)]),
        );
        more(out, hidden);
    }
    more(out, hidden);
}

/// The permissions that the person who connects needs.
pub fn permissions(out: &mut String, permissions: &[String]) {
    let (permissions, hidden) = shown(permissions);
    if !permissions.is_empty() {
        heading(out, 2, "What you need");
        out.push('\n');
    }
    for permission in permissions {
        let _ = writeln!(out, "- {}", block(permission, LONGEST_TEXT, "  "));
    }
    more(out, hidden);
}

/// A section of the setup guide, with its heading at this level.
pub fn section(out: &mut String, level: usize, guide: &GuideSection) {
    heading(out, level, &name(&guide.title));
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

/// The form, with its heading at this level.
pub fn form(out: &mut String, level: usize, settings: &[SettingField]) {
    let (fields, hidden) = shown(settings);
    if fields.is_empty() {
        return;
    }
    heading(out, level, "The form");
    let row = |field: &SettingField| {
        let example = code(&field.placeholder, LONGEST_NAME);
        let example = if example.is_empty() { example } else { format!(" Looks like {example}.") };
        let need = match (field.required, field.secret.is_some()) {
            (true, true) => "required, secret",
            (true, false) => "required",
            (false, true) => "optional, secret",
            (false, false) => "optional",
        };
        let choices: Vec<String> = field.choices.iter().map(|choice| name(&choice.label)).collect();
        let choices = match choices.as_slice() {
            [] => String::new(),
            choices => format!(" One of: {}.", choices.join(", ")),
        };
        let default = field.default.as_ref().map_or(String::new(), |default| {
            let choice = field.choices.iter().find(|choice| choice.value == *default);
            let shown =
                choice.map_or_else(|| code(default, LONGEST_NAME), |choice| name(&choice.label));
            format!(" If left empty: {shown}.")
        });
        [
            format!("**{}**", name(&field.label)),
            format!("{}{example}{choices}{default}", text(&field.help)),
            need.to_owned(),
        ]
    };
    table(out, &["Field", "What to enter", "Needed"], fields.iter().map(row));
    more(out, hidden);
    if fields.iter().any(|field| field.secret.is_some()) {
        paragraph(
            out,
            "A secret stays with the platform: it is attached to requests on their way out, and \
             the connector never sees it.",
        );
    }
}

/// Without what an endpoint is not called.
fn condition(endpoint: &Endpoint) -> String {
    let needed = needed(endpoint, |text| code(text, LONGEST_NAME));
    needed.map_or(String::new(), |needed| format!(" Only {needed}."))
}

/// The requests that the connector may send, and the scopes that a key needs for them.
pub fn requests(out: &mut String, api: &Api) {
    let (endpoints, hidden) = shown(&api.endpoints);
    if endpoints.is_empty() {
        return;
    }
    heading(out, 2, "What the connector asks the service");
    let others = api.origins.iter().flat_map(|origins| &origins.choices);
    let base = others.fold(code(&api.base, LONGEST_NAME), |all, (choice, base)| {
        format!("{all} ({}: {})", code(choice, LONGEST_NAME), code(base, LONGEST_NAME))
    });
    paragraph(
        out,
        &format!(
            "It may send the requests below to {base}, and no others: at most {}.",
            pace(&api.rate_limit)
        ),
    );
    table(
        out,
        &["Request", "What for", "Scope"],
        endpoints.iter().map(|endpoint| {
            let changes = if endpoint.read_only { "" } else { " **May change data.**" };
            let (purpose, more) = (text(&endpoint.purpose), condition(endpoint));
            let is_ended = purpose.ends_with(['.', '!', '?']);
            let end = if more.is_empty() && changes.is_empty() || is_ended { "" } else { "." };
            [
                code(&format!("{} {}", method(endpoint), endpoint.path), LONGEST_NAME),
                format!("{purpose}{end}{changes}{more}"),
                endpoint
                    .scope
                    .as_deref()
                    .map_or("–".to_owned(), |scope| code(scope, LONGEST_NAME)),
            ]
        }),
    );
    more(out, hidden);
    let mut scopes: Vec<_> = endpoints
        .iter()
        .filter_map(|endpoint| endpoint.scope.as_deref())
        .map(|scope| code(scope, LONGEST_NAME))
        .collect();
    scopes.sort();
    scopes.dedup();
    if !scopes.is_empty() {
        paragraph(out, &format!("A key with scopes needs {}.", enumerated(&scopes)));
    }
}

/// Questions and answers.
pub fn questions(out: &mut String, questions: &[Question]) {
    let (questions, hidden) = shown(questions);
    if !questions.is_empty() {
        heading(out, 2, "Questions and answers");
    }
    for question in questions {
        heading(out, 3, &name(&question.question));
        paragraph(out, &block(&question.answer, LONGEST_TEXT, ""));
    }
    more(out, hidden);
}

/// A short text on one line.
pub fn name(text: &str) -> String {
    inline(text, LONGEST_NAME)
}

/// A long text on one line.
pub fn text(text: &str) -> String {
    inline(text, LONGEST_TEXT)
}

/// A heading.
pub fn heading(out: &mut String, level: usize, title: &str) {
    let _ = writeln!(out, "\n{} {title}", "#".repeat(level));
}

/// A paragraph, unless the text is empty.
pub fn paragraph(out: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(out, "\n{text}");
    }
}

/// A table with these titles. Each cell is safe Markdown.
pub fn table<const N: usize>(
    out: &mut String,
    titles: &[&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    let line = |cells: &[String; N]| {
        format!("| {} |\n", cells.each_ref().map(|cell| in_cell(cell)).join(" | "))
    };
    out.push('\n');
    out.push_str(&line(&titles.map(str::to_owned)));
    out.push_str(&format!("|{}\n", " --- |".repeat(N)));
    rows.for_each(|row| out.push_str(&line(&row)));
}

/// Longest prose, in characters: an entry of a changelog.
const LONGEST_PROSE: usize = 5 * LONGEST_TEXT;

/// Paragraphs and lists, unless the text is empty.
pub fn prose(out: &mut String, text: &str) {
    paragraph(out, &block(text, LONGEST_PROSE, ""));
}

/// Says how many entries are not shown.
pub fn more(out: &mut String, hidden: usize) {
    if hidden > 0 {
        paragraph(out, &format!("… and {hidden} more."));
    }
}

fn capitalized(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| first.to_uppercase().chain(signs).collect())
}

/// A list as part of a sentence: `a, b and c`.
fn enumerated(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
