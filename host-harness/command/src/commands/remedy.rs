//! Words remedies as options, subcommands and make targets of this project. The library names none
//! of them, and every hint that is shown passes through this file.

use smp_conformance::check::verdict::Verdict;
use smp_conformance::diff::changes::Changes;
use smp_host::collect::report::RunReport;
use smp_host::failure::Failure;
use smp_host::remedy::{Place, Remedy};
use smp_host::validation::Validation;

/// How to give fixtures. It replaces the library's sentence, which cannot name the options.
const GIVE_FIXTURES: &str =
    "Give fixtures with `--fixtures DIR`; `smp-harness record` makes one from a run.";

/// The failure as the user of this command reads it.
pub(crate) fn worded(failure: &Failure) -> Failure {
    let hint = hint(failure.hint.as_deref(), &failure.remedy);
    Failure { hint, message: message(&failure.message, &failure.remedy), ..failure.clone() }
}

/// The validation, with hints as the user of this command reads them.
pub(crate) fn worded_validation(validation: &Validation) -> Validation {
    validation.clone().worded(hint)
}

/// The verdict, with hints as the user of this command reads them.
pub(crate) fn worded_verdict(verdict: &Verdict) -> Verdict {
    verdict.clone().worded(hint)
}

/// The report, with the failure as the user of this command reads it.
pub(crate) fn worded_report(report: &RunReport) -> RunReport {
    RunReport { error: report.error.as_ref().map(worded), ..report.clone() }
}

/// The changes, with advice as the user of this command reads it.
pub(crate) fn worded_changes(mut changes: Changes) -> Changes {
    for finding in &mut changes.findings {
        match finding.id {
            "requests-to-grant" => {
                finding.action = Some(
                    "Approve them, with `--grant` or on a terminal, or the build works only as \
                     far as it can without them.",
                );
            }
            "members-not-shown" => {
                finding.action = Some(
                    "Give recorded traffic with `--fixtures DIR`; `smp-harness record` makes it \
                     from a run with the old build.",
                );
            }
            _ => {}
        }
    }
    changes
}

/// The whole hint: the library's sentence, and the way in this command.
fn hint(said: Option<&str>, remedy: &Remedy) -> Option<String> {
    if *remedy == Remedy::GiveFixtures {
        return Some(GIVE_FIXTURES.to_owned());
    }
    let ours = way_out(remedy);
    let both: Vec<&str> = said
        .into_iter()
        .map(str::trim)
        .chain(ours.as_deref())
        .filter(|text| !text.is_empty())
        .collect();
    (!both.is_empty()).then(|| both.join(" "))
}

/// The message, with an input named as its option.
fn message(message: &str, remedy: &Remedy) -> String {
    if let Remedy::CorrectInput { input } = remedy
        && let Some(rest) = message.strip_prefix('`').and_then(|rest| rest.strip_prefix(input))
    {
        return format!("`--{input}{rest}");
    }
    message.to_owned()
}

/// The way in this command. `None` if the command has none, or the user has given the option
/// already.
fn way_out(remedy: &Remedy) -> Option<String> {
    Some(match remedy {
        Remedy::GiveSetting { setting, secret: true } => {
            format!(
                "Put it into an environment variable or a file and give its name: `--secret \
                 {setting}=env:NAME` or `--secret {setting}=file:PATH`."
            )
        }
        Remedy::GiveSetting { setting, secret: false } => {
            format!("Give it with `--set {setting}=VALUE`.")
        }
        Remedy::RaiseLimit { limit, to: Some(to) } => format!("`--limit {limit}={to}` does so."),
        Remedy::RaiseLimit { limit, to: None } => format!("`--limit {limit}=…` does so."),
        Remedy::Grant { method, path } => format!("Grant it by name: `--grant '{method} {path}'`."),
        Remedy::ApproveOrigin { origin } => format!("Approve it with `--allow-origin {origin}`."),
        Remedy::NameUpstream => "`--upstream URL` names it.".into(),
        Remedy::AllowRange { range } => format!("`--allow-range {range}` declares it."),
        Remedy::TrustRoot => "Pass its certificate with `--ca-file`.".into(),
        Remedy::AllowPlainHttp => "`--plain-http` does so.".into(),
        Remedy::LogIn => "Log in with `docker login`, or set SMP_REGISTRY_USER and \
                          SMP_REGISTRY_PASSWORD (or SMP_REGISTRY_TOKEN)."
            .into(),
        Remedy::ComeBack { max_wait_s: Some(seconds), .. } => {
            format!("A run with `--max-wait {seconds}` waits that long.")
        }
        Remedy::AcceptShortfall { missing } => format!("`--accept-shortfall {missing}` does so."),
        Remedy::MakeRoom { of } | Remedy::OtherPlace { of } | Remedy::WaitForRun { of } => {
            format!("`{}` names another.", option(*of)?)
        }
        Remedy::StartOver => "It is the file that `--checkpoint` names.".into(),
        Remedy::OtherComponent { contract: None } => "`make component` builds ours.".into(),
        Remedy::Seal => "`smp-harness seal IN.wasm --output OUT.wasm` makes a component of it \
                         that imports and exports only what the contract defines."
            .into(),
        Remedy::WholePackage => {
            "`smp-harness package` makes one, `smp-harness pull` gets one from a registry.".into()
        }
        Remedy::Sign => "`smp-harness sign` signs it.".into(),
        Remedy::TrustPublisher { .. } => "It is the file that `--trust` names.".into(),
        Remedy::MendFixture => "`smp-harness record` records one.".into(),
        Remedy::RecordFixture => {
            "`smp-harness record` makes one of a run, or of a case that `--fixture` names.".into()
        }
        Remedy::CorrectInput { input } => return corrected(input).map(str::to_owned),
        Remedy::ReplaceRelease => "`--overwrite` replaces it anyway.".into(),
        _ => return None,
    })
}

