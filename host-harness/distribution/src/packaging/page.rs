//! The listing for people: `listing.md`, the page of a connector in a marketplace.
//!
//! It begins with what a person needs who connects a service, and ends with what the marketplace
//! needs.

use std::fmt::Write;

use super::bill::Linked;
use super::changelog::{Breaking, Entry};
use super::figures::{Figure, Performance};
use super::listing::Listing;
use smp_conformance::check::verdict::{Rule, Verdict};
use smp_host::text::size;
use smp_host::text::{counted, grouped};
use smp_host::validation::CheckOutcome;
use smp_listing::parts::{
    about, collected, form, heading, more, name, paragraph, permissions, prose, questions,
    requests, section, table, text,
};
use smp_listing::{LONGEST_NAME, code, shown};

/// The page.
#[must_use]
pub fn markdown(listing: &Listing) -> String {
    let descriptor = &listing.facts.descriptor;
    let mut out = format!("# {}\n", name(&descriptor.name));
    about(&mut out, descriptor);
    published(&mut out, listing);
    breaking(&mut out, &listing.changes.breaking);
    collected(&mut out, &descriptor.data_collected);
    permissions(&mut out, &descriptor.permissions_required);
    requests(&mut out, &descriptor.api);
    setup(&mut out, listing);
    questions(&mut out, &descriptor.faq);
    conformance(&mut out, &listing.verdict);
    performance(&mut out, &listing.performance);
    changed(&mut out, &listing.changes);
    signed(&mut out, listing);
    installed(&mut out, listing);
    help(&mut out, listing);
    file(&mut out, listing);
    linked(&mut out, &listing.linked);
    out
}

/// The publisher's metadata: the rest of the list that `about` begins.
fn published(out: &mut String, listing: &Listing) {
    let metadata = &listing.metadata;
    let date = listing.date.map(|date| date.strftime("%Y-%m-%d").to_string());
    let facts = [
        ("Date of the version", date),
        ("Published by", metadata.authors.as_deref().map(text)),
        ("Licence", metadata.licenses.as_deref().map(text)),
        ("Source", metadata.source.as_deref().map(text)),
        ("Homepage", metadata.homepage.as_deref().map(text)),
    ];
    for (label, fact) in facts {
        if let Some(fact) = fact {
            let _ = writeln!(out, "- **{label}:** {fact}");
        }
    }
}

fn breaking(out: &mut String, changes: &[Breaking]) {
    if changes.is_empty() {
        return;
    }
    heading(out, 2, "Before you upgrade");
    let (changes, hidden) = shown(changes);
    table(
        out,
        &["Until", "What changes, and what to do"],
        changes.iter().map(|change| [change.deadline.to_string(), text(&change.message)]),
    );
    more(out, hidden);
}

fn setup(out: &mut String, listing: &Listing) {
    let descriptor = &listing.facts.descriptor;
    let (sections, hidden) = shown(&descriptor.setup_guide);
    if sections.is_empty() && descriptor.settings.is_empty() {
        return;
    }
    heading(out, 2, "How to set it up");
    sections.iter().for_each(|guide| section(out, 3, guide));
    more(out, hidden);
    form(out, 3, &descriptor.settings);
}

fn conformance(out: &mut String, verdict: &Verdict) {
    heading(out, 2, "What was checked");
    let figures = &verdict.figures;
    let passed = if verdict.strict {
        "It passes the conformance check, strictly"
    } else {
        "It passes the conformance check"
    };
    paragraph(
        out,
        &format!(
            "{passed}: {} of recorded traffic, played as recorded and with {} replaced by every \
             fault, in {} runs.",
            counted(figures.fixtures, "case"),
            counted(figures.exchanges, "answer"),
            grouped(figures.runs)
        ),
    );
    out.push('\n');
    for family in verdict.rules.chunk_by(|one, other| one.family == other.family) {
        part(out, family);
    }
}

/// The rules of a family: one sentence for those that are kept, and an item for every other.
fn part(out: &mut String, family: &[Rule]) {
    let Some(first) = family.first() else { return };
    let (kept, others): (Vec<_>, Vec<_>) =
        family.iter().partition(|rule| rule.outcome == CheckOutcome::Passed && !rule.is_note());
    let titles: Vec<_> = kept.iter().map(|rule| uncapitalized(rule.title)).collect();
    let said =
        if titles.is_empty() { String::new() } else { format!(" It {}.", titles.join("; ")) };
    let all_kept = family.iter().filter(|rule| rule.outcome == CheckOutcome::Passed).count();
    let _ = writeln!(out, "- **{}:** {all_kept} of {} kept.{said}", first.family, family.len());
    for rule in others {
        let word = match rule.outcome {
            CheckOutcome::Skipped => "Not looked at",
            CheckOutcome::Passed => "Note",
            _ => "Warning",
        };
        let _ =
            writeln!(out, "  - **{word}:** {}: {}", uncapitalized(rule.title), text(&rule.message));
    }
}

