//! The sections that say what a connector is: what it may and may not do, what it collects, what it
//! asks, how it is set up. From the descriptor alone.

use maud::{Markup, html};
use smp_host::contract::{Api, DataSet, Descriptor, Endpoint, Question, SettingField};
use smp_host::http::base::bases;

use super::icon::Icon;
use super::parts::{more, state, table};
use super::text::{block, code, line, name, said};
use crate::words::{method, needed, pace, shown};

/// The head of the page: picture, name and version, summary, and facts in a word each.
pub fn head(descriptor: &Descriptor, icon: Option<&Icon>, tags: &[Markup]) -> Markup {
    html! {
        div .head {
            (tile(&descriptor.name, icon))
            div {
                h1 { (name(&descriptor.name)) " " (name(&descriptor.version)) }
                p .lead { (said(&descriptor.summary)) }
                ul .tags { @for tag in tags { li { (tag) } } }
            }
        }
    }
}

/// The picture, or the first letter of the name.
fn tile(title: &str, icon: Option<&Icon>) -> Markup {
    let letter = title.chars().find(|sign| sign.is_alphanumeric()).unwrap_or('?');
    html! {
        @match icon {
            Some(icon) => img .icon src=(icon.address()) alt="" width="64" height="64";,
            None => span .icon .tile aria-hidden="true" { (letter.to_uppercase()) }
        }
    }
}

/// What it may and may not do, which holds whatever it says of itself.
pub fn authority(descriptor: &Descriptor) -> Markup {
    let changing = descriptor.api.endpoints.iter().filter(|endpoint| !endpoint.read_only).count();
    html! {
        div .grid {
            section {
                h2 { "What it may do" }
                p {
                    "Send the requests below to "
                    @for (place, base) in bases(&descriptor.api).enumerate() {
                        @if place > 0 { " or " } (code(base))
                    }
                    ", at most " (pace(&descriptor.api.rate_limit)) ", and write log lines."
                }
                @if changing > 0 {
                    p { strong { (super::parts::number(changing)) " of them may change data." }
                        " The operator grants each by its name." }
                } @else if !descriptor.api.endpoints.is_empty() {
                    p { "All of them only read." }
                }
            }
            section {
                h2 { "What it may not do" }
                p {
                    "See the key: it is attached after the plugin has handed a request over. Open \
                     a file or a connection, read a clock or the environment, reach another host, \
                     follow a redirect, or send a request that is not listed. The host enforces \
                     this, whatever the plugin says."
                }
            }
        }
    }
}

/// The data that it collects.
pub fn collected(sets: &[DataSet]) -> Markup {
    let (sets, hidden) = shown(sets);
    html! {
        @for (place, set) in sets.iter().enumerate() {
            @let (fields, hidden) = shown(&set.fields);
            @let caption = format!("What is collected, {}: {}", place + 1, crate::name(&set.name));
            h3 { (name(&set.name)) }
            (table(
                &caption,
                ["Field", "What it holds"],
                fields.iter().map(|field| [name(&field.name), said(&field.description)]),
            ))
            (more(hidden))
        }
        (more(hidden))
    }
}

/// What the person who connects needs.
pub fn permissions(permissions: &[String]) -> Markup {
    let (permissions, hidden) = shown(permissions);
    html! {
        ul { @for permission in permissions { li { (line(permission)) } } }
        (more(hidden))
    }
}

/// The requests that it may send, each with its scope.
pub fn requests(api: &Api) -> Markup {
    let (endpoints, hidden) = shown(&api.endpoints);
    let titles = ["Request", "What for", "Scope"];
    html! {
        (table("Requests", titles, endpoints.iter().map(request)))
        (more(hidden))
    }
}

/// The same on a platform, whose operator approved some of them.
pub fn requests_approved(api: &Api, is_approved: impl Fn(&Endpoint) -> bool) -> Markup {
    let (endpoints, hidden) = shown(&api.endpoints);
    let titles = ["Request", "What for", "Scope", "Approved"];
    let row = |endpoint: &Endpoint| {
        let [what, purpose, scope] = request(endpoint);
        let approved =
            if is_approved(endpoint) { ("✔", "good", "Yes") } else { ("–", "still", "No") };
        [what, purpose, scope, state(approved.0, approved.1, approved.2)]
    };
    html! {
        (table("Requests", titles, endpoints.iter().map(row)))
        (more(hidden))
    }
}

fn request(endpoint: &Endpoint) -> [Markup; 3] {
    let when = needed(endpoint, |text| crate::name(text).into_owned());
    [
        code(&format!("{} {}", method(endpoint), endpoint.path)),
        html! {
            (said(&endpoint.purpose))
            @if !endpoint.read_only { strong { " May change data." } }
            @if let Some(when) = when { span .sub { "Only " (when) } }
        },
        html! { @match &endpoint.scope { Some(scope) => (code(scope)), None => "–" } },
    ]
}