fn option(place: Place) -> Option<&'static str> {
    match place {
        Place::Output => Some("--output"),
        Place::Checkpoint => Some("--checkpoint"),
        Place::Report => Some("--report"),
        Place::Page => Some("--html"),
        _ => None,
    }
}

/// Where an input comes from.
fn corrected(input: &str) -> Option<&'static str> {
    match input {
        "authors" | "description" | "homepage" | "licenses" | "security" | "source" | "support" => {
            Some("`smp-harness package --help` explains each of them.")
        }
        "revision" => Some("It is what `--revision` names."),
        "changelog" => Some("It is the file that `--changelog` names."),
        "sbom" => Some("It is the file that `--sbom` names."),
        "figures" => Some("`make bench` keeps one; `--figures` names it."),
        "ca-file" => Some("`--ca-file` names it."),
        "plain-http" => Some("Leave `--plain-http` away."),
        "reference" => Some("`smp-harness push` prints the reference that it wrote."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use smp_host::failure::Code;

    use super::*;

    #[test]
    fn what_this_command_can_do_about_a_failure_is_said_as_its_options() {
        let later = |max_wait_s| Remedy::ComeBack { after_s: Some(9), max_wait_s };
        let setting = || "api-key".to_owned();
        for (remedy, words) in [
            (
                Remedy::GiveSetting { setting: setting(), secret: true },
                "`--secret api-key=file:PATH`",
            ),
            (Remedy::GiveSetting { setting: setting(), secret: false }, "`--set api-key=VALUE`"),
            (Remedy::RaiseLimit { limit: "cpu", to: None }, "`--limit cpu=…`"),
            (Remedy::RaiseLimit { limit: "cpu", to: Some("20s".into()) }, "`--limit cpu=20s`"),
            (
                Remedy::Grant { method: "POST", path: "/v1/search".into() },
                "`--grant 'POST /v1/search'`",
            ),
            (
                Remedy::ApproveOrigin { origin: "https://a.test".into() },
                "`--allow-origin https://a.test`",
            ),
            (Remedy::NameUpstream, "`--upstream URL`"),
            (Remedy::AllowRange { range: "10.0.0.0/8".into() }, "`--allow-range 10.0.0.0/8`"),
            (Remedy::TrustRoot, "`--ca-file`"),
            (Remedy::MendCertificate, ""),
            (Remedy::MendProxy, ""),
            (Remedy::AllowPlainHttp, "`--plain-http`"),
            (Remedy::LogIn, "`docker login`"),
            (later(Some(30)), "`--max-wait 30`"),
            (Remedy::AcceptShortfall { missing: 2 }, "`--accept-shortfall 2`"),
            (Remedy::MakeRoom { of: Place::Output }, "`--output`"),
            (Remedy::OtherPlace { of: Place::Checkpoint }, "`--checkpoint`"),
            (Remedy::WaitForRun { of: Place::Report }, "`--report`"),
            (Remedy::StartOver, "`--checkpoint`"),
            (Remedy::OtherComponent { contract: None }, "`make component`"),
            (Remedy::Seal, "`smp-harness seal IN.wasm --output OUT.wasm`"),
            (Remedy::WholePackage, "`smp-harness package`"),
            (Remedy::Sign, "`smp-harness sign`"),
            (Remedy::TrustPublisher { publisher: "A".into(), connector: "b".into() }, "`--trust`"),
            (Remedy::MendFixture, "`smp-harness record`"),
            (Remedy::RecordFixture, "`smp-harness record`"),
            (Remedy::GiveFixtures, "`--fixtures DIR`"),
            (Remedy::CorrectInput { input: "revision" }, "`--revision`"),
            (Remedy::ReplaceRelease, "`--overwrite`"),
            (later(None), ""),
            (Remedy::NewKey { setting: None }, ""),
            (Remedy::MakeRoom { of: Place::Page }, "`--html`"),
            (Remedy::MakeRoom { of: Place::Stream }, ""),
            (Remedy::OtherComponent { contract: Some("0.2.0".into()) }, ""),
            (Remedy::Other, ""),
        ] {
            let failure = Failure::new(Code::Other, "It failed")
                .with_hint("Do this.")
                .with_remedy(remedy.clone());
            let hint = worded(&failure).hint.unwrap();
            assert!(hint.contains(words), "{remedy:?}: {hint}");
            assert_eq!(hint == "Do this.", words.is_empty(), "{remedy:?}: {hint}");
            assert!(hint.starts_with("Do this.") || remedy == Remedy::GiveFixtures, "{hint}");
        }
    }

    #[test]
    fn an_input_is_named_as_its_option() {
        let failure = |message: &str| {
            Failure::new(Code::InvalidSettings, message)
                .with_remedy(Remedy::CorrectInput { input: "revision" })
        };
        assert_eq!(worded(&failure("`revision` is empty")).message, "`--revision` is empty");
        assert_eq!(worded(&failure("no `revision`")).message, "no `revision`");
        assert_eq!(worded(&failure("x")).hint.as_deref(), Some("It is what `--revision` names."));
    }
}
