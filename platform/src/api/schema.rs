//! The shapes of answers, for the description of the interface. The answers themselves are written
//! by the modules that they come from; a test holds them against this.

#![allow(dead_code, reason = "only their schemas are used")]

use std::collections::BTreeMap;

use utoipa::{IntoResponses, ToSchema};

/// A problem (RFC 9457).
#[derive(ToSchema)]
pub(super) struct ProblemBody {
    /// Always `about:blank`.
    r#type: String,
    /// The status in words.
    title: String,
    /// The status.
    status: u16,
    /// Its name for programs.
    code: String,
    /// What is wrong.
    detail: String,
    /// What to do about it.
    #[schema(required = true)]
    hint: Option<String>,
    /// What to do about it, as data.
    #[schema(required = true, value_type = Option<Object>)]
    remedy: Option<serde_json::Value>,
    /// The validation that was not passed.
    #[schema(nullable = false)]
    validation: Option<ValidationBody>,
}

/// What a route that reads may refuse.
#[derive(IntoResponses)]
pub(super) enum Reading {
    /// There is no valid token.
    #[response(status = 401, content_type = "application/problem+json")]
    NoToken(ProblemBody),
    /// It is not there, or belongs to another tenant.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
    /// A value cannot be used.
    #[response(status = 422, content_type = "application/problem+json")]
    NotAccepted(ProblemBody),
    /// The platform is busy, or its database is.
    #[response(status = 503, content_type = "application/problem+json")]
    NotNow(ProblemBody),
}

/// What a route that writes may refuse.
#[derive(IntoResponses)]
pub(super) enum Writing {
    /// The body is no JSON.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// There is no valid token.
    #[response(status = 401, content_type = "application/problem+json")]
    NoToken(ProblemBody),
    /// The token reads only.
    #[response(status = 403, content_type = "application/problem+json")]
    ReadsOnly(ProblemBody),
    /// It is not there, or belongs to another tenant.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
    /// It is there already, or was changed meanwhile.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// A value cannot be used, or the connection is not ready.
    #[response(status = 422, content_type = "application/problem+json")]
    NotAccepted(ProblemBody),
    /// The platform is busy, or its database is.
    #[response(status = 503, content_type = "application/problem+json")]
    NotNow(ProblemBody),
}

/// A validation: whether a collection would work.
#[derive(ToSchema)]
pub(super) struct ValidationBody {
    ready: bool,
    /// When the secret ends.
    #[schema(required = true)]
    credential_expires: Option<String>,
    checks: Vec<CheckBody>,
}

/// A check of a validation.
#[derive(ToSchema)]
pub(super) struct CheckBody {
    id: String,
    title: String,
    /// `passed`, `warning`, `failed` or `skipped`.
    outcome: String,
    message: String,
    #[schema(required = true)]
    hint: Option<String>,
    #[schema(required = true)]
    setting: Option<String>,
    #[schema(required = true)]
    code: Option<String>,
    retryable: bool,
}

/// A connector that is installed.
#[derive(ToSchema)]
pub(super) struct ConnectorBody {
    id: String,
    name: String,
    version: String,
    digest: String,
    /// Who signed it.
    #[schema(required = true)]
    publisher: Option<String>,
    state: String,
    #[schema(required = true)]
    installed: Option<String>,
    /// Origins that the operator approved.
    origins: Vec<String>,
    /// Endpoints that the operator approved.
    grants: Vec<String>,
    /// Endpoints that it declares.
    declares: Vec<String>,
    /// Whether all of these are GET.
    reads_only: bool,
    settings: Vec<FieldBody>,
}

/// A field of a connector's form.
#[derive(ToSchema)]
pub(super) struct FieldBody {
    key: String,
    label: String,
    help: String,
    required: bool,
    secret: bool,
    #[schema(required = true)]
    default: Option<String>,
    choices: Vec<ChoiceBody>,
}

/// A choice of a field.
#[derive(ToSchema)]
pub(super) struct ChoiceBody {
    value: String,
    label: String,
}

/// Installed connectors.
#[derive(ToSchema)]
pub(super) struct Connectors {
    data: Vec<ConnectorBody>,
}

/// A connection. Its secrets are in no answer.
#[derive(ToSchema)]
pub(super) struct ConnectionBody {
    id: String,
    tenant: String,
    connector: String,
    /// Digest of the build that it uses.
    build: String,
    /// Why it does not use the active build yet: digest, version and error.
    #[schema(required = true, value_type = Option<Object>)]
    upgrade: Option<serde_json::Value>,
    name: String,
    settings: BTreeMap<String, String>,
    /// The account's id at the service.
    account: String,
    account_name: String,
    #[schema(required = true)]
    upstream: Option<String>,
    grants: Vec<String>,
    every_hours: i64,
    paused: bool,
    /// `ready`, `failing`, `attention` (a person must act) or `paused`.
    state: String,
    /// The failure of the last run.
    #[schema(required = true, value_type = Option<Object>)]
    error: Option<serde_json::Value>,
    #[schema(required = true)]
    credential_expires: Option<String>,
    #[schema(required = true)]
    next_run: Option<String>,
    #[schema(required = true)]
    created: Option<String>,
}

/// Connections.
#[derive(ToSchema)]
pub(super) struct ConnectionsBody {
    data: Vec<ConnectionBody>,
    #[schema(required = true)]
    next: Option<String>,
}

/// A connection that was made.
#[derive(ToSchema)]
pub(super) struct MadeBody {
    id: String,
    account: String,
    state: String,
    validation: ValidationBody,
}

