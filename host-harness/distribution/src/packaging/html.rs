//! The listing as a page that stands alone: `listing.html`, the page of a connector in a
//! marketplace. The console of a platform shows the same sections in the same style.
//!
//! It begins with what a person needs who decides, then who connects, and ends with what the
//! marketplace needs.

use maud::{Markup, html};

use super::bill::Linked;
use super::changelog::{Breaking, Entry};
use super::figures::{Figure, Performance};
use super::listing::Listing;
use smp_conformance::check::verdict::Verdict;
use smp_conformance::page::verdict::{counts, passed, rules};
use smp_host::text::{counted, size};
use smp_listing::html::page::Page;
use smp_listing::html::parts::{facts, more, number, state, table};
use smp_listing::html::plugin::{
    authority, collected, head, permissions, questions, requests, setup,
};
use smp_listing::html::text::{block_of, code, line, link, name, said};
use smp_listing::shown;

/// Longest section of a changelog, in characters.
const LONGEST_CHANGES: usize = 20_000;

/// A section: anchor, name in the navigation, title, content.
type Part = (&'static str, &'static str, &'static str, Markup);

/// The page.
#[must_use]
pub fn page(listing: &Listing) -> String {
    let parts = parts(listing);
    let sections: Vec<_> = parts.iter().map(|(anchor, short, ..)| (*anchor, *short)).collect();
    let descriptor = &listing.facts.descriptor;
    let body = html! {
        (head(descriptor, listing.icon.as_ref(), &tags(listing)))
        (about(listing))
        (authority(descriptor))
        @for (anchor, _, title, content) in &parts {
            section id=(anchor) { h2 { (title) } (content) }
        }
    };
    Page { title: &descriptor.name, kind: "Connector", sections: &sections, body: &body }.document()
}

/// What is empty has no section.
fn parts(listing: &Listing) -> Vec<Part> {
    let descriptor = &listing.facts.descriptor;
    let mut parts: Vec<Part> = Vec::new();
    let mut add = |is_there: bool, part: Part| {
        if is_there {
            parts.push(part);
        }
    };
    let sets = &descriptor.data_collected;
    let breaking = &listing.changes.breaking;
    let has_setup = !descriptor.setup_guide.is_empty() || !descriptor.settings.is_empty();
    add(
        !breaking.is_empty(),
        ("upgrade", "Upgrade", "Before you upgrade", self::breaking(breaking)),
    );
    add(!sets.is_empty(), ("collected", "Data", "What it collects", collected(sets)));
    let endpoints = &descriptor.api.endpoints;
    add(!endpoints.is_empty(), ("requests", "Requests", "Requests", requests(&descriptor.api)));
    let needs = &descriptor.permissions_required;
    add(!needs.is_empty(), ("needs", "Needs", "What you need", permissions(needs)));
    add(has_setup, ("setup", "Setup", "How to set it up", setup(descriptor)));
    let faq = &descriptor.faq;
    add(!faq.is_empty(), ("questions", "Questions", "Questions and answers", questions(faq)));
    add(true, ("conformance", "Check", "Conformance", conformance(&listing.verdict)));
    let is_measured = listing.performance != Performance::NotGiven;
    add(is_measured, ("performance", "Speed", "How fast it is", performance(&listing.performance)));
    let has_changes = !listing.changes.sections().is_empty();
    add(has_changes, ("changes", "Changes", "What changed", changes(&listing.changes)));
    add(true, ("signature", "Signature", "Signature and publisher", signature(listing)));
    add(true, ("install", "Install", "How to install it", installing(listing)));
    add(true, ("help", "Help", "Help, and reports of weaknesses", help(listing)));
    add(true, ("file", "File", "The file and its contract", file(listing)));
    add(true, ("bill", "Parts", "Bill of materials", linked(&listing.linked)));
    parts
}

fn tags(listing: &Listing) -> Vec<Markup> {
    let descriptor = &listing.facts.descriptor;
    let mut tags = vec![passed(&listing.verdict)];
    tags.push(state("–", "still", "Not signed when this was written"));
    tags.extend(
        [
            Some(&descriptor.status),
            Some(&descriptor.integration_type),
            listing.metadata.licenses.as_ref(),
        ]
        .into_iter()
        .flatten()
        .filter(|text| !text.trim().is_empty())
        .map(|text| name(text)),
    );
    tags
}

fn about(listing: &Listing) -> Markup {
    let descriptor = &listing.facts.descriptor;
    let metadata = &listing.metadata;
    let date = listing.date.map(|date| date.strftime("%Y-%m-%d").to_string());
    let told = [
        (
            "Made by",
            Some(name(&descriptor.vendor)).filter(|_| !descriptor.vendor.trim().is_empty()),
        ),
        (
            "Pricing",
            Some(said(&descriptor.pricing)).filter(|_| !descriptor.pricing.trim().is_empty()),
        ),
        ("Date of the version", date.map(|date| html! { time datetime=(date) { (date) } })),
        ("Published by", metadata.authors.as_deref().map(name)),
        ("Size", Some(html! { (size(listing.facts.size)) })),
        ("Contract", Some(contract(listing))),
        ("Source", metadata.source.as_deref().map(link)),
        ("Homepage", metadata.homepage.as_deref().map(link)),
    ];
    let told = told.into_iter().filter_map(|(name, fact)| Some((name, fact?)));
    html! {
        @if let Some(description) = &metadata.description { p { (said(description)) } }
        (facts(told))
    }
}

fn contract(listing: &Listing) -> Markup {
    code(&format!("{}@{}", smp_host::contract::PACKAGE, listing.facts.contract_version))
}

fn breaking(changes: &[Breaking]) -> Markup {
    let (changes, hidden) = shown(changes);
    let row = |change: &Breaking| {
        let day = change.deadline.to_string();
        [html! { time datetime=(day) { (day) } }, line(&change.message)]
    };
    html! {
        (table(
            "Breaking changes",
            ["Until", "What changes, and what to do"],
            changes.iter().map(row),
        ))
        (more(hidden))
    }
}

fn conformance(verdict: &Verdict) -> Markup {
    let figures = &verdict.figures;
    html! {
        p .lead { (passed(verdict)) }
        p {
            (counted(figures.fixtures, "case")) " of recorded traffic, played as recorded and with "
            (counted(figures.exchanges, "exchange")) " replaced by every fault, in "
            (number(figures.runs)) " runs."
        }
        (counts(verdict))
        details { summary { "All rules" } (rules(&verdict.rules)) }
    }
}

fn performance(performance: &Performance) -> Markup {
    html! {
        @match performance {
            Performance::NotGiven => {}
            Performance::OfAnother(_) => {
                p { "The figures that came with it are of another build, and are not shown." }
            }
            Performance::OfThisBuild(figures) => {
                @let telling = figures.telling();
                p {
                    "Measured with this very build"
                    @if let Some(cores) = figures.cores {
                        " on a machine with " (number(cores)) " processors"
                    }
                    "."
                }
                (table(
                    "Performance",
                    ["What", "Measured", "Smallest to largest"],
                    telling.iter().map(|figure| measured(figure)),
                ))
                @if telling.len() < figures.all.len() {
                    p .fine {
                        code { "listing.json" } " beside this page has all "
                        (number(figures.all.len())) " figures."
                    }
                }
            }
        }
    }
}

fn measured(figure: &Figure) -> [Markup; 3] {
    let unit = if figure.unit.is_empty() { String::new() } else { format!(" {}", figure.unit) };
    [
        name(&figure.name),
        name(&format!("{}{unit}", figure.median)),
        html! {
            @if figure.min == figure.max { "–" } @else { (figure.min) " to " (figure.max) }
        },
    ]
}

fn changes(entry: &Entry) -> Markup {
    let sections = entry.sections();
    html! {
        @if !entry.released { p { "Not released yet." } }
        @for (title, text) in &sections {
            details open[sections.len() == 1] {
                summary { @match title { Some(title) => (name(title)), None => "In short" } }
                (block_of(text, LONGEST_CHANGES))
            }
        }
        p .fine { code { "CHANGELOG.md" } " beside this page has the same." }
    }
}

fn signature(listing: &Listing) -> Markup {
    html! {
        p { (state("–", "still", "Not signed when this page was written")) }
        p {
            "A signature covers this page too, so it cannot stand here. It is a file beside it, "
            code { "SHA256SUMS.sig" } ". " code { (listing.commands.verifier) }
            " says who signed the package, and whether your trust file permits that publisher."
        }
        p {
            "The package itself says that it is published by "
            @match &listing.metadata.authors { Some(authors) => (name(authors)), None => "no one" }
            ". Without a signature, nothing shows that."
        }
    }
}

fn installing(listing: &Listing) -> Markup {
    let steps =
        ["Verify the package.", "Try it. It asks for the settings.", "Install it on a platform."];
    html! {
        ol {
            @for (step, command) in steps.iter().zip(listing.installing()) {
                li { (step) pre { code { (command) } } }
            }
        }
        p .fine { "The trust file says whose keys may publish which connector." }
    }
}

fn help(listing: &Listing) -> Markup {
    let told = |address: &Option<String>| match address {
        Some(address) => link(address),
        None => html! { "No address is named." },
    };
    facts([
        ("Help", told(&listing.links.support)),
        ("Reports of weaknesses", told(&listing.links.security)),
    ])
}

fn file(listing: &Listing) -> Markup {
    let told = &listing.facts;
    let names = |names: &[String]| {
        let (names, hidden) = shown(names);
        html! {
            @for (place, name) in names.iter().enumerate() { @if place > 0 { ", " } (code(name)) }
            @if names.is_empty() { "nothing" }
            (more(hidden))
        }
    };
    let told = [
        ("Name", Some(code(&listing.file))),
        ("Size", Some(html! { (size(told.size)) })),
        ("Contract", Some(contract(listing))),
        ("Imports from the host", Some(names(&told.imports))),
        ("Exports to the host", Some(names(&told.exports))),
        ("Digest", Some(code(&told.digest))),
        ("Digest without metadata", Some(code(&listing.build_digest))),
        ("Built from", listing.metadata.revision.as_deref().map(code)),
    ];
    facts(told.into_iter().filter_map(|(name, fact)| Some((name, fact?))))
}

fn linked(linked: &[Linked]) -> Markup {
    let (parts, hidden) = shown(linked);
    let or_dash = |text: &Option<String>| match text {
        Some(text) => name(text),
        None => html! { "–" },
    };
    html! {
        @if parts.is_empty() {
            p { "Nothing is linked into it, according to the bill of materials." }
        } @else {
            details {
                summary { (counted(linked.len(), "part")) " in it" }
                (table(
                    "Bill of materials",
                    ["Part", "Version", "Licence"],
                    parts.iter().map(|part| {
                        [code(&part.name), or_dash(&part.version), or_dash(&part.licenses)]
                    }),
                ))
                (more(hidden))
            }
        }
        p .fine {
            code { "sbom.cdx.json" } " beside this page has their digests and how they depend on \
                                      each other."
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::packaging::testing::listing;
    use smp_host::testing::any_text;
    use smp_listing::html::icon::Icon;
    use smp_listing::testing::{
        HOSTILE, assert_is_harmless, assert_stands_alone, descriptor, filled_with,
    };

    #[test]
    fn the_page_has_what_a_marketplace_shows() {
        let mut ours = listing(descriptor(), "said");
        ours.links.security = Some("mailto:security@example.test".into());
        ours.metadata.source = Some("https://example.test/source".into());
        let page = page(&ours);
        assert_stands_alone(&page);
        let mut rest = page.as_str();
        for expected in [
            "<h1><bdi>Example Cloud</bdi> <bdi>1.2.3</bdi></h1>",
            "Not signed when this was written",
            "<dt>Contract</dt><dd><code dir=\"auto\">smp:connector@0.1.0</code></dd>",
            "href=\"https://example.test/source\" rel=\"noreferrer noopener nofollow\"",
            "What it may do",
            "What it may not do",
            "<time datetime=\"2030-01-31\">",
            "<section id=\"collected\"><h2>What it collects</h2>",
            "<section id=\"requests\">",
            "<code dir=\"auto\">read:users</code>",
            "<section id=\"setup\">",
            "<section id=\"questions\">",
            "<section id=\"conformance\">",
            "<section id=\"performance\">",
            "<section id=\"changes\">",
            "<details open><summary><bdi>Added</bdi></summary>",
            "<section id=\"signature\">",
            "<pre><code>judge example-cloud-1.2.3</code></pre>",
            "<dt>Help</dt><dd>said</dd>",
            "<a href=\"mailto:security@example.test\"",
            "<dt>Digest</dt><dd><code dir=\"auto\">sha256:00</code></dd>",
            "<section id=\"bill\">",
        ] {
            let (_, after) =
                rest.split_once(expected).unwrap_or_else(|| panic!("{expected}\n{page}"));
            rest = after;
        }
    }

    #[test]
    fn what_is_empty_has_no_section() {
        let mut bare = listing(descriptor(), "said");
        let descriptor = &mut bare.facts.descriptor;
        (descriptor.data_collected, descriptor.faq, descriptor.settings) = (vec![], vec![], vec![]);
        (descriptor.setup_guide, descriptor.permissions_required) = (vec![], vec![]);
        bare.performance = Performance::NotGiven;
        bare.changes = Entry { text: String::new(), released: true, breaking: vec![] };
        (bare.linked, bare.links) = (vec![], Default::default());
        let page = page(&bare);
        assert_stands_alone(&page);
        for anchor in
            ["upgrade", "collected", "needs", "setup", "questions", "performance", "changes"]
        {
            assert!(!page.contains(&format!("#{anchor}")), "{anchor}");
        }
        assert_eq!(page.matches("No address is named.").count(), 2);
    }

    #[test]
    fn a_picture_is_part_of_the_page() {
        let mut ours = listing(descriptor(), "said");
        ours.icon =
            Icon::read(b"<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>").ok();
        let page = page(&ours);
        assert_stands_alone(&page);
        assert!(page.contains("<img class=\"icon\" src=\"data:image/svg+xml;base64,PHN2"));
    }

    #[test]
    fn a_command_names_only_plain_names() {
        let mut ours = listing(descriptor(), "said");
        for (version, expected) in [("1.0.0-rc.1", "example-cloud-1.0.0-rc.1"), ("1;rm", "FOLDER")]
        {
            ours.facts.descriptor.version = version.into();
            let command = format!("judge {expected}");
            assert_eq!(ours.installing().first(), Some(&command));
        }
    }

    #[test]
    fn no_hostile_text_becomes_markup() {
        for text in HOSTILE {
            assert_is_harmless(&page(&listing(filled_with(text), text)));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_texts_are_the_page_stands_alone(text in any_text()) {
            assert_stands_alone(&page(&listing(filled_with(&text), &text)));
        }
    }
}