fn uncapitalized(text: &str) -> String {
    let mut signs = text.chars();
    signs.next().map_or_else(String::new, |first| first.to_lowercase().chain(signs).collect())
}

fn performance(out: &mut String, performance: &Performance) {
    match performance {
        Performance::NotGiven => {}
        Performance::OfAnother(of) => {
            heading(out, 2, "How fast it is");
            let of = of.as_deref().map_or("of a build that they do not name".to_owned(), |of| {
                format!("of the build {}", code(of, LONGEST_NAME))
            });
            paragraph(
                out,
                &format!(
                    "The figures that came with it are {of}, and not of this one. They are not \
                     shown."
                ),
            );
        }
        Performance::OfThisBuild(figures) => {
            heading(out, 2, "How fast it is");
            let cores = figures
                .cores
                .map(|cores| format!(" on a machine with {cores} processors"))
                .unwrap_or_default();
            let telling = figures.telling();
            paragraph(out, &format!("Measured with this very build{cores}."));
            let rows = telling.iter().map(|figure| measured(figure));
            table(out, &["What", "Measured", "Smallest to largest"], rows);
            if telling.len() < figures.all.len() {
                let all = grouped(u64::try_from(figures.all.len()).unwrap_or(u64::MAX));
                let said = format!("`listing.json` beside this page has all {all} figures.");
                paragraph(out, &said);
            }
        }
    }
}

fn measured(figure: &Figure) -> [String; 3] {
    let unit = if figure.unit.is_empty() { String::new() } else { format!(" {}", figure.unit) };
    let range = if figure.min == figure.max {
        String::new()
    } else {
        format!("{} to {}", figure.min, figure.max)
    };
    [name(&figure.name), name(&format!("{}{unit}", figure.median)), range]
}

/// The entry of the changelog.
fn changed(out: &mut String, entry: &Entry) {
    let sections = entry.sections();
    if sections.is_empty() {
        return;
    }
    heading(out, 2, "What changed");
    for (title, text) in &sections {
        if let Some(title) = title {
            heading(out, 3, &name(title));
        }
        prose(out, text);
    }
}

/// A signature covers this page, so the page cannot hold it.
fn signed(out: &mut String, listing: &Listing) {
    heading(out, 2, "Who vouches for it");
    paragraph(
        out,
        &format!(
            "When this page was written, the package was not signed: a signature covers this page \
             too, and is a file beside it, `SHA256SUMS.sig`. `{}` says who signed the package, and \
             whether your trust file permits that publisher.",
            listing.commands.verifier
        ),
    );
}

fn installed(out: &mut String, listing: &Listing) {
    heading(out, 2, "How to install it");
    let steps = ["Verify the package", "Try it", "Install it on a platform"];
    out.push('\n');
    for (step, command) in steps.iter().zip(listing.installing()) {
        let _ = writeln!(out, "- **{step}:** {}", code(&command, 2 * LONGEST_NAME));
    }
}

fn help(out: &mut String, listing: &Listing) {
    heading(out, 2, "Help, and reports of weaknesses");
    out.push('\n');
    let links = [("Help", &listing.links.support), ("Weaknesses", &listing.links.security)];
    for (label, address) in links {
        let address = address.as_deref().map_or("no address is named".to_owned(), text);
        let _ = writeln!(out, "- **{label}:** {address}");
    }
}

