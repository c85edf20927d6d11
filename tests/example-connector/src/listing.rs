//! The connector's descriptor, and its hints for people.

use smp_connector_kit::call::Route;
use smp_connector_kit::listing::{
    data_set, question, right_secret, section, setting, texts, wrong_secret,
};
use smp_connector_kit::{Api, Attachment, Descriptor, RateLimit, SecretUse, SettingField};

pub(crate) static WORKSPACE: Route = Route::get(
    "/api/2/workspaces/{workspace}",
    "Reads the name of the workspace",
    Some("workspace:read"),
);
pub(crate) static PEOPLE: Route = Route::get(
    "/api/2/workspaces/{workspace}/people",
    "Reads the people with the apps they use",
    Some("people:read"),
);

pub(crate) const FIND_WORKSPACE: &str =
    "Copy the part of your board's address behind noticeboard.example/ into the field Workspace.";
pub(crate) const NEW_TOKEN: &str = "As an owner of the workspace, open Settings > Integrations in \
                                    Noticeboard, make a live token with the scopes workspace:read \
                                    and people:read, and paste it into the field Token.";
pub(crate) const INVITE: &str =
    "Invite people in Noticeboard under Settings > People, or enter another workspace.";
pub(crate) const LATER: &str = "Nothing is wrong with your settings. Try again in a few minutes.";

pub(crate) fn descriptor() -> Descriptor {
    Descriptor {
        id: "noticeboard".into(),
        name: "Noticeboard".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        vendor: "Noticeboard Example Ltd.".into(),
        summary: "A made-up service on which teams pin what everybody should know. It exists for \
                  tests only."
            .into(),
        pricing: "By the number of people in the workspace.".into(),
        status: "Example".into(),
        integration_type: "api".into(),
        data_collected: vec![data_set(
            "members",
            &[
                ("email", "The address that the person signs in with, unless it is hidden"),
                ("name", "The full name"),
                ("role", "The apps that the person uses"),
                ("last seen", "The last time that the person used one of them"),
            ],
        )],
        permissions_required: texts(&["Owner of the workspace, to make the token."]),
        settings: vec![
            SettingField {
                placeholder: "your-team".into(),
                pattern: Some("[a-z0-9-]+".into()),
                ..setting("workspace", "Workspace", FIND_WORKSPACE)
            },
            SettingField {
                placeholder: "nb_live_…".into(),
                pattern: Some("nb_live_[A-Za-z0-9]+".into()),
                secret: Some(SecretUse {
                    attachment: Attachment::Bearer,
                    prefixes: vec![
                        right_secret(
                            "nb_live_",
                            "a live token of a workspace",
                            "Make a new live token: this one may have been revoked.",
                        ),
                        wrong_secret(
                            "nb_user_",
                            "a token of one person",
                            "Make a live token of the workspace instead of one of your own.",
                        ),
                    ],
                }),
                ..setting("token", "Token", NEW_TOKEN)
            },
        ],
        api: Api {
            base: "https://api.noticeboard.example".into(),
            origins: None,
            endpoints: [&WORKSPACE, &PEOPLE].map(Route::declared).to_vec(),
            rate_limit: RateLimit { requests: 10, period_ms: 1_000 },
        },
        setup_guide: vec![
            section(
                "Make a token",
                "You need to be an owner of the workspace.",
                &[
                    "In Noticeboard, open **Settings > Integrations** and choose **New live \
                     token**.",
                    "Tick the scopes `workspace:read` and `people:read`.",
                    "Copy the token. It begins with `nb_live_` and is shown once.",
                ],
            ),
            section(
                "Connect",
                "",
                &["Enter the **Workspace** and the **Token**, and have them checked."],
            ),
        ],
        faq: vec![question(
            "Why is somebody's last activity unknown?",
            "Because that person has not used an app yet, or the service does not tell when.",
        )],
        attributes: vec![],
    }
}
