//! The table of all kinds of findings, and how details become findings.
//!
//! A kind has one class: what is harmless in one case and not in another is two kinds.

use crate::diff::changes::{Class, Effect, Finding};
use smp_host::text;

/// Most details of a finding that are shown. Once these are fixed, a new comparison shows the rest.
const MOST_DETAILS: usize = 15;

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    id: &'static str,
    area: &'static str,
    class: Class,
    effect: Effect,
    title: &'static str,
    /// Empty if there is nothing to do.
    action: &'static str,
}

/// The details found so far.
#[derive(Debug, Default)]
pub(super) struct Found(Vec<(&'static Kind, Vec<Told>)>);

/// A detail, and the number of similar ones.
#[derive(Debug)]
struct Told {
    like: String,
    detail: String,
    others: usize,
}

impl Found {
    /// Adds a detail to the finding of this kind.
    pub(super) fn add(&mut self, kind: &'static Kind, detail: impl Into<String>) {
        let detail = detail.into();
        self.add_like(kind, detail.clone(), detail);
    }

    /// Adds a detail; of similar ones only the first is shown, with their number.
    pub(super) fn add_like(&mut self, kind: &'static Kind, like: String, detail: String) {
        let known = self.0.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            self.0.push((kind, Vec::new()));
            self.0.len() - 1
        });
        let Some((_, details)) = self.0.get_mut(known) else { return };
        match details.iter_mut().find(|told| told.like == like) {
            Some(told) => told.others += 1,
            None => details.push(Told { like, detail, others: 0 }),
        }
    }

    /// Adds a detail of a case. Of the same detail in many cases, only the first is shown.
    pub(super) fn in_case(&mut self, kind: &'static Kind, name: &str, what: String) {
        let detail = format!("{name}: {what}");
        self.add_like(kind, what, detail);
    }

    /// Adds all of these details.
    pub(super) fn extend<S: Into<String>>(
        &mut self,
        kind: &'static Kind,
        details: impl IntoIterator<Item = S>,
    ) {
        details.into_iter().for_each(|detail| self.add(kind, detail));
    }

    /// The findings, the worst first and otherwise in the order of the table.
    pub(super) fn complete(mut self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for kind in ALL {
            let Some(index) = self.0.iter().position(|(known, _)| known == kind) else { continue };
            let (Kind { id, area, class, effect, title, action }, details) =
                self.0.swap_remove(index);
            let more = details.len().saturating_sub(MOST_DETAILS);
            let details = details.into_iter().take(MOST_DETAILS).map(|told| match told.others {
                0 => told.detail,
                others => format!("{} (and {others} more like it)", told.detail),
            });
            let action = (!action.is_empty()).then_some(*action);
            findings.push(Finding {
                id,
                area,
                class: *class,
                effect: *effect,
                title,
                action,
                details: details.collect(),
                more,
            });
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.class));
        findings
    }
}

/// Most characters of a component's text in a detail.
const SHOWN: usize = 200;

/// A text of a component, quoted and safe to show.
pub(super) fn named(word: &str) -> String {
    format!("`{}`", text::shortened(word, SHOWN))
}

/// States that one text of a component became another.
pub(super) fn became(old: &str, new: &str) -> String {
    format!("{} became {}", named(old), named(new))
}

macro_rules! kinds {
    ($($name:ident: $area:ident, $id:literal, $class:ident, $effect:ident, $title:literal, $action:literal;)*) => {
        $(pub(super) static $name: Kind =
            Kind { id: $id, area: $area, class: Class::$class, effect: Effect::$effect, title: $title, action: $action };)*

        /// Every kind, in the order in which findings of one class are shown.
        static ALL: &[&Kind] = &[$(&$name),*];
    };
}

const FILE: &str = "the file";
const AUTHORITY: &str = "what it may do";
const FORM: &str = "the form";
const TRAFFIC: &str = "recorded traffic";
const TEXTS: &str = "texts";

