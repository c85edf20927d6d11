//! The descriptor, the source of the listing, the form and the setup guide; and hints for people.

use smp_connector_kit::call::Route;
use smp_connector_kit::listing::{data_set, question, right_secret, section, setting, texts};
use smp_connector_kit::{Api, Attachment, Descriptor, RateLimit, SecretUse, SettingField};

pub static TEAM: Route =
    Route::get("/v1/teams/{team}", "Reads the name of the team", Some("team:read"));
pub static PEOPLE: Route =
    Route::get("/v1/teams/{team}/people", "Reads the people of the team", Some("people:read"));

pub const FIND_TEAM: &str =
    "Copy the last part of the address of your team page into the field Team.";
pub const NEW_KEY: &str = "As an owner of the team, open Settings > API in {{NAME}}, make a new \
                           key with the scopes team:read and people:read, and paste it into the \
                           field Key.";
pub const LATER: &str = "Nothing is wrong with your settings. Try again in a few minutes.";

pub fn descriptor() -> Descriptor {
    Descriptor {
        id: "{{ID}}".into(),
        name: "{{NAME}}".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        vendor: "{{NAME}} Example Ltd.".into(),
        summary: "A made-up service with teams and people. Replace this text, and every other one."
            .into(),
        pricing: "By the number of people in the team.".into(),
        status: "Example".into(),
        integration_type: "api".into(),
        data_collected: vec![data_set(
            "members",
            &[
                ("email", "The address that the person signs in with"),
                ("name", "The full name"),
                ("role", "The products that the person uses"),
                ("last seen", "The last time that the person used one of them"),
            ],
        )],
        permissions_required: texts(&["Owner of the team, to make the key."]),
        settings: vec![
            SettingField {
                placeholder: "your-team".into(),
                pattern: Some("[a-z0-9-]+".into()),
                ..setting("team", "Team", FIND_TEAM)
            },
            SettingField {
                placeholder: "key_…".into(),
                pattern: Some("key_[A-Za-z0-9]+".into()),
                secret: Some(SecretUse {
                    attachment: Attachment::Bearer,
                    prefixes: vec![right_secret("key_", "a key of a team", NEW_KEY)],
                }),
                ..setting("key", "Key", NEW_KEY)
            },
        ],
        api: Api {
            base: "https://api.{{ID}}.example".into(),
            origins: None,
            endpoints: vec![TEAM.declared(), PEOPLE.declared()],
            rate_limit: RateLimit { requests: 10, period_ms: 1_000 },
        },
        setup_guide: vec![
            section(
                "Make a key",
                "You need to be an owner of the team.",
                &[
                    "In {{NAME}}, open **Settings > API** and choose **New key**.",
                    "Tick the scopes `team:read` and `people:read`.",
                    "Copy the key. It begins with `key_` and is shown once.",
                ],
            ),
            section("Connect", "", &["Enter the **Team** and the **Key**, and have them checked."]),
        ],
        faq: vec![question(
            "Why is somebody's last activity unknown?",
            "Because that person has not signed in yet, or the service does not tell when.",
        )],
        attributes: vec![],
    }
}
