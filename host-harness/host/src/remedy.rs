//! What mends a failure, as data. A platform words it for an administrator, the command as its
//! options; the library's own hints name neither.
//!
//! A remedy also says whether the same run may succeed later with nothing changed, so that a
//! failure's hint, its remedy and its `retryable` never disagree.

/// What somebody does about a failure. As JSON it is an object with a `kind`, and the other fields
/// of the variant beside it.
///
/// ```
/// use smp_host::remedy::Remedy;
///
/// let remedy = serde_json::to_value(Remedy::RaiseLimit { limit: "response", to: None }).unwrap();
/// assert_eq!(remedy, serde_json::json!({"kind": "raise-limit", "limit": "response", "to": null}));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Remedy {
    /// Give a setting that is missing, or that was given in the wrong place.
    GiveSetting {
        /// Its key.
        setting: String,
        /// Whether it is a secret.
        secret: bool,
    },
    /// Correct a setting.
    CorrectSetting {
        /// Its key, where one setting is at fault.
        setting: Option<String>,
    },
    /// Make a new key and enter it.
    NewKey {
        /// The setting that it belongs in.
        setting: Option<String>,
    },
    /// Get a key, or a role, that may do more.
    MorePermissions {
        /// The scopes that a key needs. Empty where they are not known.
        scopes: Vec<String>,
    },
    /// Change something in the service, such as verifying a domain.
    ChangeAtService,

    /// Raise a limit, if the connector is trusted.
    RaiseLimit {
        /// Its name, see [`crate::limits::Bound::name`].
        limit: &'static str,
        /// The least that would have been enough, as a limit's value is written. None where that
        /// is not known.
        to: Option<String>,
    },
    /// Grant an endpoint, if the connector is trusted with it.
    Grant {
        /// Its method, as on the wire.
        method: &'static str,
        /// Its path template, as the descriptor declares it.
        path: String,
    },
    /// Approve an origin, if it is known to be the right one.
    ApproveOrigin {
        /// The origin.
        origin: String,
    },
    /// Name the service's address oneself: it lies in a private network, where no connector leads.
    NameUpstream,
    /// Trust the certificate authority of a proxy or a service of one's own.
    TrustRoot,
    /// Allow plain http, if the server is on this machine.
    AllowPlainHttp,
    /// Log in to the registry, or with another login.
    LogIn,

    /// Try again later.
    ComeBack {
        /// After so many seconds, where the service says so.
        after_s: Option<u64>,
        /// A run that may wait so many seconds in all would have gone on by itself. None where
        /// waiting is not what ended it.
        max_wait_s: Option<u64>,
    },
    /// Try again later; should it stay so, report it to the publisher of the connector.
    ComeBackOrReport,
    /// Start the run again: it was stopped from outside.
    RunAgain,
    /// Wait until another run has ended and its place is free.
    WaitForPlace,
    /// Wait until another run has ended that uses the same file, or use another.
    WaitForRun {
        /// What the file is for.
        of: Place,
    },

    /// Make room, or choose another place.
    MakeRoom {
        /// For what.
        of: Place,
    },
    /// Choose another place: something else is there.
    OtherPlace {
        /// For what.
        of: Place,
    },
    /// Begin from the first page again, with the checkpoint removed.
    StartOver,
    /// Free memory, open files or threads on this machine.
    FreeMachine,

    /// Use another file: this one is no connector that this host runs.
    OtherComponent {
        /// The version of the contract that it must be built for, where that is what is wrong with
        /// it.
        contract: Option<String>,
    },
    /// Make a package, or give a whole one.
    WholePackage,
    /// Get the release as its publisher made it: whole, signed and unchanged.
    TrustedPackage,
    /// Ask the publisher for a signature.
    Sign,
    /// Let the trust file trust this publisher with this connector.
    TrustPublisher {
        /// The publisher, as the trust file names it.
        publisher: String,
        /// The connector's id.
        connector: String,
    },
    /// Get another release.
    OtherRelease,
    /// Do not use the connector, and report it to its publisher.
    ReportConnector,
    /// Ask the operator of the service or the registry.
    ContactSupport,

    /// Mend the connector: what its author does.
    MendConnector,
    /// Mend the fixture, or record it again.
    MendFixture,
    /// Record an expectation for the fixture.
    RecordFixture,
    /// Give fixtures.
    GiveFixtures,
    /// Correct something that was given with a connector, a package or a reference.
    CorrectInput {
        /// Its name. A message about it begins with it, in backticks.
        input: &'static str,
    },
    /// Give the release a version of its own: what is there is not replaced.
    NewVersion,
    /// The same, or replace what is there all the same.
    ReplaceRelease,

    /// What the message and the hint say.
    Other,
}

