//! The settings, checked once: a [`Site`] is one label of a host name.
//!
//! The host checks the same before it binds the origin. A value that was entered is never repeated,
//! since it may be a token in the wrong field.

use smp_connector_kit::{Advice, Failure, FailureKind, Setting, setting};

/// The key of the setting that names the organization.
pub const SITE: &str = "site";

/// The key of the secret setting, whose value the host keeps to itself.
pub const API_TOKEN: &str = "api-token";

/// Longest label of a host name.
const LONGEST: usize = 63;

/// The end of the host name of every Admin Console.
const ADMIN_CONSOLE: &str = "-admin";

/// Where to find the value, for every message about it.
pub const WHERE_TO_FIND: &str = "Enter only what stands before .okta.com in the address of your \
                                 Okta sign-in page: acme, if the address is \
                                 https://acme.okta.com.";

/// The first label of the organization's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site(String);

impl Site {
    /// Reads the setting.
    ///
    /// # Errors
    ///
    /// `invalid-settings` if it cannot be one.
    pub fn read(settings: &[Setting]) -> Result<Self, Failure> {
        let entered = setting(settings, SITE);
        let is_inner =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let message = match entered {
            "" => "The Site is missing.",
            _ if entered.contains(['.', '/', ':']) => {
                "The Site field holds an address, not only its first part."
            }
            _ if entered.len() > LONGEST => "The Site is too long to be one.",
            _ if !entered.bytes().all(is_inner) => {
                "The Site has other characters than small letters, digits and hyphens."
            }
            _ if entered.starts_with('-') || entered.ends_with('-') => {
                "The Site begins or ends with a hyphen."
            }
            _ => return Ok(Self(entered.to_owned())),
        };
        Err(Failure::new(FailureKind::InvalidSettings, message, WHERE_TO_FIND).at(SITE))
    }

    /// The host name of the organization.
    pub fn domain(&self) -> String {
        format!("{}.okta.com", self.0)
    }

    /// What is odd about it, though it may be right.
    pub fn doubt(&self) -> Option<Advice> {
        self.0.ends_with(ADMIN_CONSOLE).then(|| Advice {
            message: "The Site ends with -admin, as the address of an Admin Console does."
                .to_owned(),
            hint: format!("If the next checks fail, leave out -admin. {WHERE_TO_FIND}"),
            setting: Some(SITE.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_label_is_taken_without_the_spaces_around_it() {
        let site = Site::read(&entered(" dev-1234567\n")).unwrap();
        assert_eq!(site.domain(), "dev-1234567.okta.com");
        assert_eq!(site.doubt(), None);
    }

    #[test]
    fn what_cannot_be_a_site_is_refused_with_its_own_message() {
        let long = "x".repeat(64);
        let rows = [
            ("", "is missing"),
            (" \t", "is missing"),
            ("acme.okta.com", "an address"),
            ("https://acme.okta.com/", "an address"),
            ("acme/../x", "an address"),
            (long.as_str(), "too long"),
            ("Acme", "other characters"),
            ("acme corp", "other characters"),
            ("jane@acme", "other characters"),
            ("00aB_c", "other characters"),
            ("-acme", "a hyphen"),
            ("acme-", "a hyphen"),
        ];
        for (value, message) in rows {
            let failure = Site::read(&entered(value)).unwrap_err();
            assert_eq!(failure.kind, FailureKind::InvalidSettings, "{value}");
            assert!(failure.message.contains(message), "{value}: {}", failure.message);
            assert_eq!(
                (failure.setting.as_deref(), failure.hint.as_str()),
                (Some(SITE), WHERE_TO_FIND)
            );
        }
    }

    #[test]
    fn the_address_of_the_admin_console_is_doubted() {
        let doubt = Site::read(&entered("acme-admin")).unwrap().doubt().unwrap();
        assert!(doubt.hint.contains("leave out -admin"), "{}", doubt.hint);
        assert_eq!(doubt.setting.as_deref(), Some(SITE));
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_is_one_label(value in any::<String>()) {
            if let Ok(Site(label)) = Site::read(&entered(&value)) {
                prop_assert!((1..=63).contains(&label.len()) && !label.contains('.'));
                let is_of_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                prop_assert!(label.bytes().all(is_of_label));
            }
        }

        #[test]
        fn a_token_is_never_repeated(token in "00[A-Za-z0-9_-]{40}") {
            if let Err(failure) = Site::read(&entered(&token)) {
                let told = format!("{failure:?}");
                prop_assert!(!told.contains(&token));
            }
        }
    }

    fn entered(value: &str) -> Vec<Setting> {
        vec![Setting { key: SITE.to_owned(), value: value.to_owned() }]
    }
}
