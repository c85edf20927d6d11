//! Remedies: what fixes a failure, as data. A platform words it for an administrator, the command
//! as its options; the library's own hints name neither.
//!
//! A remedy also determines whether the same run may succeed later with nothing changed, so that a
//! failure's hint, its remedy and its `retryable` never disagree.

/// What fixes a failure. In JSON it is an object with a `kind` and the fields of the variant.
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
        /// Its key, if one setting is at fault.
        setting: Option<String>,
    },
    /// Make a new key and enter it.
    NewKey {
        /// The setting that it belongs in.
        setting: Option<String>,
    },
    /// Get a key, or a role, with more permissions.
    MorePermissions {
        /// The scopes that a key needs. Empty if they are not known.
        scopes: Vec<String>,
    },
    /// Change something in the service, such as verifying a domain.
    ChangeAtService,

    /// Raise a limit, if the connector is trusted.
    RaiseLimit {
        /// Its name, see [`crate::limits::Bound::name`].
        limit: &'static str,
        /// The lowest sufficient value, in the form of a limit's value. `None` if it is not known.
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
    /// Name the service's address in the configuration: it is private, so a connector cannot reach
    /// it.
    NameUpstream,
    /// Declare the range of addresses that the service's name resolves to here, if a VPN or a
    /// resolver of your own answers so.
    AllowRange {
        /// The range, as `198.18.0.0/15`.
        range: String,
    },
    /// Correct the proxy's variable, or ask the person who runs the proxy.
    MendProxy,
    /// Trust the certificate authority of your own proxy or service.
    TrustRoot,
    /// Get the server, or a proxy in its place, a valid certificate; or set this machine's clock.
    MendCertificate,
    /// Allow plain http, if the server is on this machine.
    AllowPlainHttp,
    /// Log in to the registry, or with another login.
    LogIn,

    /// Try again later.
    ComeBack {
        /// After this many seconds, if the service says so.
        after_s: Option<u64>,
        /// The total wait in seconds with which the run would have continued. `None` if waiting is
        /// not what ended it.
        max_wait_s: Option<u64>,
    },
    /// Try again later; if it stays, report it to the publisher of the connector.
    ComeBackOrReport,
    /// Try again later, or accept exactly this shortfall: the same number was missing before.
    AcceptShortfall {
        /// How many records are missing.
        missing: u64,
    },
    /// Start the run again: it was stopped from outside.
    RunAgain,
    /// Wait until another run has ended and its place is free.
    WaitForPlace,
    /// Wait until another run that uses the same file has ended, or use another file.
    WaitForRun {
        /// The purpose of the file.
        of: Place,
    },

    /// Make room, or choose another place.
    MakeRoom {
        /// The purpose.
        of: Place,
    },
    /// Choose another place: this one is taken.
    OtherPlace {
        /// The purpose.
        of: Place,
    },
    /// Begin from the first page again, with the checkpoint removed.
    StartOver,
    /// Free memory, open files or threads on this machine.
    FreeMachine,

    /// Use another file: this host cannot run this one as a connector.
    OtherComponent {
        /// The version of the contract that it must be built for, if that is wrong.
        contract: Option<String>,
    },
    /// Make it a component that imports nothing of WASI.
    Seal,
    /// Make a package, or give a whole one.
    WholePackage,
    /// Get the release as its publisher made it: whole, signed and unchanged.
    TrustedPackage,
    /// Ask the publisher for a signature.
    Sign,
    /// Add this publisher with this connector to the trust file.
    TrustPublisher {
        /// The publisher, by its name in the trust file.
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

    /// Fix the connector, which its author does.
    MendConnector,
    /// Fix the fixture, or record it again.
    MendFixture,
    /// Record an expected outcome for the fixture.
    RecordFixture,
    /// Give fixtures.
    GiveFixtures,
    /// Correct an input that was given with a connector, a package or a reference.
    CorrectInput {
        /// Its name. A message about it begins with it, in backticks.
        input: &'static str,
    },
    /// Give the release a new version: a published one is not replaced.
    NewVersion,
    /// Give the release a new version, or replace the published one on purpose.
    ReplaceRelease,

    /// Follow the message and the hint.
    Other,
}

/// The purpose of a file or a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Place {
    /// The output of a run or a command.
    Output,
    /// The checkpoint of a run.
    Checkpoint,
    /// The report of a run.
    Report,
    /// A report for people, as a page.
    Page,
    /// A stream, such as standard output.
    Stream,
}

impl Remedy {
    /// To try again later, at an unknown time.
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
            | Self::AcceptShortfall { .. }
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
            | Self::AllowRange { .. }
            | Self::MendProxy
            | Self::TrustRoot
            | Self::MendCertificate
            | Self::AllowPlainHttp
            | Self::LogIn
            | Self::MakeRoom { .. }
            | Self::OtherPlace { .. }
            | Self::StartOver
            | Self::FreeMachine
            | Self::OtherComponent { .. }
            | Self::Seal
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

    /// Sets the setting, if the remedy is about one.
    pub(crate) fn about(&mut self, key: &str) {
        if let Self::CorrectSetting { setting } | Self::NewKey { setting } = self {
            setting.get_or_insert_with(|| key.to_owned());
        }
    }

    /// Sets the seconds, if the remedy is to come back.
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
            (
                Remedy::AcceptShortfall { missing: 1 },
                json!({"kind": "accept-shortfall", "missing": 1}),
            ),
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