kinds! {
    SAME_FILE: FILE, "same-file", Harmless, None, "Is the same file, byte for byte", "";
    OTHER_CONNECTOR: FILE, "other-connector", Blocking, Stops, "Is another connector",
        "Compare two builds of one connector: settings, approvals and checkpoints are kept for its id.";
    OLDER: FILE, "older-version", Look, None, "Is an older version",
        "Make sure that you mean to go back: faults that were fixed since come back too.";
    SAME_VERSION: FILE, "same-version", Look, None, "Is a different file with the same version",
        "Ask its publisher for a new version number: the file that was checked under this one is a different file.";
    UNORDERED: FILE, "version-unordered", Look, None, "Has a version that is neither older nor newer",
        "Ask its publisher for semantic versions.";
    MAJOR: FILE, "major-version", Look, None, "Is a new major version",
        "Read its changelog: by its number, the publisher announces a breaking change.";
    NEWER: FILE, "newer-version", Harmless, None, "Is a newer version", "";
    CONTRACT: FILE, "contract-version", Look, None, "Is built for another version of the contract",
        "This host serves both. Make sure that every other host that will run it does.";
    IMPORTS_ADDED: FILE, "imports-added", Look, None, "Imports more from the host", "Make sure that it needs it.";
    IMPORTS_REMOVED: FILE, "imports-removed", Harmless, None, "Imports less from the host", "";
    EXPORTS: FILE, "exports", Harmless, None, "Exports other interfaces to the host", "";
    SIZE: FILE, "size", Harmless, None, "Has another size", "";

    ORIGIN: AUTHORITY, "origin", Blocking, MayStop, "Sends the key to another origin",
        "Make sure that the origin is the service's own. Nothing is sent there before it is approved.";
    ORIGINS_ADDED: AUTHORITY, "origins-added", Blocking, None, "May send the key to one more origin, where a setting says so",
        "Make sure that the origin is the service's own. Nothing is sent there before it is approved.";
    HEADERS_SENT: AUTHORITY, "headers-sent", Look, None, "Sends other headers with its requests",
        "Make sure that they mean no more than a version or a media type.";
    HEADERS_READ: AUTHORITY, "headers-read", Look, None, "Reads more headers of the answers", "Make sure that it needs them.";
    CONDITION: AUTHORITY, "endpoint-condition", Look, None, "Needs an endpoint for other values of a setting",
        "Make sure that it should read this for the settings that are stored.";
    POSTS: AUTHORITY, "requests-to-grant", Blocking, None, "Needs requests that are granted by name",
        "Approve them, or the build works only as far as it can without them.";
    WRITES: AUTHORITY, "no-longer-read-only", Blocking, None, "No longer says that a request changes nothing",
        "Make sure that the operator who approved the request approves this too. The host no longer retries it.";
    SCOPES: AUTHORITY, "scopes-added", Blocking, MayStop, "Needs scopes that the stored key may lack",
        "Before the upgrade, make a key with these scopes, or make sure that the stored one has them.";
    ENDPOINTS_ADDED: AUTHORITY, "endpoints-added", Look, None, "Reads more of the service",
        "It may read this as soon as it has the key: make sure that it should.";
    PERMISSIONS_ADDED: AUTHORITY, "permissions-added", Look, None, "Needs more permissions of the person who connects",
        "Make sure that the person who made the stored key has this permission.";
    COLLECTS_MORE: AUTHORITY, "collects-more", Look, None, "Collects more data",
        "Make sure that your agreements about personal data cover it.";
    COLLECTS_LESS: AUTHORITY, "collects-less", Look, None, "No longer collects some data", "Make sure that nothing relies on it.";
    FASTER: AUTHORITY, "faster", Look, None, "Sends requests more often",
        "The service's limit is shared with everything else that uses the organization: make sure that it allows this.";
    PUBLISHED_AS: AUTHORITY, "published-as", Look, None, "Has another name, vendor, status or type", "Make sure that you expect it.";
    ORIGINS_REMOVED: AUTHORITY, "origins-removed", Harmless, None, "No longer sends the key to an origin", "";
    ENDPOINTS_REMOVED: AUTHORITY, "endpoints-removed", Harmless, None, "Reads less of the service", "";
    SCOPES_REMOVED: AUTHORITY, "scopes-removed", Harmless, None, "Needs fewer scopes", "";
    PERMISSIONS_REMOVED: AUTHORITY, "permissions-removed", Harmless, None, "Needs fewer permissions of the person who connects", "";
    READS_ONLY: AUTHORITY, "now-read-only", Harmless, None, "Says that a request changes nothing, so that the host may repeat it", "";
    SLOWER: AUTHORITY, "slower", Harmless, None, "Sends requests less often", "";

    REQUIRED: FORM, "setting-required", Blocking, Stops, "Needs a setting that the old form does not have",
        "Fill it in for every connection as part of the upgrade.";
    NOW_REQUIRED: FORM, "setting-now-required", Blocking, MayStop, "Needs a setting that could be left empty",
        "Before the upgrade, fill it in where it is empty.";
    REMOVED: FORM, "setting-removed", Blocking, Stops, "No longer has a setting that was required",
        "Remove it from what is stored: a host refuses settings that the form does not have.";
    OPTIONAL_REMOVED: FORM, "optional-setting-removed", Blocking, MayStop, "No longer has a setting that may be filled in",
        "Remove it where it is filled in: a host refuses settings that the form does not have.";
    NOW_SECRET: FORM, "setting-now-secret", Blocking, Stops, "Makes a setting secret that was stored as plain text",
        "Have it entered again as a secret, and consider a new one: the old one may have been seen.";
    HANDED_OVER: FORM, "secret-handed-over", Blocking, Stops, "Receives a setting that was secret",
        "Do not upgrade before its publisher explains this: the connector would see the key.";
    ATTACHED: FORM, "secret-attachment", Blocking, MayStop, "Attaches the key to requests in another way",
        "Try it with a key of your own before the upgrade.";
    CHOICES_REMOVED: FORM, "choices-removed", Blocking, MayStop, "No longer accepts a value that can be chosen",
        "Before the upgrade, choose another value where this one is stored.";
    NOW_CHOICE: FORM, "setting-now-a-choice", Blocking, MayStop, "Accepts only some values of a setting that took any text",
        "Before the upgrade, make sure that the stored values are among them.";
    DEFAULT: FORM, "setting-default", Look, None, "Has another value for a setting that is left empty",
        "Look at what it does with the new value: it applies to every connection that leaves the setting empty.";
    OTHER_KEY: FORM, "other-key", Blocking, MayStop, "Needs another kind of key",
        "Before the upgrade, make a key of the kind that it needs.";
    SECRET_ADDED: FORM, "secret-added", Look, None, "Accepts one more secret", "Make sure that it needs it.";
    BEGINNINGS: FORM, "key-beginnings", Look, None, "Recognizes keys by other prefixes",
        "Compare the stored key with them; a setting that is not secret is refused if it begins with one.";
    PATTERN: FORM, "setting-pattern", Look, None, "Warns about values that do not match another pattern",
        "Compare the stored value: one that does not match causes a warning, and is never refused.";
    ADDED: FORM, "setting-added", Harmless, None, "Has a new optional setting", "";
    CHOICES_ADDED: FORM, "choices-added", Harmless, None, "Offers more values to choose from", "";
    NOW_OPTIONAL: FORM, "setting-now-optional", Harmless, None, "Makes a required setting optional", "";
    FORM_ORDER: FORM, "form-order", Harmless, None, "Shows the form in another order", "";

    REFUSED: TRAFFIC, "settings-refused", Blocking, Stops, "Refuses settings that the old one accepts",
        "Look at the settings of these cases: the form of the new build refuses them.";
    NOT_READY: TRAFFIC, "not-ready", Blocking, Stops, "Calls settings not ready that are ready with the old one",
        "Find out why before the upgrade: the platform keeps such a connection from working.";
    ACCOUNT: TRAFFIC, "other-account", Blocking, Stops, "Names another account",
        "A platform would treat the members as those of another organization: ask its publisher how to migrate.";
    ACCOUNT_LOST: TRAFFIC, "account-lost", Blocking, Stops, "Names no account where the old one does",
        "Find out why before the upgrade.";
    LIST_LOST: TRAFFIC, "list-lost", Blocking, None, "Has no list where the old one has one", "Find out why before the upgrade.";
    LOST: TRAFFIC, "members-lost", Blocking, None, "Loses members",
        "Find out why before the upgrade: a platform treats a missing member as one who left.";
    GAINED: TRAFFIC, "members-added", Look, None, "Gives more members", "Make sure that they belong there: they may be billed or shown.";
    CHANGED: TRAFFIC, "members-changed", Look, None, "Changes values of members", "Make sure that the new values are right, and that nothing relies on the old ones.";
    LIST_GAINED: TRAFFIC, "list-gained", Look, None, "Has a list where the old one fails",
        "Make sure that the list is complete: the old build did not accept it.";
    READY_NOW: TRAFFIC, "ready-now", Look, None, "Calls settings ready that are not ready with the old one",
        "Make sure that they are: a platform then retires the old credentials.";
    ACCOUNT_GAINED: TRAFFIC, "account-gained", Look, None, "Names an account where the old one fails", "Make sure that it is the right one.";
    FAILS_AS: TRAFFIC, "fails-otherwise", Look, None, "Fails with another code",
        "Check what depends on the code: a platform decides by it what to show, and when to retry.";
    CHECKS: TRAFFIC, "checks-changed", Look, None, "Has other outcomes in its checks", "Compare the checks of both with `validate`.";
    OTHER_REQUESTS: TRAFFIC, "other-requests", Look, None, "Sends requests that the traffic has no answer to",
        "These cases show nothing about the new build. Record them again with it, or try it on a live organization.";
    NOT_PLAYED: TRAFFIC, "not-played", Look, None, "Could not be compared on some of the traffic",
        "Fix the fixture, or compare on traffic that was recorded with the old build.";
    NOT_SHOWN: TRAFFIC, "members-not-shown", Look, None, "Is not shown to give the same members",
        "Give recorded traffic of a run with the old build.";
    MANY_REQUESTS: TRAFFIC, "many-requests", Look, None, "Sends more than twice as many requests for the same",
        "The service's limit is shared with everything else that uses the organization: make sure that it allows this.";
    MEMORY: TRAFFIC, "memory", Look, None, "Needs more than half of the permitted memory",
        "Larger organizations may fail with it: ask its publisher, or raise the limit `memory`.";
    SEATS: TRAFFIC, "usage-changed", Look, None, "Tells other usage", "Compare the usage that platforms have stored.";
    SAME_MEMBERS: TRAFFIC, "same-members", Harmless, None, "Gives the same members", "";
    KNOWS_MORE: TRAFFIC, "members-known-better", Harmless, None, "Knows more about members", "";
    ORDER: TRAFFIC, "members-order", Harmless, None, "Gives members in another order", "";
    CHECKS_ADDED: TRAFFIC, "checks-added", Harmless, None, "Makes more checks", "";
    REQUESTS: TRAFFIC, "requests", Harmless, None, "Sends another number of requests", "";
    WORDS: TRAFFIC, "report-words", Harmless, None, "Says the same in other words", "";

    CHANGED_TEXTS: TEXTS, "texts-changed", Harmless, None, "Has other texts; `guide` and `inspect` show them", "";
    ATTRIBUTES: TEXTS, "attributes", Harmless, None, "Has other attributes, which mean nothing to this host", "";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_an_id_of_its_own_and_what_is_not_harmless_says_what_to_do() {
        let mut ids: Vec<_> = ALL.iter().map(|kind| kind.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ALL.len());
        for kind in ALL {
            assert_eq!(kind.action.is_empty(), kind.class == Class::Harmless, "{}", kind.id);
            assert!(kind.effect == Effect::None || kind.class == Class::Blocking, "{}", kind.id);
        }
    }

    #[test]
    fn the_worst_comes_first_and_details_are_bounded() {
        let mut found = Found::default();
        found.add(&NEWER, "1 → 2");
        found.extend(&LOST, (0..17).map(|number| number.to_string()));
        (0..3).for_each(|case| found.add_like(&GAINED, "one".into(), format!("{case}: one")));
        let findings = found.complete();
        assert_eq!(
            findings.iter().map(|finding| finding.id).collect::<Vec<_>>(),
            ["members-lost", "members-added", "newer-version"]
        );
        assert_eq!((findings[0].details.len(), findings[0].more), (15, 2));
        assert_eq!(findings[1].details, ["0: one (and 2 more like it)"]);
    }
}
