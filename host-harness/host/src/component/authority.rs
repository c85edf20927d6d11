//! What a descriptor asks for beyond the allow list, as far as one value depends on another: choices
//! and defaults of settings, the place of the secret, origins, conditions and headers.

use std::collections::BTreeSet;

use smp_guard::check::{self, Checked, ensure};

use crate::contract::{Attachment, Condition, Descriptor, OtherHalf, SettingField, SettingValue};
use crate::http::base::{self, Base};

/// Longest value of a header, and longest text before a secret.
const LONGEST_VALUE: usize = 256;

/// Request headers that a connector cannot have: they carry the credential, belong to the
/// connection, the body or a proxy, change what a request means, or say where it comes from.
const NOT_SENT: [&str; 26] = [
    "authorization",
    "cookie",
    "host",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "range",
    "accept-encoding",
    "user-agent",
    "origin",
    "referer",
    "forwarded",
    "via",
    "date",
    "keep-alive",
    "x-real-ip",
    "x-original-url",
    "x-rewrite-url",
    "x-method-override",
    "cookie2",
    "http2-settings",
    "early-data",
    "max-forwards",
];

/// Beginnings of the names of such headers.
const NOT_SENT_BEGINNINGS: [&str; 6] =
    ["content-", "if-", "x-forwarded-", "x-http-method", "proxy-", "sec-"];

/// Headers of an answer that a connector cannot have: they are addressed to the client itself.
const NOT_SEEN: [&str; 5] =
    ["set-cookie", "set-cookie2", "www-authenticate", "location", "authentication-info"];

/// Checks choices and defaults, and how secrets are attached.
pub(super) fn settings(descriptor: &Descriptor) -> Checked {
    for field in &descriptor.settings {
        let is_secret = field.secret.is_some();
        ensure(!is_secret || (field.default.is_none() && field.choices.is_empty()), || {
            "a secret has a default or choices".into()
        })?;
        let mut values = BTreeSet::new();
        for choice in &field.choices {
            ensure(check::is_name(&choice.value) && !choice.label.trim().is_empty(), || {
                "a choice has no label, or a value that is not made of a-z, 0-9 and -".into()
            })?;
            ensure(values.insert(choice.value.as_str()), || "a choice is offered twice".into())?;
        }
        ensure(field.default.as_ref().is_none_or(|default| may_be(field, default)), || {
            "a default is not among the choices of its setting".into()
        })?;
        match field.secret.as_ref().map(|secret| &secret.attachment) {
            None | Some(Attachment::Bearer) => {}
            Some(Attachment::Header(header)) => {
                let is_allowed = header.name == "authorization" || may_be_sent(&header.name);
                ensure(is_allowed && is_value(&header.prefix), || {
                    "a secret is attached as a header that the host does not send".into()
                })?;
            }
            Some(Attachment::Basic(basic)) => match &basic.other {
                OtherHalf::Fixed(text) => ensure(is_value(text) && !text.contains(':'), || {
                    "the other half of a basic credential has a colon or another character that \
                     it cannot have"
                        .into()
                })?,
                OtherHalf::Setting(key) => ensure(plain(descriptor, key).is_some(), || {
                    "the other half of a basic credential is a setting that does not exist or is \
                     a secret"
                        .into()
                })?,
            },
        }
    }
    Ok(())
}

/// Checks the origins, and the settings that they depend on.
pub(super) fn bases(descriptor: &Descriptor) -> Checked {
    for text in base::bases(&descriptor.api) {
        match Base::parse(text) {
            Err(error) => ensure(false, || format!("its API base is {error}"))?,
            Ok(Base::Fixed(_)) => {}
            Ok(Base::Below { setting, .. }) => {
                ensure(plain(descriptor, setting).is_some(), || {
                    "its API base names a setting that does not exist or is a secret".into()
                })?
            }
        }
    }
    let Some(origins) = &descriptor.api.origins else { return Ok(()) };
    let field = plain(descriptor, &origins.setting).filter(|field| !field.choices.is_empty());
    ensure(field.is_some(), || "its origins depend on a setting that has no choices".into())?;
    let mut values = BTreeSet::new();
    for (value, _) in &origins.choices {
        let is_there = field.is_some_and(|field| may_be(field, value));
        ensure(is_there && values.insert(value), || {
            "an origin is for a choice that does not exist, or is there twice".into()
        })?;
    }
    Ok(())
}