/// What a file or a folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Place {
    /// What a run or a command makes.
    Output,
    /// How far a run is.
    Checkpoint,
    /// How a run ended.
    Report,
    /// What is written to as it comes, such as standard output.
    Stream,
}

impl Remedy {
    /// To try again later, nobody knows when.
    #[must_use]
    pub fn later() -> Self {
        Self::ComeBack { after_s: None, max_wait_s: None }
    }

    /// Whether the same run may succeed later with nothing changed.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::ComeBack { .. }
            | Self::ComeBackOrReport
            | Self::RunAgain
            | Self::WaitForPlace
            | Self::WaitForRun { .. } => true,
            Self::GiveSetting { .. }
            | Self::CorrectSetting { .. }
            | Self::NewKey { .. }
            | Self::MorePermissions { .. }
            | Self::ChangeAtService
            | Self::RaiseLimit { .. }
            | Self::Grant { .. }
            | Self::ApproveOrigin { .. }
            | Self::NameUpstream
            | Self::TrustRoot
            | Self::AllowPlainHttp
            | Self::LogIn
            | Self::MakeRoom { .. }
            | Self::OtherPlace { .. }
            | Self::StartOver
            | Self::FreeMachine
            | Self::OtherComponent { .. }
            | Self::WholePackage
            | Self::TrustedPackage
            | Self::Sign
            | Self::TrustPublisher { .. }
            | Self::OtherRelease
            | Self::ReportConnector
            | Self::ContactSupport
            | Self::MendConnector
            | Self::MendFixture
            | Self::RecordFixture
            | Self::GiveFixtures
            | Self::CorrectInput { .. }
            | Self::NewVersion
            | Self::ReplaceRelease
            | Self::Other => false,
        }
    }

    /// The same for this setting, where the remedy is about one.
    pub(crate) fn about(&mut self, key: &str) {
        if let Self::CorrectSetting { setting } | Self::NewKey { setting } = self {
            setting.get_or_insert_with(|| key.to_owned());
        }
    }

    /// The same after so many seconds, where the remedy is to come back.
    pub(crate) fn after(&mut self, seconds: Option<u64>) {
        if let Self::ComeBack { after_s, .. } = self {
            *after_s = seconds;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_remedy_is_an_object_with_a_kind() {
        for (remedy, expected) in [
            (
                Remedy::GiveSetting { setting: "api-key".into(), secret: true },
                json!({"kind": "give-setting", "setting": "api-key", "secret": true}),
            ),
            (
                Remedy::Grant { method: "POST", path: "/v1/search".into() },
                json!({"kind": "grant", "method": "POST", "path": "/v1/search"}),
            ),
            (Remedy::later(), json!({"kind": "come-back", "after_s": null, "max_wait_s": null})),
            (Remedy::MakeRoom { of: Place::Output }, json!({"kind": "make-room", "of": "output"})),
            (
                Remedy::RaiseLimit { limit: "cpu", to: None },
                json!({"kind": "raise-limit", "limit": "cpu", "to": null}),
            ),
            (Remedy::TrustRoot, json!({"kind": "trust-root"})),
        ] {
            assert_eq!(serde_json::to_value(remedy).unwrap(), expected);
        }
    }

    #[test]
    fn a_remedy_takes_up_the_setting_and_the_time_that_it_is_about() {
        let mut remedy = Remedy::NewKey { setting: None };
        remedy.about("api-key");
        assert_eq!(remedy, Remedy::NewKey { setting: Some("api-key".into()) });
        let mut remedy = Remedy::later();
        remedy.about("api-key");
        remedy.after(Some(30));
        assert_eq!(remedy, Remedy::ComeBack { after_s: Some(30), max_wait_s: None });
    }
}
