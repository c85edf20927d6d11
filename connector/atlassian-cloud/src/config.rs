//! The settings, checked once: what is a [`Config`] can be put into a path as it stands.
//!
//! A value that was entered is never echoed, since it may be a key in the wrong field; the one
//! exception is an organization id of the usual shape, found inside a pasted address.

use smp_connector_kit::{Advice, Failure, FailureKind, Setting, setting};

/// The key of the setting that holds the organization id.
pub const ORGANIZATION_ID: &str = "organization-id";

/// The key of the secret setting, whose value the host keeps to itself.
pub const API_KEY: &str = "api-key";

/// The key of the setting that says who is listed.
pub const PEOPLE: &str = "people";

/// The key of the setting that says which of Atlassian's clouds has the organization.
pub const CLOUD: &str = "cloud";

/// The key of the setting that says what the API key is called at Atlassian.
pub const KEY_NAME: &str = "key-name";

/// The choice of the managed accounts, which counts where nothing was chosen.
pub const MANAGED: &str = "managed";

/// The choice of everyone.
pub const EVERYONE: &str = "everyone";

/// The choice of the cloud that most organizations are in; the origin of the API depends on it, and
/// the host knows that.
pub const COMMERCIAL: &str = "commercial";

/// The choice of the cloud for governments.
pub const GOVERNMENT: &str = "government";

/// Longest organization id: three times and more the 36 characters that Atlassian gives out.
const LONGEST_ID: usize = 128;

/// How the vendor's keys begin: of an organization, and of a user.
const KEY_PREFIXES: [&str; 2] = ["ATCTT", "ATATT"];

/// How an ARI begins, Atlassian's name for a resource: `ari:cloud:platform::org/` and the id
/// (<https://developer.atlassian.com/platform/atlassian-resource-identifier/>).
const ARI: &str = "ari:";
/// How the resource of an ARI ends that is an organization's.
const ORG: &str = ":org";

/// Lengths of the groups of a usual organization id. The characters are not only hexadecimal ones.
const USUAL_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

const WHERE_TO_FIND: &str = "You find the Organization ID beside the key when you create an API \
                             key at admin.atlassian.com, and in the address of every page of your \
                             organization there, between /o/ and the next slash.";

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    organization: OrganizationId,
    people: People,
    key_name: Option<String>,
}

/// Who is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum People {
    /// The accounts that the organization manages.
    Managed,
    /// Everyone who is in a directory of the organization, wherever the account belongs.
    Everyone,
}

/// The id of an organization: 1 to 128 letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationId(String);

impl Config {
    /// Checks the settings. Other settings than those of the form are none of its business.
    ///
    /// # Errors
    ///
    /// `invalid-settings`, naming the setting, when the organization id cannot be one, or a choice
    /// is none of those that there are.
    pub fn read(settings: &[Setting]) -> Result<Self, Failure> {
        let entered = setting(settings, ORGANIZATION_ID);
        if let Some(failure) = refusal(entered) {
            return Err(failure);
        }
        let people = match chosen(settings, PEOPLE, [MANAGED, EVERYONE])? {
            0 => People::Managed,
            _ => People::Everyone,
        };
        chosen(settings, CLOUD, [COMMERCIAL, GOVERNMENT])?;
        let key_name = setting(settings, KEY_NAME);
        Ok(Self {
            organization: OrganizationId(entered.to_owned()),
            people,
            key_name: (!key_name.is_empty()).then(|| key_name.to_owned()),
        })
    }

    /// Who is listed.
    pub fn people(&self) -> People {
        self.people
    }

    /// What the API key is called at Atlassian, if that was entered.
    pub fn key_name(&self) -> Option<&str> {
        self.key_name.as_deref()
    }

    /// The organization to read.
    pub fn organization(&self) -> &OrganizationId {
        &self.organization
    }

    /// What is odd about the settings, though it may be right.
    pub fn doubt(&self) -> Option<Advice> {
        (!is_usual(self.organization.as_str())).then(|| Advice {
            message: "The Organization ID is not of the usual shape: five groups of letters and \
                      digits, joined by hyphens."
                .to_owned(),
            hint: format!("If the next checks fail, enter it again, all of it. {WHERE_TO_FIND}"),
            setting: Some(ORGANIZATION_ID.to_owned()),
        })
    }
}