/// The setup guide: its sections, and the form.
pub fn setup(descriptor: &Descriptor) -> Markup {
    let (sections, hidden) = shown(&descriptor.setup_guide);
    html! {
        @for section in sections {
            @let (steps, hidden) = shown(&section.steps);
            h3 { (name(&section.title)) }
            (block(&section.introduction))
            @if !steps.is_empty() { ol { @for step in steps { li { (block(step)) } } } }
            (more(hidden))
        }
        (more(hidden))
        (form(&descriptor.settings))
    }
}

fn form(settings: &[SettingField]) -> Markup {
    let (fields, hidden) = shown(settings);
    let row = |field: &SettingField| {
        let need = match (field.required, field.secret.is_some()) {
            (true, true) => "Required, secret",
            (true, false) => "Required",
            (false, true) => "Optional, secret",
            (false, false) => "Optional",
        };
        let default = field.default.as_ref().map(|default| {
            let choice = field.choices.iter().find(|choice| choice.value == *default);
            choice.map_or_else(|| code(default), |choice| name(&choice.label))
        });
        [
            name(&field.label),
            html! {
                (said(&field.help))
                @if !field.placeholder.is_empty() {
                    span .sub { "Looks like " (code(&field.placeholder)) "." }
                }
                @if !field.choices.is_empty() {
                    span .sub {
                        "One of: "
                        @for (place, choice) in field.choices.iter().take(50).enumerate() {
                            @if place > 0 { ", " } (name(&choice.label))
                        }
                        "."
                    }
                }
                @if let Some(default) = default { span .sub { "If left empty: " (default) "." } }
            },
            html! { (need) },
        ]
    };
    html! {
        @if !fields.is_empty() {
            h3 { "The form" }
            (table("The form", ["Field", "What to enter", "Needed"], fields.iter().map(row)))
            (more(hidden))
            @if fields.iter().any(|field| field.secret.is_some()) {
                p .fine {
                    "A secret stays with the platform: it is attached to requests on their way \
                     out, and the connector never sees it."
                }
            }
        }
    }
}

/// Questions and answers.
pub fn questions(questions: &[Question]) -> Markup {
    let (questions, hidden) = shown(questions);
    html! {
        @for question in questions {
            details { summary { (said(&question.question)) } (block(&question.answer)) }
        }
        (more(hidden))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{HOSTILE, assert_is_harmless, descriptor, filled_with};
    use smp_host::testing::any_text;

    fn all(descriptor: &Descriptor) -> String {
        html! {
            (head(descriptor, None, &[name(&descriptor.status)]))
            (authority(descriptor))
            (collected(&descriptor.data_collected))
            (permissions(&descriptor.permissions_required))
            (requests(&descriptor.api))
            (setup(descriptor))
            (questions(&descriptor.faq))
        }
        .into_string()
    }

    #[test]
    fn the_sections_say_what_it_may_do_and_what_it_needs() {
        let page = all(&descriptor());
        for expected in [
            "<span class=\"icon tile\" aria-hidden=\"true\">E</span>",
            "<h1><bdi>Example Cloud</bdi> <bdi>1.2.3</bdi></h1>",
            "Send the requests below to <code dir=\"auto\">https://api.example.test</code>, at \
             most 5 in a second, and write log lines.",
            "<strong>1 of them may change data.</strong>",
            "<code dir=\"auto\">GET /v1/orgs/{organization-id}/users</code>",
            "<code dir=\"auto\">read:users</code>",
            "<bdi>Says hello.</bdi><strong> May change data.</strong>",
            "<li><bdi>Be an <strong>admin</strong>.</bdi></li>",
            "<li dir=\"auto\">the id</li>",
            "Looks like <code dir=\"auto\">a1b2</code>.",
            "<td>Required, secret</td>",
            "<summary><bdi>Why?</bdi></summary><p dir=\"auto\">Because.</p>",
        ] {
            assert!(page.contains(expected), "{expected}\n{page}");
        }
    }

    #[test]
    fn a_request_that_was_not_approved_has_no_tick() {
        let descriptor = descriptor();
        let is_get = |endpoint: &Endpoint| method(endpoint) == "GET";
        let page = requests_approved(&descriptor.api, is_get).into_string();
        let gets = descriptor.api.endpoints.iter().filter(|endpoint| is_get(endpoint)).count();
        assert_eq!(page.matches("✔").count(), gets);
        assert_eq!(page.matches("> No</span>").count(), descriptor.api.endpoints.len() - gets);
        assert!(gets > 0 && page.contains("Approved"), "{page}");
    }

    #[test]
    fn no_hostile_text_becomes_markup() {
        for text in HOSTILE {
            assert_is_harmless(&all(&filled_with(text)));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_texts_are_the_structure_is_ours(text in any_text()) {
            let page = all(&filled_with(&text));
            assert_is_harmless(&page);
            prop_assert_eq!(page.matches("<h1>").count(), 1);
            prop_assert_eq!(page.matches("<tr>").count(), 3 + 2 + 2 + 2);
        }
    }
}
