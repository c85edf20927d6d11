//! The origin that a descriptor asks for, and its endpoints, as they are with the settings of a
//! run.
//!
//! A base such as `https://{site}.vendor.example` stands for one origin for each value of the
//! setting, which is one DNS label: nothing else can be reached through it. A setting with choices
//! may select another base. An endpoint may be needed only where a setting has a certain value, or
//! only for usage.

use super::origin::{Origin, OriginError};
use crate::contract::{Api, Condition, Descriptor, Endpoint, Setting, SettingValue};
use crate::failure::{Code, Failure};
use crate::remedy::Remedy;

/// The beginning of every base.
const SCHEME: &str = "https://";

/// Longest DNS label.
const LONGEST_LABEL: usize = 63;

/// What a run is for. Endpoints that only usage needs are not available to any other run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Members, and the calls before them.
    #[default]
    Members,
    /// Usage.
    Usage,
}

/// Why a base cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseError {
    /// It is no origin.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// It is not `https`.
    #[error("not https")]
    Plain,
    /// A placeholder is not its whole first label, or it has more than one.
    #[error("not an origin with one `{{setting}}` as its whole first label")]
    Placeholder,
    /// Anyone can register a name below what follows the placeholder.
    #[error("a placeholder below a name that anybody can register")]
    PublicSuffix,
}

/// A base, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base<'b> {
    /// An origin.
    Fixed(Origin),
    /// An origin for each value of a setting.
    Below {
        /// Key of the setting.
        setting: &'b str,
        /// What follows the first label, with its dot.
        domain: &'b str,
    },
}

impl<'b> Base<'b> {
    /// Reads a base as a descriptor states it.
    ///
    /// # Errors
    /// If no key must be sent there.
    pub fn parse(text: &'b str) -> Result<Self, BaseError> {
        if !text.contains(['{', '}']) {
            let origin = Origin::parse(text)?;
            return if origin.is_plain() { Err(BaseError::Plain) } else { Ok(Self::Fixed(origin)) };
        }
        let (setting, domain) = text
            .strip_prefix(SCHEME)
            .and_then(|rest| rest.split_once('.'))
            .and_then(|(label, domain)| Some((placeholder(label)?, domain)))
            .ok_or(BaseError::Placeholder)?;
        if domain.contains(['{', '}']) {
            return Err(BaseError::Placeholder);
        }
        // Read with a label in place: whatever else is wrong with it is found there.
        let example = Origin::parse(&format!("{SCHEME}x.{domain}"))?;
        let is_name = example.host().is_some_and(|host| host.split('.').count() >= 3);
        if !is_name || is_public_suffix(domain) {
            return Err(BaseError::PublicSuffix);
        }
        Ok(Self::Below { setting, domain })
    }

    /// The origin with these settings.
    ///
    /// # Errors
    /// `invalid-settings` if the setting has no value, or one that is no DNS label.
    pub fn bound(&self, settings: &[Setting]) -> Result<Origin, Failure> {
        let (setting, domain) = match self {
            Self::Fixed(origin) => return Ok(origin.clone()),
            Self::Below { setting, domain } => (*setting, *domain),
        };
        let refused = |what: &str| {
            Failure::new(Code::InvalidSettings, format!("the setting `{setting}` {what}"))
                .with_setting(setting)
        };
        let value = value_of(settings, setting).ok_or_else(|| {
            refused("is missing, and the address of the service depends on it")
                .with_remedy(Remedy::GiveSetting { setting: setting.to_owned(), secret: false })
                .with_hint(format!("Enter what stands before `.{domain}` in its address."))
        })?;
        let origin = format!("{SCHEME}{value}.{domain}");
        let origin =
            Some(origin).filter(|_| is_label(value)).and_then(|text| Origin::parse(&text).ok());
        origin.ok_or_else(|| {
            refused("cannot be part of the address of the service").with_hint(format!(
                "Enter only what stands before `.{domain}` in its address: small letters, digits \
                 and hyphens."
            ))
        })
    }
}

/// The name of the setting in a template's segment, if it has one.
pub fn placeholder(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// All bases that a descriptor asks for, the first one first.
pub fn bases(api: &Api) -> impl Iterator<Item = &str> {
    let others = api.origins.iter().flat_map(|origins| &origins.choices);
    std::iter::once(api.base.as_str()).chain(others.map(|(_, base)| base.as_str()))
}

/// The base that counts with these settings, as the descriptor states it.
#[must_use]
pub fn chosen<'a>(api: &'a Api, settings: &[Setting]) -> &'a str {
    let choice = api.origins.as_ref().and_then(|origins| {
        let value = value_of(settings, &origins.setting)?;
        origins.choices.iter().find(|(choice, _)| choice == value)
    });
    choice.map_or(&api.base, |(_, base)| base)
}

/// The origin that a run with these settings asks for.
///
/// # Errors
/// `invalid-settings` if a setting that is part of it is missing or malformed; `contract` if the
/// descriptor asks for no origin.
pub fn origin(api: &Api, settings: &[Setting]) -> Result<Origin, Failure> {
    let base = Base::parse(chosen(api, settings)).map_err(|error| {
        Failure::new(Code::Contract, format!("the connector's API base is {error}"))
    })?;
    base.bound(settings)
}

/// Whether a run with these settings needs an endpoint.
#[must_use]
pub fn is_needed(endpoint: &Endpoint, settings: &[Setting], purpose: Purpose) -> bool {
    let holds = |condition: &Condition| match condition {
        Condition::Setting(SettingValue { setting, value }) => {
            value_of(settings, setting).unwrap_or_default() == value
        }
        Condition::Usage => purpose == Purpose::Usage,
    };
    endpoint.when.is_empty() || endpoint.when.iter().any(holds)
}