/// Checks the conditions and the headers of the endpoints.
pub(super) fn headers(descriptor: &Descriptor) -> Checked {
    let secret_headers: BTreeSet<&str> = descriptor
        .settings
        .iter()
        .filter_map(|field| match &field.secret.as_ref()?.attachment {
            Attachment::Header(header) => Some(header.name.as_str()),
            Attachment::Bearer | Attachment::Basic(_) => None,
        })
        .collect();
    for endpoint in &descriptor.api.endpoints {
        for when in &endpoint.when {
            let Condition::Setting(SettingValue { setting, value }) = when else { continue };
            let field = plain(descriptor, setting);
            ensure(field.is_some_and(|field| may_be(field, value)), || {
                "an endpoint depends on a value that no setting can have".into()
            })?;
        }
        let mut names = BTreeSet::new();
        for (name, value) in &endpoint.request_headers {
            let is_free = !secret_headers.contains(name.as_str()) && names.insert(name);
            ensure(is_free && may_be_sent(name) && is_value(value), || {
                "an endpoint is to be asked with a header that a connector cannot have".into()
            })?;
        }
        let is_seen = |name: &String| {
            is_header(name)
                && !NOT_SEEN.contains(&name.as_str())
                && !name.starts_with("proxy-")
                && !secret_headers.contains(name.as_str())
        };
        ensure(endpoint.response_headers.iter().all(is_seen), || {
            "an endpoint needs a header of the answer that a connector cannot have".into()
        })?;
    }
    Ok(())
}

/// A setting that is not a secret.
fn plain<'d>(descriptor: &'d Descriptor, key: &str) -> Option<&'d SettingField> {
    descriptor.settings.iter().find(|field| field.key == key && field.secret.is_none())
}

/// Whether a setting can have this value.
fn may_be(field: &SettingField, value: &str) -> bool {
    field.choices.is_empty() || field.choices.iter().any(|choice| choice.value == value)
}