/// A run.
#[derive(ToSchema)]
pub(super) struct RunBody {
    id: String,
    /// Its number among the runs of the connection.
    number: i64,
    /// `open`, `waiting`, `complete`, `failed` or `stopped`.
    state: String,
    members: u64,
    people: u64,
    #[schema(required = true)]
    total: Option<u64>,
    pages: u64,
    duplicates: u64,
    requests: i64,
    retries: i64,
    waited_ms: i64,
    #[schema(required = true)]
    resumes_at: Option<String>,
    #[schema(value_type = Vec<Object>)]
    notes: serde_json::Value,
    #[schema(required = true, value_type = Option<Object>)]
    error: Option<serde_json::Value>,
    #[schema(required = true)]
    started: Option<String>,
    #[schema(required = true)]
    ended: Option<String>,
}

/// Runs, the latest first.
#[derive(ToSchema)]
pub(super) struct RunsBody {
    data: Vec<RunBody>,
    #[schema(required = true)]
    next: Option<String>,
}

/// An event of a run, as server-sent events have it.
#[derive(ToSchema)]
pub(super) struct EventBody {
    /// `run`, `request`, `waiting`, `resumed`, `page`, `restarted` or `ended`.
    event: Option<String>,
    /// The event as JSON, with its name in `event`.
    data: String,
}

/// A run that goes on.
#[derive(ToSchema)]
pub(super) struct AskedBody {
    id: String,
}

/// The state of a run.
#[derive(ToSchema)]
pub(super) struct StoppedBody {
    id: String,
    state: String,
}

/// A member.
#[derive(ToSchema)]
pub(super) struct MemberBody {
    id: String,
    #[schema(required = true)]
    email: Option<String>,
    name: String,
    role: String,
    products: Vec<UseBody>,
    /// Unknown if it is null, never "never".
    #[schema(required = true)]
    last_seen: Option<String>,
    #[schema(required = true)]
    status: Option<String>,
    #[schema(required = true)]
    kind: Option<String>,
    #[schema(required = true)]
    affiliation: Option<String>,
    #[schema(required = true)]
    billable: Option<bool>,
    attributes: BTreeMap<String, String>,
    #[schema(required = true)]
    first_seen: Option<String>,
    /// Since when it is gone.
    #[schema(required = true)]
    gone: Option<String>,
}

/// A product that a member uses.
#[derive(ToSchema)]
pub(super) struct UseBody {
    key: String,
    name: String,
    #[schema(required = true)]
    site: Option<String>,
    #[schema(required = true)]
    last_active: Option<String>,
}

/// Members by name.
#[derive(ToSchema)]
pub(super) struct MembersBody {
    data: Vec<MemberBody>,
    #[schema(required = true)]
    next: Option<String>,
    /// How many there are on all pages.
    total: i64,
}

/// A change between two whole runs.
#[derive(ToSchema)]
pub(super) struct ChangedBody {
    /// `appeared`, `changed`, `returned` or `gone`.
    what: String,
    id: String,
    #[schema(required = true)]
    name: Option<String>,
    #[schema(required = true)]
    email: Option<String>,
    /// The run that found it.
    #[schema(required = true)]
    run: Option<String>,
    #[schema(required = true)]
    at: Option<String>,
    /// The fields that differ, each with `before` and `after`.
    #[schema(required = true, value_type = Option<Object>)]
    fields: Option<serde_json::Value>,
}

/// Changes in the order of the runs.
#[derive(ToSchema)]
pub(super) struct ChangesBody {
    data: Vec<ChangedBody>,
    #[schema(required = true)]
    next: Option<String>,
}

/// What is paid and used of a product.
#[derive(ToSchema)]
pub(super) struct SeatsBody {
    key: String,
    name: String,
    #[schema(required = true)]
    site: Option<String>,
    #[schema(required = true)]
    plan: Option<String>,
    #[schema(required = true)]
    purchased: Option<u64>,
    #[schema(required = true)]
    used: Option<u64>,
    sandbox: bool,
}

/// Usage by product.
#[derive(ToSchema)]
pub(super) struct UsageBody {
    data: Vec<SeatsBody>,
    /// The run that told it; null if no run told usage.
    #[schema(required = true)]
    run: Option<String>,
    /// When that run ended.
    #[schema(required = true)]
    at: Option<String>,
}

/// What was done, the latest first.
#[derive(ToSchema)]
pub(super) struct AuditBody {
    data: Vec<RecordedBody>,
    #[schema(required = true)]
    next: Option<String>,
}

/// An action that was recorded.
#[derive(ToSchema)]
pub(super) struct RecordedBody {
    #[schema(required = true)]
    at: Option<String>,
    /// The tenant concerned; null if it concerns all of them.
    #[schema(required = true)]
    tenant: Option<String>,
    /// The token that acted, by its id; a person of the console as `oidc:SUBJECT`; `operator` on
    /// the command line, or `platform`.
    actor: String,
    what: String,
    /// The connection, connector or token concerned.
    subject: String,
    #[schema(required = true)]
    detail: Option<String>,
}

/// The state of the process.
#[derive(ToSchema)]
pub(super) struct HealthBody {
    status: String,
    /// With an engine: `there`, or `away`.
    #[schema(nullable = false)]
    engine: Option<String>,
    /// While it is away: since when, why, and what that means.
    #[schema(nullable = false)]
    detail: Option<String>,
}
