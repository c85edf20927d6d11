//! The setup guide as Markdown, for the person who connects a service.
//!
//! Every text in it comes from the descriptor and passes through the subset of Markdown that is
//! safe to show. Headings, tables and numbers are written here. It holds no value of a setting.

use crate::parts::{about, collected, form, more, name, permissions, questions, requests, section};
use crate::words::shown;
use smp_host::contract::Descriptor;

/// The guide.
#[must_use]
pub fn markdown(descriptor: &Descriptor) -> String {
    let mut out = format!("# Connect {}\n", name(&descriptor.name));
    about(&mut out, descriptor);
    collected(&mut out, &descriptor.data_collected);
    permissions(&mut out, &descriptor.permissions_required);
    let (sections, hidden) = shown(&descriptor.setup_guide);
    sections.iter().for_each(|guide| section(&mut out, 2, guide));
    more(&mut out, hidden);
    form(&mut out, 2, &descriptor.settings);
    requests(&mut out, &descriptor.api);
    questions(&mut out, &descriptor.faq);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag};

    use super::*;
    use crate::testing::{descriptor, filled_with};
    use smp_host::testing::any_text;
    use smp_host::text::is_active;

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

| Field | What to enter | Needed |
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
        (bare.data_collected, bare.permissions_required, bare.setup_guide) =
            (Vec::new(), Vec::new(), Vec::new());
        (bare.settings, bare.faq, bare.api.endpoints) = (Vec::new(), Vec::new(), Vec::new());
        assert!(!markdown(&bare).contains("##"));
    }

    #[test]
    fn a_guide_without_end_is_cut() {
        let mut endless = descriptor();
        endless.setup_guide[0].steps = vec!["x".repeat(10_000); 500];
        let guide = markdown(&endless);
        assert!(
            guide.contains("\n\n… and 300 more.\n") && guide.len() < 200 * 4_100 + 4_000,
            "{}",
            guide.len()
        );
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