fn may_be_sent(name: &str) -> bool {
    is_header(name)
        && !NOT_SENT.contains(&name)
        && !NOT_SENT_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

fn is_header(name: &str) -> bool {
    check::is_name(name)
}

fn is_value(value: &str) -> bool {
    value.len() <= LONGEST_VALUE && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{BasicHalf, BasicUse, Choice, HeaderUse, HttpMethod, Origins};
    use crate::testing;

    fn judged(change: impl FnOnce(&mut Descriptor)) -> Result<(), String> {
        let mut descriptor =
            testing::descriptor(&[(HttpMethod::Get, "/v1/{organization-id}", true)]);
        let choice = |value: &str| Choice { value: value.into(), label: value.to_uppercase() };
        let people = SettingField {
            key: "people".into(),
            default: Some("some".into()),
            choices: vec![choice("some"), choice("all")],
            required: false,
            ..descriptor.settings[0].clone()
        };
        descriptor.settings.push(people);
        change(&mut descriptor);
        settings(&descriptor)
            .and_then(|()| bases(&descriptor))
            .and_then(|()| headers(&descriptor))
            .map_err(|error| error.to_string())
    }

    fn attached(attachment: Attachment) -> Result<(), String> {
        judged(|d| {
            if let Some(secret) = &mut d.settings[1].secret {
                secret.attachment = attachment;
            }
        })
    }

    fn header(name: &str, prefix: &str) -> Attachment {
        Attachment::Header(HeaderUse { name: name.into(), prefix: prefix.into() })
    }

    fn basic(other: OtherHalf) -> Attachment {
        Attachment::Basic(BasicUse { secret: BasicHalf::Password, other })
    }

    #[test]
    fn what_the_contract_allows_is_taken() {
        judged(|_| {}).unwrap();
        for attachment in [
            header("x-api-key", ""),
            header("authorization", "SSWS "),
            basic(OtherHalf::Fixed(String::new())),
            basic(OtherHalf::Setting("organization-id".into())),
        ] {
            attached(attachment).unwrap();
        }
        judged(|d| {
            d.api.base = "https://{organization-id}.vendor.example".into();
            let government = ("all".to_owned(), "https://government.example.test".to_owned());
            d.api.origins = Some(Origins { setting: "people".into(), choices: vec![government] });
            let endpoint = &mut d.api.endpoints[0];
            let value = SettingValue { setting: "people".into(), value: "all".into() };
            endpoint.when = vec![Condition::Setting(value), Condition::Usage];
            endpoint.request_headers = vec![
                ("accept".into(), "application/vnd.example+json".into()),
                ("x-api-version".into(), "2026-01-01".into()),
            ];
            endpoint.response_headers = vec!["link".into(), "date".into()];
        })
        .unwrap();
    }

    #[test]
    fn what_depends_on_nothing_is_refused() {
        type Change = fn(&mut Descriptor);
        let rows: [(Change, &str); 12] = [
            (|d| d.settings[1].default = Some("x".into()), "a secret has a default"),
            (|d| d.settings[2].choices[0].label.clear(), "a choice has no label"),
            (|d| d.settings[2].choices[0].value = "A B".into(), "a choice has no label"),
            (|d| d.settings[2].choices[0].value = "all".into(), "a choice is offered twice"),
            (|d| d.settings[2].default = Some("none".into()), "a default is not among"),
            (|d| d.api.base = "http://127.0.0.1:1".into(), "its API base is not https"),
            (|d| d.api.base = "https://{api-key}.vendor.example".into(), "its API base names"),
            (|d| d.api.base = "https://{x}.vendor.example".into(), "its API base names"),
            (
                |d| d.api.origins = Some(Origins { setting: "api-key".into(), choices: vec![] }),
                "its origins depend on",
            ),
            (
                |d| {
                    let one = ("none".to_owned(), "https://x.example.test".to_owned());
                    d.api.origins = Some(Origins { setting: "people".into(), choices: vec![one] });
                },
                "an origin is for a choice",
            ),
            (
                |d| {
                    let one = ("all".to_owned(), "http://127.0.0.1:1".to_owned());
                    d.api.origins = Some(Origins { setting: "people".into(), choices: vec![one] });
                },
                "its API base is not https",
            ),
            (
                |d| {
                    let value = SettingValue { setting: "people".into(), value: "none".into() };
                    d.api.endpoints[0].when = vec![Condition::Setting(value)];
                },
                "an endpoint depends on a value",
            ),
        ];
        for (change, words) in rows {
            let said = judged(change).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn no_header_takes_the_place_of_the_hosts_own() {
        for name in NOT_SENT.into_iter().chain([
            "content-type",
            "content-length",
            "if-none-match",
            "x-forwarded-for",
            "x-http-method-override",
            "proxy-authorization",
            "sec-fetch-mode",
            "Accept",
            "x y",
            "",
            "x-ü",
        ]) {
            let said = judged(|d| {
                d.api.endpoints[0].request_headers = vec![(name.into(), "1".into())];
            });
            assert!(said.is_err(), "{name}");
            assert_eq!(attached(header(name, "")).is_ok(), name == "authorization", "{name}");
        }
        for value in ["a\r\nx: y", "ü", "\0", &"x".repeat(257)] {
            let said = judged(|d| {
                d.api.endpoints[0].request_headers = vec![("accept".into(), value.into())];
            });
            assert!(said.is_err(), "{value:?}");
            assert!(attached(header("x-api-key", value)).is_err(), "{value:?}");
        }
        let twice = vec![("accept".to_owned(), "a".to_owned()); 2];
        assert!(judged(|d| d.api.endpoints[0].request_headers = twice).is_err());
        let as_secret = judged(|d| {
            if let Some(secret) = &mut d.settings[1].secret {
                secret.attachment = header("x-api-key", "");
            }
            d.api.endpoints[0].request_headers = vec![("x-api-key".into(), "1".into())];
        });
        assert!(as_secret.is_err());
        for name in NOT_SEEN.into_iter().chain(["proxy-authenticate", "Link", ""]) {
            let said = judged(|d| d.api.endpoints[0].response_headers = vec![name.into()]);
            assert!(said.is_err(), "{name}");
        }
    }

    #[test]
    fn the_other_half_is_no_secret_and_has_no_colon() {
        for other in [
            OtherHalf::Fixed("a:b".into()),
            OtherHalf::Fixed("a\n".into()),
            OtherHalf::Setting("api-key".into()),
            OtherHalf::Setting("x".into()),
        ] {
            assert!(attached(basic(other)).is_err());
        }
    }
}
