//! What the connector tells about itself, and what it tells people to do.

use super::bindings::exports::smp::connector::connector::*;

pub(crate) const WORKSPACE: &str = "/api/2/workspaces/{workspace}";
pub(crate) const PEOPLE: &str = "/api/2/workspaces/{workspace}/people";

pub(crate) const FIND_WORKSPACE: &str = "Copy the part of your board's address behind noticeboard.example/ into the field Workspace.";
pub(crate) const NEW_TOKEN: &str = "As an owner of the workspace, open Settings > Integrations in Noticeboard, make a live token with the \
    scopes workspace:read and people:read, and paste it into the field Token.";
pub(crate) const INVITE: &str = "Invite people in Noticeboard under Settings > People, or enter another workspace.";
pub(crate) const LATER: &str = "Nothing is wrong with your settings. Try again in a few minutes.";
pub(crate) const REPORT: &str = "Try again later. Should it stay so, report it to whoever publishes the connector.";

pub(crate) fn descriptor() -> Descriptor {
    Descriptor {
        id: "noticeboard".into(),
        name: "Noticeboard".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        vendor: "Noticeboard Example Ltd.".into(),
        summary: "A made-up service on which teams pin what everybody should know. It exists for tests only.".into(),
        pricing: "By the number of people in the workspace.".into(),
        status: "Example".into(),
        integration_type: "api".into(),
        data_collected: vec![DataSet {
            name: "members".into(),
            fields: [
                ("email", "The address that the person signs in with, unless it is hidden"),
                ("name", "The full name"),
                ("role", "The apps that the person uses"),
                ("last seen", "The last time that the person used one of them"),
            ]
            .map(|(name, description)| DataField { name: name.into(), description: description.into() })
            .into(),
        }],
        permissions_required: vec!["Owner of the workspace, to make the token.".into()],
        settings: vec![
            SettingField {
                key: "workspace".into(),
                label: "Workspace".into(),
                help: FIND_WORKSPACE.into(),
                placeholder: "your-team".into(),
                pattern: Some("[a-z0-9-]+".into()),
                required: true,
                secret: None,
                attributes: vec![],
            },
            SettingField {
                key: "token".into(),
                label: "Token".into(),
                help: NEW_TOKEN.into(),
                placeholder: "nb_live_…".into(),
                pattern: Some("nb_live_[A-Za-z0-9]+".into()),
                required: true,
                secret: Some(SecretUse {
                    attachment: Attachment::Bearer,
                    prefixes: vec![
                        prefix("nb_live_", "a live token of a workspace", true, "Make a new live token: this one may have been revoked."),
                        prefix(
                            "nb_user_",
                            "a token of one person",
                            false,
                            "Make a live token of the workspace instead of one of your own.",
                        ),
                    ],
                }),
                attributes: vec![],
            },
        ],
        api: Api {
            base: "https://api.noticeboard.example".into(),
            endpoints: vec![
                endpoint(WORKSPACE, "Reads the name of the workspace", "workspace:read"),
                endpoint(PEOPLE, "Reads the people with the apps they use", "people:read"),
            ],
            rate_limit: RateLimit { requests: 10, period_ms: 1_000 },
        },
        setup_guide: vec![
            section(
                "Make a token",
                "You need to be an owner of the workspace.",
                &[
                    "In Noticeboard, open **Settings > Integrations** and choose **New live token**.",
                    "Tick the scopes `workspace:read` and `people:read`.",
                    "Copy the token. It begins with `nb_live_` and is shown once.",
                ],
            ),
            section("Connect", "", &["Enter the **Workspace** and the **Token**, and have them checked."]),
        ],
        faq: vec![Question {
            question: "Why is somebody's last activity unknown?".into(),
            answer: "Because that person has not used an app yet, or the service does not tell when.".into(),
        }],
        attributes: vec![],
    }
}

fn prefix(prefix: &str, meaning: &str, expected: bool, hint: &str) -> SecretPrefix {
    SecretPrefix { prefix: prefix.into(), meaning: meaning.into(), expected, hint: hint.into() }
}

fn endpoint(path: &str, purpose: &str, scope: &str) -> Endpoint {
    Endpoint { method: HttpMethod::Get, path: path.into(), purpose: purpose.into(), scope: Some(scope.into()), read_only: true }
}

fn section(title: &str, introduction: &str, steps: &[&str]) -> GuideSection {
    let steps = steps.iter().map(|step| (*step).to_owned()).collect();
    GuideSection { title: title.into(), introduction: introduction.into(), steps }
}
