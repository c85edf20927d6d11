//! The descriptor: the one source of the form, the permissions, the listing and the guide.
//!
//! Texts only. They ship in the component, so they are short. No endpoint names a scope: the rights
//! of an Okta API token are those of the administrator who made it.

use smp_connector_kit::call::Route;
use smp_connector_kit::listing::{data_set, question, section, setting, texts};
use smp_connector_kit::{
    Api, Attachment, DataSet, Descriptor, GuideSection, HeaderUse, Question, RateLimit, SecretUse,
    SettingField,
};

use crate::site::{API_TOKEN, SITE, WHERE_TO_FIND};
use crate::{org, users};

/// The descriptor.
pub fn descriptor() -> Descriptor {
    Descriptor {
        id: "okta".to_owned(),
        name: "Okta".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        vendor: "Okta".to_owned(),
        summary: "Identity for an organization: people sign in to Okta, and through it to their \
                  other apps. One connection covers everybody in the directory."
            .to_owned(),
        pricing: "Depends on the number of users and on the features used.".to_owned(),
        status: "Preview".to_owned(),
        integration_type: "api".to_owned(),
        data_collected: vec![members()],
        permissions_required: texts(&["The person who makes the API token must be a read-only \
                                       administrator, an organization administrator or a super \
                                       administrator in Okta. The token of a group administrator \
                                       sees only the people of some groups."]),
        settings: fields(),
        api: Api {
            base: "https://{site}.okta.com".to_owned(),
            origins: None,
            endpoints: [&org::ROUTE, &users::ROUTE].map(Route::declared).to_vec(),
            // A tenth of what Okta allows most organizations for this call, as other tools share
            // the limit; with 200 people a page it is still 12,000 people a minute.
            rate_limit: RateLimit { requests: 1, period_ms: 1_000 },
        },
        setup_guide: guide(),
        faq: faq(),
        attributes: Vec::new(),
    }
}

fn members() -> DataSet {
    data_set(
        "members",
        &[
            (
                "email",
                "Primary e-mail address of everybody in the directory, except people who were \
                 deactivated: Okta leaves them out of its list",
            ),
            ("name", "Display name, or first and last name"),
            ("role", "Okta, for everybody who can sign in or has signed in"),
            ("last seen", "Last sign-in to Okta; which apps were opened is not told"),
            (
                "status",
                "Active, invited or suspended; active includes people who are locked out or must \
                 set a new password",
            ),
        ],
    )
}

fn fields() -> Vec<SettingField> {
    vec![
        SettingField {
            placeholder: "your-company".to_owned(),
            pattern: Some("[a-z0-9]([a-z0-9-]*[a-z0-9])?".to_owned()),
            ..setting(SITE, "Site", WHERE_TO_FIND)
        },
        SettingField {
            placeholder: "00…".to_owned(),
            pattern: Some("00[0-9A-Za-z_-]{40}".to_owned()),
            secret: Some(SecretUse {
                attachment: Attachment::Header(HeaderUse {
                    name: "authorization".to_owned(),
                    prefix: "SSWS ".to_owned(),
                }),
                // All tokens begin with 00, which is too short to tell one.
                prefixes: Vec::new(),
            }),
            ..setting(
                API_TOKEN,
                "API token",
                "Made in the Okta Admin Console under Security > API > Tokens, which shows it \
                 once. Enter it without SSWS before it.",
            )
        },
    ]
}

fn guide() -> Vec<GuideSection> {
    vec![
        section(
            "Make an API token",
            "A token has the rights of the administrator who makes it, and ends when that account \
             is deactivated. Use an account that stays, with the role **Read-only Administrator**.",
            &[
                "Sign in to Okta with that account, open the Admin Console, then **Security > \
                 API**, and there **Tokens**.",
                "Click **Create token**, and enter a name by which you will know it again, such \
                 as **SMP integration**.",
                "If you are asked from where the token may be used, choose any address, or the \
                 network of the SMP.",
                "Copy the token. It begins with `00` and is shown this once only.",
            ],
        ),
        section(
            "Configure Okta in the SMP",
            "",
            &[
                "Open the settings of **Okta** in the SMP, and click **Integrate**.",
                "Enter the **Site**, which is what stands before `.okta.com` in the address of \
                 your sign-in page, and the **API token**.",
            ],
        ),
    ]
}

fn faq() -> Vec<Question> {
    vec![
        question(
            "Why is somebody missing?",
            "People who were deactivated are not in Okta's list. If others are missing, the token \
             was made by an administrator of some groups: make it as a read-only administrator.",
        ),
        question(
            "When does the token end?",
            "When it was not used for 30 days, was revoked, or the account of its administrator is \
             deactivated. A collection every week keeps it.",
        ),
        question(
            "What does the last-seen date mean?",
            "The last sign-in to Okta. No date means that the person has never signed in.",
        ),
        question(
            "Our address ends with oktapreview.com, or is a domain of our own. Can we connect?",
            "With a domain of your own, enter the Site of your Okta address, which still works. \
             Other addresses, such as oktapreview.com and okta-emea.com, cannot be connected.",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use smp_connector_kit::Setting;

    use crate::site::Site;

    #[test]
    fn the_token_is_attached_the_way_okta_asks_for_it() {
        let secret = descriptor().settings.remove(1).secret.unwrap();
        let Attachment::Header(HeaderUse { name, prefix }) = secret.attachment else {
            panic!("not a header");
        };
        assert_eq!((name.as_str(), prefix.as_str()), ("authorization", "SSWS "));
        assert_eq!(secret.prefixes.len(), 0);
    }

    #[test]
    fn the_origin_is_the_site_and_only_two_endpoints_are_declared() {
        let api = descriptor().api;
        assert_eq!(api.base, "https://{site}.okta.com");
        let declared = |path: &str, headers: &[&str]| (path.to_owned(), texts(headers));
        let endpoints: Vec<_> = api
            .endpoints
            .into_iter()
            .map(|endpoint| {
                assert_eq!(endpoint.scope, None);
                (endpoint.path, endpoint.response_headers)
            })
            .collect();
        assert_eq!(endpoints, [declared("/api/v1/org", &[]), declared("/api/v1/users", &["link"])]);
    }

    #[test]
    fn placeholders_have_the_right_shape_and_are_no_usable_values() {
        let [site, token] = &descriptor().settings[..] else { panic!("not two settings") };
        let entered = |value: &str| [Setting { key: SITE.to_owned(), value: value.to_owned() }];
        assert!(Site::read(&entered(&site.placeholder)).is_ok());
        assert!(Site::read(&entered(&token.placeholder)).is_err());
    }

    #[test]
    fn the_listing_says_who_is_missing() {
        let Descriptor { data_collected, permissions_required, faq, .. } = descriptor();
        assert!(data_collected[0].fields[0].description.contains("deactivated"));
        assert!(permissions_required[0].contains("read-only administrator"));
        assert!(permissions_required[0].contains("group administrator"));
        assert!(faq.iter().any(|question| question.answer.contains("30 days")));
    }
}
