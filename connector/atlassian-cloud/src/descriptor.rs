//! The shape of what the connector tells about itself.
//!
//! Types only; the texts are in `listing`. Everything is known at compile time, so everything is `'static`.

/// What the connector tells about itself.
#[derive(Debug)]
pub struct Descriptor {
    /// The stable identifier.
    pub id: &'static str,
    /// The name of the service.
    pub name: &'static str,
    /// The version of the connector.
    pub version: &'static str,
    /// Who makes the service.
    pub vendor: &'static str,
    /// One or two sentences about the service.
    pub summary: &'static str,
    /// What the price of the service depends on.
    pub pricing: &'static str,
    /// The maturity, in the marketplace's words.
    pub status: &'static str,
    /// How the connector reads.
    pub integration_type: &'static str,
    /// What it collects.
    pub data_collected: &'static [DataSet],
    /// What the person who connects must be allowed to do.
    pub permissions_required: &'static [&'static str],
    /// The form.
    pub settings: &'static [SettingField],
    /// The API that it calls.
    pub api: Api,
    /// The setup guide.
    pub setup_guide: &'static [GuideSection],
    /// Questions that people ask.
    pub faq: &'static [Question],
}

/// A kind of record that is collected.
#[derive(Debug)]
pub struct DataSet {
    /// The name of the set.
    pub name: &'static str,
    /// Its fields, as pairs of a name and a description.
    pub fields: &'static [(&'static str, &'static str)],
}

/// A field of the form.
#[derive(Debug)]
pub struct SettingField {
    /// The key under which the setting is handed over.
    pub key: &'static str,
    /// The label.
    pub label: &'static str,
    /// Where to find the value.
    pub help: &'static str,
    /// An example of the shape.
    pub placeholder: &'static str,
    /// What usual values match as a whole.
    pub pattern: Option<&'static str>,
    /// Whether the connector cannot work without it.
    pub required: bool,
    /// For a secret, the beginnings by which it is told; it is attached as a bearer token.
    pub bearer: Option<&'static [SecretPrefix]>,
}

/// A beginning that tells what a secret is.
#[derive(Debug)]
pub struct SecretPrefix {
    /// The beginning.
    pub prefix: &'static str,
    /// What a value with this beginning is.
    pub meaning: &'static str,
    /// Whether it is what the setting asks for.
    pub expected: bool,
    /// What to do when a value with this beginning was not accepted.
    pub hint: &'static str,
}

/// The API of the service.
#[derive(Debug)]
pub struct Api {
    /// The origin that every path is relative to.
    pub base: &'static str,
    /// Every endpoint that may be called.
    pub endpoints: &'static [Endpoint],
    /// How many requests an organization may be asked in a period.
    pub requests: u32,
    /// The period, in milliseconds.
    pub period_ms: u32,
}

/// An endpoint that the connector reads with `GET`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The path below the base, with `{organization-id}` in place of the setting's value.
    pub path: &'static str,
    /// What it is called for.
    pub purpose: &'static str,
    /// The scope that a key with scopes must have for it.
    pub scope: &'static str,
}

/// A section of the setup guide.
#[derive(Debug)]
pub struct GuideSection {
    /// The heading.
    pub title: &'static str,
    /// A sentence or two before the steps.
    pub introduction: &'static str,
    /// The steps.
    pub steps: &'static [&'static str],
}

/// A question with its answer.
#[derive(Debug)]
pub struct Question {
    /// The question.
    pub question: &'static str,
    /// The answer.
    pub answer: &'static str,
}
