//! Secrets as they were entered, until they are sealed.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

/// Secrets as they were entered. They are never printed, and wiped when they are dropped.
#[derive(Clone, Default)]
pub struct Secrets(pub(super) BTreeMap<String, Zeroizing<String>>);

impl Secrets {
    /// Takes secrets.
    #[must_use]
    pub fn new(secrets: BTreeMap<String, String>) -> Self {
        Self(secrets.into_iter().map(|(key, value)| (key, Zeroizing::new(value))).collect())
    }

    /// Adds a secret, in place of one of the same setting.
    pub(crate) fn put(&mut self, setting: String, text: Zeroizing<String>) {
        self.0.insert(setting, text);
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each secret with its setting.
    pub(crate) fn each(self) -> impl Iterator<Item = (String, Zeroizing<String>)> {
        self.0.into_iter()
    }

    /// The secret of a setting, as it was entered.
    pub(crate) fn given(&self, setting: &str) -> Option<&str> {
        self.0.get(setting).map(|text| text.as_str())
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}
