//! Where the members of a run come from: what tells two collections apart, without the name of a
//! customer.

/// Where members come from. Two runs of which all of it is equal collect the same list.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Provenance {
    /// Id of the connector.
    pub connector: String,
    /// Version of the connector.
    pub version: String,
    /// `sha256:` and the digest of the component.
    pub component: String,
    /// Where requests go; none where they go nowhere.
    pub origin: Option<String>,
    /// Hash of the settings that are not secret: they name the organization.
    pub settings: String,
}