impl OrganizationId {
    /// The id as text, fit to be a path segment.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The place of the chosen value among the choices; the first counts where none was chosen.
fn chosen(settings: &[Setting], key: &str, choices: [&str; 2]) -> Result<usize, Failure> {
    let entered = setting(settings, key);
    let place = choices.iter().position(|choice| entered.is_empty() || *choice == entered);
    place.ok_or_else(|| {
        let [one, other] = choices;
        let message = format!("The setting {key} has a value that cannot be chosen.");
        let hint = format!("Choose {one} or {other}.");
        Failure::new(FailureKind::InvalidSettings, message, hint).at(key)
    })
}

fn refusal(entered: &str) -> Option<Failure> {
    let (message, hint) = if entered.is_empty() {
        ("The Organization ID is missing.", WHERE_TO_FIND.to_owned())
    } else if is_key(entered) {
        (
            "The Organization ID field holds an API key.",
            format!(
                "Enter the key in the Api Key field, and the id of the organization here. \
                 {WHERE_TO_FIND}"
            ),
        )
    } else if entered.starts_with(ARI) {
        let hint = id_in_ari(entered).map_or_else(
            || {
                let what = match entered.rsplit_once('/') {
                    Some((resource, _)) if resource.ends_with(ORG) => "Enter the id alone.",
                    _ => "It names another thing than an organization, such as a site.",
                };
                format!("{what} {WHERE_TO_FIND}")
            },
            |id| format!("Enter only this part of it: {id}"),
        );
        ("The Organization ID field holds an ARI, Atlassian's name for a resource.", hint)
    } else if entered.contains('/') {
        let hint = id_in_address(entered).map_or_else(
            || format!("Enter the id alone. {WHERE_TO_FIND}"),
            |id| format!("Enter only this part of the address: {id}"),
        );
        ("The Organization ID field holds an address or a path, not the id alone.", hint)
    } else if entered.len() > LONGEST_ID {
        (
            "The Organization ID is too long to be one.",
            format!("Enter the id and nothing else. {WHERE_TO_FIND}"),
        )
    } else if !entered.bytes().all(is_id_byte) {
        (
            "The Organization ID holds other characters than letters, digits and hyphens.",
            format!(
                "It is not the name of the organization, nor a site such as \
                 your-company.atlassian.net. {WHERE_TO_FIND}"
            ),
        )
    } else {
        return None;
    };
    Some(Failure::new(FailureKind::InvalidSettings, message, hint).at(ORGANIZATION_ID))
}

fn is_key(entered: &str) -> bool {
    let is_key_word = |word: &str| KEY_PREFIXES.iter().any(|prefix| word.starts_with(prefix));
    entered
        .split(|c: char| c.is_whitespace() || matches!(c, ':' | '=' | '"' | '\''))
        .any(is_key_word)
}

/// The organization id in an ARI, if it is one of an organization and of the usual shape.
fn id_in_ari(ari: &str) -> Option<&str> {
    let (resource, id) = ari.rsplit_once('/')?;
    (resource.ends_with(ORG) && is_usual(id)).then_some(id)
}

/// The organization id in an address of the administration pages, if it is of the usual shape.
fn id_in_address(address: &str) -> Option<&str> {
    let mut segments = address.split(['/', '?', '#']);
    segments.find(|segment| matches!(*segment, "o" | "orgs"))?;
    let id = segments.next()?;
    is_usual(id).then_some(id)
}

fn is_usual(id: &str) -> bool {
    id.bytes().all(is_id_byte) && id.split('-').map(str::len).eq(USUAL_GROUPS)
}

fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const USUAL: &str = "2b4c6d8e-1a2b-3c4d-5e6f-zk9m8n7p6q5r";

    #[test]
    fn a_usual_id_is_taken_without_the_spaces_around_it() {
        let config = Config::read(&entered(&format!(" \t{USUAL}\n"))).unwrap();
        assert_eq!(config.organization().as_str(), USUAL);
        assert_eq!(config.doubt(), None);
    }

    #[test]
    fn an_unusual_id_is_taken_and_doubted() {
        for id in ["a", "my-org", "1234567890", &"x".repeat(128)] {
            let config = Config::read(&entered(id)).unwrap();
            assert_eq!(config.organization().as_str(), id);
            assert_eq!(config.doubt().unwrap().setting.as_deref(), Some(ORGANIZATION_ID));
        }
    }

    #[test]
    fn what_cannot_be_an_id_is_refused_with_its_own_message() {
        let address = format!("https://admin.atlassian.com/o/{USUAL}/users");
        let long = "x".repeat(129);
        let rows = [
            ("", "is missing"),
            (" \t\n", "is missing"),
            ("my org", "other characters"),
            ("acme.atlassian.net", "other characters"),
            ("jane@acme.test", "other characters"),
            ("../users", "an address or a path"),
            ("abc/def", "an address or a path"),
            ("https://acme.atlassian.net", "an address or a path"),
            (address.as_str(), "an address or a path"),
            (long.as_str(), "too long"),
            ("ATCTT3xFfGN0abc", "holds an API key"),
            ("ATATT3xFfGN0a_b=c", "holds an API key"),
            ("Bearer ATCTT3xFfGN0a/b", "holds an API key"),
            ("api_key=ATCTT3xFfGN0", "holds an API key"),
        ];
        for (value, message) in rows {
            let failure = Config::read(&entered(value)).unwrap_err();
            assert_eq!(failure.kind, FailureKind::InvalidSettings, "{value}");
            assert!(failure.message.contains(message), "{value}: {}", failure.message);
            assert_eq!(failure.setting.as_deref(), Some(ORGANIZATION_ID));
            assert!(!failure.hint.is_empty());
        }
    }

