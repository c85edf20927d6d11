//! The WIT contract as Rust types: generated from `wit/`, with nothing of our own but short names.
//!
//! The records of the contract are the host's own model: a page is used as it was lifted, and no field is copied into a second shape.

#[allow(missing_docs, reason = "the macro documents what the contract documents, and not the glue around it")]
mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "connector-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        additional_derives: [PartialEq, serde::Serialize],
    });
}

pub use generated::exports::smp::connector::connector::*;
pub use generated::smp::connector::{http, log};
pub use generated::{ConnectorPlugin, ConnectorPluginPre};

/// The contract's package, as components name it in their imports and exports.
pub const PACKAGE: &str = "smp:connector";
/// The version of the contract that this host serves.
pub const VERSION: &str = "0.1.0";

#[cfg(test)]
pub(crate) mod testing {
    //! Descriptors and members for tests.

    use super::{Api, Attachment, Descriptor, Endpoint, HttpMethod, Member, RateLimit, SecretPrefix, SecretUse, SettingField};

    /// A descriptor with these endpoints, `organization-id` and the secret `api-key`.
    pub(crate) fn descriptor(endpoints: &[(HttpMethod, &str, bool)]) -> Descriptor {
        let field = |key: &str, secret| SettingField {
            key: key.into(),
            label: key.to_uppercase(),
            help: String::new(),
            placeholder: String::new(),
            pattern: None,
            required: true,
            secret,
            attributes: vec![],
        };
        let prefix = |prefix: &str, meaning: &str, expected| SecretPrefix {
            prefix: prefix.into(),
            meaning: meaning.into(),
            expected,
            hint: format!("Hint for {meaning}."),
        };
        let secret = SecretUse {
            attachment: Attachment::Bearer,
            prefixes: vec![prefix("KEY", "an organization key", true), prefix("TOK", "a user token", false)],
        };
        Descriptor {
            id: "example".into(),
            name: "Example".into(),
            version: "0.1.0".into(),
            vendor: "Example".into(),
            summary: String::new(),
            pricing: String::new(),
            status: "General Availability".into(),
            integration_type: "api".into(),
            data_collected: vec![],
            permissions_required: vec![],
            settings: vec![field("organization-id", None), field("api-key", Some(secret))],
            api: Api {
                base: "https://api.example.test".into(),
                endpoints: endpoints
                    .iter()
                    .map(|(method, path, read_only)| Endpoint {
                        method: *method,
                        path: (*path).into(),
                        purpose: "test".into(),
                        scope: None,
                        read_only: *read_only,
                    })
                    .collect(),
                rate_limit: RateLimit { requests: 5, period_ms: 1000 },
            },
            setup_guide: vec![],
            faq: vec![],
            attributes: vec![],
        }
    }

    /// A member of whom only the identifier is known.
    pub(crate) fn member(id: &str) -> Member {
        Member {
            id: id.into(),
            email: None,
            name: String::new(),
            role: String::new(),
            uses: Vec::new(),
            last_seen: None,
            status: None,
            kind: None,
            billable: None,
            attributes: Vec::new(),
        }
    }
}
