//! The form: the organization id, the key that the host keeps to itself, and what may be chosen.

use smp_connector_kit::listing::{choice, right_secret, setting, wrong_secret};
use smp_connector_kit::{Attachment, SecretUse, SettingField};

use crate::config::{
    API_KEY, CLOUD, COMMERCIAL, EVERYONE, GOVERNMENT, KEY_NAME, MANAGED, ORGANIZATION_ID, PEOPLE,
};

/// The fields, in the order in which they are shown.
pub fn fields() -> Vec<SettingField> {
    vec![
        SettingField {
            placeholder: "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx".to_owned(),
            pattern: Some(
                "[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}"
                    .to_owned(),
            ),
            ..setting(
                ORGANIZATION_ID,
                "Organization ID",
                "Shown together with the API key when the key is created, and in the address of \
                 your organization's pages at admin.atlassian.com, between /o/ and the next slash.",
            )
        },
        SettingField {
            placeholder: "ATCTT…".to_owned(),
            pattern: Some("ATCTT[0-9A-Za-z+/=_.-]+".to_owned()),
            secret: Some(SecretUse {
                attachment: Attachment::Bearer,
                prefixes: vec![
                    right_secret(
                        "ATCTT",
                        "an organization API key",
                        "The key is of the right kind, so it has expired, was revoked, or was not \
                         copied whole. Create a new one at admin.atlassian.com under \
                         Organization settings > API keys.",
                    ),
                    wrong_secret(
                        "ATATT",
                        "the API token of a user",
                        "A user's API token does not work here. Create an API key of the \
                         organization, which begins with ATCTT, at admin.atlassian.com under \
                         Organization settings > API keys.",
                    ),
                ],
            }),
            ..setting(
                API_KEY,
                "Api Key",
                "The API key of the organization, created at admin.atlassian.com under \
                 Organization settings > API keys (older pages: Settings > API keys). Atlassian \
                 shows it once only.",
            )
        },
        choice(
            PEOPLE,
            "People",
            "Who is listed: the accounts that your organization manages, or everyone who is in it, \
             guests and other external people too. Everyone needs other scopes.",
            &[(MANAGED, "Managed accounts only"), (EVERYONE, "Everyone in the organization")],
        ),
        choice(
            CLOUD,
            "Cloud",
            "Where Atlassian keeps the organization. Choose the Government cloud only if the \
             addresses of your sites end in atlassian-us-gov-mod.net.",
            &[(COMMERCIAL, "Commercial cloud"), (GOVERNMENT, "Government cloud")],
        ),
        SettingField {
            placeholder: "SMP integration".to_owned(),
            required: false,
            ..setting(
                KEY_NAME,
                "Name of the API key",
                "What the key is called at Atlassian, to warn in time before it expires. Without \
                 it, the key that was used last is taken for it. A key with scopes needs \
                 read:keys:admin for that.",
            )
        },
    ]
}
