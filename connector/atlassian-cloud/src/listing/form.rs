//! The form: the organization id, and the key that the host keeps to itself.

use crate::config::{API_KEY, ORGANIZATION_ID};
use crate::descriptor::{SecretPrefix, SettingField};

/// The fields, in the order in which they are shown.
pub const FIELDS: &[SettingField] = &[
    SettingField {
        key: ORGANIZATION_ID,
        label: "Organization ID",
        help: "Shown together with the API key when the key is created, and in the address of your organization's pages at \
            admin.atlassian.com, between /o/ and the next slash.",
        placeholder: "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
        pattern: Some("[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{12}"),
        required: true,
        bearer: None,
    },
    SettingField {
        key: API_KEY,
        label: "Api Key",
        help: "The API key of the organization, created at admin.atlassian.com under Settings > API keys. Atlassian shows it once only.",
        placeholder: "ATCTT…",
        pattern: Some("ATCTT[0-9A-Za-z+/=_.-]+"),
        required: true,
        bearer: Some(&[
            SecretPrefix {
                prefix: "ATCTT",
                meaning: "an organization API key",
                expected: true,
                hint: "The key is of the right kind, so it has expired, was revoked, or was not copied whole. Create a new one at \
                    admin.atlassian.com under Settings > API keys.",
            },
            SecretPrefix {
                prefix: "ATATT",
                meaning: "the API token of a user",
                expected: false,
                hint: "A user's API token does not work here. Create an API key of the organization, which begins with ATCTT, at \
                    admin.atlassian.com under Settings > API keys.",
            },
        ]),
    },
];