fn file(out: &mut String, listing: &Listing) {
    let facts = &listing.facts;
    heading(out, 2, "The file");
    let names = |names: &[String]| {
        let (names, hidden) = shown(names);
        let mut names: Vec<String> = names.iter().map(|name| code(name, LONGEST_NAME)).collect();
        if hidden > 0 {
            names.push(format!("and {hidden} more"));
        }
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let mut facts = vec![
        ("Name", code(&listing.file, LONGEST_NAME)),
        ("Size", size(facts.size)),
        ("Digest", code(&facts.digest, LONGEST_NAME)),
        ("Digest without metadata", code(&listing.build_digest, LONGEST_NAME)),
        (
            "Contract",
            code(
                &format!("{}@{}", smp_host::contract::PACKAGE, facts.contract_version),
                LONGEST_NAME,
            ),
        ),
        ("Imports from the host", names(&facts.imports)),
        ("Exports to the host", names(&facts.exports)),
    ];
    if let Some(revision) = &listing.metadata.revision {
        facts.push(("Built from", code(revision, LONGEST_NAME)));
    }
    out.push('\n');
    for (label, fact) in facts {
        let _ = writeln!(out, "- **{label}:** {fact}");
    }
}

fn linked(out: &mut String, linked: &[Linked]) {
    let (parts, hidden) = shown(linked);
    heading(out, 2, "What is linked into it");
    if parts.is_empty() {
        paragraph(out, "Nothing, according to the bill of materials.");
        return;
    }
    let or_dash = |text: &Option<String>| text.as_deref().map_or("–".to_owned(), name);
    table(
        out,
        &["Part", "Version", "Licence"],
        parts.iter().map(|part| {
            [code(&part.name, LONGEST_NAME), or_dash(&part.version), or_dash(&part.licenses)]
        }),
    );
    more(out, hidden);
    paragraph(
        out,
        "The bill of materials beside this page, `sbom.cdx.json`, has their digests and how they \
         depend on each other.",
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};

    use super::*;
    use crate::packaging::testing::listing;
    use smp_host::testing::any_text;
    use smp_host::text::is_active;
    use smp_listing::testing::{descriptor, filled_with};

    #[test]
    fn the_page_reads_from_what_it_is_to_what_it_is_made_of() {
        let page = markdown(&listing(descriptor(), "said"));
        let headings: Vec<_> = page.lines().filter(|line| line.starts_with('#')).collect();
        assert_eq!(
            headings,
            [
                "# Example Cloud",
                "## Before you upgrade",
                "## What is collected",
                "## What you need",
                "## What the connector asks the service",
                "## How to set it up",
                "### Get a key",
                "### The form",
                "## Questions and answers",
                "### Why?",
                "## What was checked",
                "## How fast it is",
                "## What changed",
                "### Added",
                "## Who vouches for it",
                "## How to install it",
                "## Help, and reports of weaknesses",
                "## The file",
                "## What is linked into it",
            ]
        );
        let (_, own) = page.split_once("## What was checked\n").unwrap();
        assert_eq!(
            own,
            "
It passes the conformance check: 1 case of recorded traffic, played as recorded and with 20 \
             answers replaced by every fault, in 3,000 runs.

- **The file:** 1 of 2 kept. It does so.
  - **Warning:** does so: said
- **Faults:** 0 of 1 kept.
  - **Not looked at:** does so: said

## How fast it is

Measured with this very build on a machine with 2 processors.

| What | Measured | Smallest to largest |
| --- | --- | --- |
| said | 2 ms | 1 to 3.5 |

## What changed

### Added

said

## Who vouches for it

When this page was written, the package was not signed: a signature covers this page too, and is a \
             file beside it, `SHA256SUMS.sig`. `judge` says who signed the package, \
             and whether your trust file permits that publisher.

## How to install it

- **Verify the package:** `judge example-cloud-1.2.3`
- **Try it:** `try example-cloud-1.2.3/example-cloud.wasm`
- **Install it on a platform:** `take example-cloud-1.2.3`

## Help, and reports of weaknesses

- **Help:** said
- **Weaknesses:** said

## The file

- **Name:** `example-cloud.wasm`
- **Size:** 2 KiB (2,048 bytes)
- **Digest:** `sha256:00`
- **Digest without metadata:** `sha256:01`
- **Contract:** `smp:connector@0.1.0`
- **Imports from the host:** `smp:connector/http@0.1.0`, `said`
- **Exports to the host:** `smp:connector/connector@0.1.0`
- **Built from:** `said`

## What is linked into it

| Part | Version | Licence |
| --- | --- | --- |
| `said` | said | – |

The bill of materials beside this page, `sbom.cdx.json`, has their digests and how they depend on \
             each other.
"
        );
    }

    #[test]
    fn figures_of_another_build_are_said_to_be_so() {
        let mut listing = listing(descriptor(), "said");
        for (of, said) in [
            (None, "of a build that they do not name"),
            (Some("sha256:02".to_owned()), "of the build `sha256:02`"),
        ] {
            listing.performance = Performance::OfAnother(of);
            assert!(markdown(&listing).contains(&format!(
                "The figures that came with it are {said}, and not of this one."
            )));
        }
        listing.performance = Performance::NotGiven;
        assert!(!markdown(&listing).contains("How fast"));
    }

    proptest! {
        #[test]
        fn whatever_the_texts_are_the_structure_is_ours(text in any_text()) {
            let page = markdown(&listing(filled_with(&text), &text));
            prop_assert!(!page.chars().any(|sign| sign != '\n' && is_active(sign)));
            let (mut headings, mut rows) = (Vec::new(), 0);
            for event in Parser::new_ext(&page, Options::ENABLE_TABLES) {
                match event {
                    Event::Start(Tag::Heading { level, .. }) => headings.push(level),
                    Event::Start(Tag::TableRow) => rows += 1,
                    Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Image { .. } | Tag::CodeBlock(_) | Tag::BlockQuote(_)) => panic!("{page}"),
                    _ => {}
                }
            }
            use HeadingLevel::{H1, H2, H3};
            // A changelog that says nothing has no heading.
            let changed = headings.len() - 17;
            let own = [H1, H2, H2, H2, H2, H2, H3, H3, H2, H3, H2, H2];
            let expected = own.into_iter().chain([H2, H3].into_iter().take(changed)).chain([H2; 5]);
            prop_assert_eq!(headings, expected.collect::<Vec<_>>(), "{}", page);
            prop_assert_eq!(rows, 1 + 6 + 1 + 1, "{}", page);
        }
    }
}
