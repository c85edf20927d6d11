//! What the host knows about the settings of a run and the component does not, and how it explains
//! the component's failures.

use crate::contract::{self, FailureKind};
use crate::failure::{Code, Failure};
use crate::remedy::Remedy;

/// What the host knows about a run's settings and the component does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// What the secret's prefix says about it, for the hint of a `credentials` failure.
    pub key_prefix: Option<KeyPrefix>,
    /// Keys of plain settings that were not given.
    pub missing: Vec<String>,
    /// Scopes that the descriptor's endpoints need.
    pub scopes: Vec<String>,
    /// Key and label of the setting that is the secret.
    pub secret: Option<(String, String)>,
    /// The origin of the requests, if the operator named another one than the connector asks for.
    pub named_origin: Option<String>,
}

/// What a secret's prefix says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix {
    /// Key of the setting.
    pub setting: String,
    /// Its label.
    pub label: String,
    /// What a value with this prefix is.
    pub meaning: String,
    /// Whether it is what the setting needs.
    pub expected: bool,
    /// What to do if it is not accepted.
    pub hint: String,
}

impl Known {
    /// Adds what the key's prefix says if the key was not accepted. A connector never sees the key.
    pub(crate) fn explain(&self, failure: &mut contract::Failure) {
        let Some(key_prefix) =
            self.key_prefix.as_ref().filter(|_| failure.kind == FailureKind::Credentials)
        else {
            return;
        };
        if !key_prefix.expected {
            let message = failure.message.trim_end_matches('.');
            failure.message = format!(
                "{message}. By its prefix, the {} is {}",
                key_prefix.label, key_prefix.meaning
            );
        }
        failure.hint = format!("{} {}", key_prefix.hint, failure.hint).trim().to_owned();
        failure.setting.get_or_insert_with(|| key_prefix.setting.clone());
    }

    /// Adds a remedy with the missing setting, or the needed scopes.
    #[must_use]
    pub(crate) fn refined(&self, mut failure: Failure) -> Failure {
        match &mut *failure.remedy {
            Remedy::CorrectSetting { setting: Some(key) }
                if failure.code == Code::InvalidSettings && self.missing.contains(key) =>
            {
                *failure.remedy =
                    Remedy::GiveSetting { setting: std::mem::take(key), secret: false };
            }
            Remedy::MorePermissions { scopes } => scopes.clone_from(&self.scopes),
            _ => {}
        }
        failure
    }
}