    #[test]
    fn a_setting_that_is_not_there_is_missing() {
        let other = [Setting { key: "api-key".to_owned(), value: USUAL.to_owned() }];
        for settings in [&[][..], &other] {
            let failure = Config::read(settings).unwrap_err();
            assert_eq!(failure.message, "The Organization ID is missing.");
        }
    }

    #[test]
    fn a_choice_is_one_of_those_that_there_are() {
        let config = |key: &str, value: &str| {
            let mut settings = entered(USUAL);
            settings.push(Setting { key: key.to_owned(), value: value.to_owned() });
            Config::read(&settings)
        };
        let rows = [
            (PEOPLE, "", Some(People::Managed)),
            (PEOPLE, "managed", Some(People::Managed)),
            (PEOPLE, " everyone ", Some(People::Everyone)),
            (PEOPLE, "Everyone", None),
            (PEOPLE, "all", None),
            (CLOUD, "commercial", Some(People::Managed)),
            (CLOUD, "government", Some(People::Managed)),
            (CLOUD, "isolated", None),
        ];
        for (key, value, people) in rows {
            let came = config(key, value);
            assert_eq!(came.as_ref().ok().map(Config::people), people, "{key} {value}");
            let Err(failure) = came else { continue };
            assert_eq!(failure.kind, FailureKind::InvalidSettings);
            assert_eq!(failure.setting.as_deref(), Some(key));
            assert!(!failure.message.contains(value), "{}", failure.message);
        }
        let named = config(KEY_NAME, " SMP integration\n").unwrap();
        assert_eq!(named.key_name(), Some("SMP integration"));
        assert_eq!(config(KEY_NAME, " ").unwrap().key_name(), None);
    }

    #[test]
    fn the_id_in_a_pasted_address_is_pointed_out() {
        for address in [
            format!("https://admin.atlassian.com/o/{USUAL}/users?x=1"),
            format!("admin.atlassian.com/o/{USUAL}"),
            format!("https://api.atlassian.com/admin/v1/orgs/{USUAL}#top"),
        ] {
            let failure = Config::read(&entered(&address)).unwrap_err();
            assert_eq!(failure.hint, format!("Enter only this part of the address: {USUAL}"));
        }
    }

    #[test]
    fn the_id_in_a_pasted_ari_is_pointed_out_where_it_is_an_organizations() {
        let rows = [
            (format!("ari:cloud:platform::org/{USUAL}"), format!("this part of it: {USUAL}")),
            (format!("ari:cloud:platform::site/{USUAL}"), "such as a site".to_owned()),
            (format!("ari:cloud:jira:{USUAL}:issue/1"), "such as a site".to_owned()),
            ("ari:cloud:platform::org/<script>".to_owned(), "Enter the id alone. WHERE".to_owned()),
            ("ari:cloud:identity::org/7c2k".to_owned(), "Enter the id alone. WHERE".to_owned()),
        ];
        for (ari, hint) in rows {
            let failure = Config::read(&entered(&ari)).unwrap_err();
            assert!(failure.message.contains("holds an ARI"), "{ari}: {}", failure.message);
            let hint = hint.replace("WHERE", "You find the Organization ID");
            assert!(failure.hint.contains(&hint), "{ari}: {}", failure.hint);
        }
    }

    #[test]
    fn an_address_with_anything_else_in_place_of_the_id_is_not_echoed() {
        for address in ["https://admin.atlassian.com/o/secret-thing", "https://a.test/o/<script>/"]
        {
            let failure = Config::read(&entered(address)).unwrap_err();
            assert!(failure.hint.starts_with("Enter the id alone."), "{}", failure.hint);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_a_path_segment(value in any::<String>()) {
            if let Ok(config) = Config::read(&entered(&value)) {
                let id = config.organization().as_str();
                prop_assert!((1..=128).contains(&id.len()));
                prop_assert!(id.bytes().all(is_id_byte));
                prop_assert_eq!(id, value.trim());
            }
        }

        #[test]
        fn every_id_of_the_allowed_characters_is_accepted(id in "[a-z0-9-]{1,128}") {
            prop_assert!(Config::read(&entered(&id)).is_ok());
        }

        #[test]
        fn a_key_is_never_echoed(key in "AT(CT|AT)T[A-Za-z0-9_=-]{20,200}") {
            let failure = Config::read(&entered(&key)).unwrap_err();
            prop_assert!(!failure.message.contains(&key) && !failure.hint.contains(&key));
        }
    }

    fn entered(value: &str) -> Vec<Setting> {
        vec![Setting { key: ORGANIZATION_ID.to_owned(), value: value.to_owned() }]
    }
}