/// The endpoints that a run with these settings needs.
pub fn needed<'d>(
    descriptor: &'d Descriptor,
    settings: &[Setting],
    purpose: Purpose,
) -> impl Iterator<Item = &'d Endpoint> {
    descriptor.api.endpoints.iter().filter(move |endpoint| is_needed(endpoint, settings, purpose))
}

fn value_of<'s>(settings: &'s [Setting], key: &str) -> Option<&'s str> {
    let setting = settings.iter().find(|setting| setting.key == key)?;
    Some(setting.value.as_str()).filter(|value| !value.is_empty())
}

/// Whether a text is one DNS label in its canonical form.
fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= LONGEST_LABEL
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(inner)
}

/// Whether strangers can have names directly below this one: `co.uk`, `github.io`.
#[cfg(feature = "live")]
fn is_public_suffix(domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    psl::suffix_str(&domain).is_none_or(|suffix| suffix == domain)
}

/// Without the live API no request leaves the machine through this crate.
#[cfg(not(feature = "live"))]
fn is_public_suffix(_: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Origins;
    use crate::testing;

    fn settings(value: &str) -> [Setting; 1] {
        [Setting { key: "site".into(), value: value.into() }]
    }

    #[test]
    fn a_base_is_an_origin_or_one_label_below_a_domain() {
        for base in ["https://api.vendor.test", "https://api.vendor.test:8443"] {
            assert!(matches!(Base::parse(base), Ok(Base::Fixed(_))), "{base}");
        }
        let below = Base::Below { setting: "site", domain: "vendor.example" };
        assert_eq!(Base::parse("https://{site}.vendor.example"), Ok(below));
        for base in [
            "http://127.0.0.1:1",
            "https://api.vendor.test/v1",
            "http://{site}.vendor.example",
            "https://{site}",
            "https://{site}.example",
            "https://{site}x.vendor.example",
            "https://x{site}.vendor.example",
            "https://{site}.{site}.example",
            "https://api.{site}.example",
            "https://{site}.vendor.example/v1",
            "https://{site}.vendor.example/{site}",
            "https://{site}@evil.vendor.example",
            "https://{site}.127.0.0.1",
            "https://user@{site}.vendor.example",
            "https://{}.vendor.example@evil.test",
        ] {
            assert!(Base::parse(base).is_err(), "{base}");
        }
    }

    #[cfg(feature = "live")]
    #[test]
    fn no_one_else_can_register_a_name_beside_the_services_own() {
        for base in [
            "https://{site}.co.uk",
            "https://{site}.github.io",
            "https://{site}.CO.UK",
            "https://{site}.co.uk.",
            "https://{site}.atlassian.net",
        ] {
            let is_own = base.contains("atlassian");
            assert_eq!(Base::parse(base).is_ok(), is_own, "{base}");
        }
    }

    #[test]
    fn only_one_label_can_be_bound() {
        let base = Base::parse("https://{site}.vendor.example").unwrap();
        for value in ["acme", "a", "a-1", "0", &"x".repeat(63)] {
            let origin = base.bound(&settings(value)).unwrap();
            assert_eq!(origin.to_string(), format!("https://{value}.vendor.example"));
        }
        for value in [
            "",
            "Acme",
            "a.b",
            "-a",
            "a-",
            "a_b",
            "evil.test/",
            "evil.test#",
            "evil.test?",
            "a@evil",
            "user:pass@evil",
            "evil.test\\",
            "%61",
            "ä",
            "a b",
            "a\n",
            "{site}",
            &"x".repeat(64),
        ] {
            let failure = base.bound(&settings(value)).unwrap_err();
            assert_eq!(failure.code, Code::InvalidSettings, "{value}");
            assert_eq!(failure.setting.as_deref(), Some("site"));
            assert!(failure.hint.is_some_and(|hint| hint.contains("vendor.example")));
            assert!(value.is_empty() || !failure.message.contains(value) || value == "a-");
        }
    }

    #[test]
    fn a_choice_selects_its_origin_and_another_one_the_base() {
        let mut api = testing::descriptor(&[]).api;
        let government = "https://api.government.test".to_owned();
        api.origins = Some(Origins {
            setting: "site".into(),
            choices: vec![("government".into(), government.clone())],
        });
        assert_eq!(chosen(&api, &settings("government")), government);
        assert_eq!(chosen(&api, &settings("commercial")), api.base);
        assert_eq!(chosen(&api, &[]), api.base);
        assert_eq!(bases(&api).collect::<Vec<_>>(), [&api.base, &government]);
        assert_eq!(origin(&api, &settings("government")).unwrap().to_string(), government);
    }

    #[test]
    fn an_endpoint_is_needed_where_its_setting_has_the_value() {
        let mut descriptor = testing::descriptor(&[
            (crate::contract::HttpMethod::Get, "/a", true),
            (crate::contract::HttpMethod::Post, "/b", true),
            (crate::contract::HttpMethod::Post, "/c", true),
        ]);
        let value = SettingValue { setting: "site".into(), value: "all".into() };
        descriptor.api.endpoints[1].when = vec![Condition::Setting(value), Condition::Usage];
        descriptor.api.endpoints[2].when = vec![Condition::Usage];
        let paths = |settings: &[Setting], purpose| -> Vec<String> {
            needed(&descriptor, settings, purpose).map(|endpoint| endpoint.path.clone()).collect()
        };
        assert_eq!(paths(&settings("all"), Purpose::Members), ["/a", "/b"]);
        assert_eq!(paths(&settings("some"), Purpose::Members), ["/a"]);
        assert_eq!(paths(&[], Purpose::Members), ["/a"]);
        assert_eq!(paths(&settings("some"), Purpose::Usage), ["/a", "/b", "/c"]);
    }
}
