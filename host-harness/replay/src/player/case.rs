//! A fixture case: recorded traffic and settings, checked against a connector's form.

use std::collections::BTreeMap;
use std::path::Path;

use super::Player;
use crate::fixture::{Fixture, Replay};
use smp_host::failure::Failure;
use smp_host::settings::{Checked, Settings};

/// A fixture case.
#[derive(Debug)]
pub struct Case {
    /// The name of its folder.
    pub name: String,
    /// Its settings and traffic.
    pub fixture: Fixture,
    /// Its settings, or why the form refuses them; the connector is not called then.
    pub checked: Result<Checked, Failure>,
}

impl Player {
    /// Opens a case.
    ///
    /// # Errors
    /// `fixture` or `invalid-settings` if it is not a case for this connector.
    pub fn case(&self, folder: &Path) -> Result<Case, Failure> {
        let fixture = Fixture::open(folder)?;
        let values = fixture.settings().clone();
        self.case_of(name_of(folder), fixture, values)
    }

    /// Opens a case that may belong to another build, with only those settings that this build's
    /// form has.
    ///
    /// # Errors
    /// `fixture` or `invalid-settings` if it is still not a case for this connector.
    pub fn case_of_any_build(&self, folder: &Path) -> Result<Case, Failure> {
        let fixture = Fixture::open(folder)?;
        let is_known = |key: &str| {
            self.plugin
                .descriptor()
                .settings
                .iter()
                .any(|field| field.key == key && field.secret.is_none())
        };
        let values =
            fixture.settings().clone().into_iter().filter(|(key, _)| is_known(key)).collect();
        self.case_of(name_of(folder), fixture, values)
    }

    fn case_of(
        &self,
        name: String,
        fixture: Fixture,
        values: BTreeMap<String, String>,
    ) -> Result<Case, Failure> {
        let descriptor = self.plugin.descriptor();
        let settings = Settings { values, ..Settings::default() };
        settings.check_keys(descriptor)?;
        Replay::new(&fixture, &self.declared)?;
        Ok(Case { name, fixture, checked: settings.check(descriptor, false) })
    }
}

/// The name of a case, which is that of its folder.
#[must_use]
pub fn name_of(folder: &Path) -> String {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    name.or_else(|| Some(folder.canonicalize().ok()?.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "the fixture".into())
}
