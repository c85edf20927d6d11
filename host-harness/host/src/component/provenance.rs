//! The provenance of a run's members: it distinguishes two collections without naming a customer.

/// Where members come from. Two runs with equal provenance collect the same list.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Provenance {
    /// Id of the connector.
    pub connector: String,
    /// Version of the connector.
    pub version: String,
    /// `sha256:` and the digest of the component.
    pub component: String,
    /// Origin of the requests; `None` if nothing is sent.
    pub origin: Option<String>,
    /// Hash of the settings that are not secret; they identify the organization.
    pub settings: String,
}
