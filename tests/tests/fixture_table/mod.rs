//! The table of situations that must never look like a success, and of unusual ones that are a
//! success: the code of each, the texts that an administrator must see, and the fixtures that show
//! it. It has no tests.

use self::Case::{Both, Collect, Usage};

/// A row of the table: a situation, its code, the required words of message and hint, and its
/// cases.
pub(crate) struct Row {
    pub(crate) situation: &'static str,
    pub(crate) code: &'static str,
    pub(crate) says: &'static [&'static str],
    pub(crate) cases: &'static [Case],
}

/// A case: the outcome of `validate` and of `collect`, if it is not the row's code.
pub(crate) enum Case {
    /// Both report the row's code.
    Both(&'static str),
    /// The checks do not notice it, or only warn; the collection ends with the row's code.
    Collect(&'static str),
    /// Checks and members are fine; the usage ends with the row's code.
    Usage(&'static str),
}

impl Case {
    /// The name of the case, and the ends of its validation, its collection and its usage; the last
    /// is empty if the case has none.
    pub(crate) fn ends_in(&self, code: &'static str) -> (&'static str, [&'static str; 3]) {
        match self {
            Both(name) => (name, [code, code, ""]),
            Collect(name) => (name, [READY, code, ""]),
            Usage(name) => (name, [READY, COMPLETE, code]),
        }
    }
}

/// The end of a validation that found nothing wrong.
pub(crate) const READY: &str = "ready";
/// The end of a collection with a complete list.
pub(crate) const COMPLETE: &str = "complete";

/// Every situation with its cases. A case may be in several rows.
pub(crate) const TABLE: &[Row] = &[
    Row {
        situation: "401: wrong, expired or revoked key",
        code: "credentials",
        says: &["wrong", "expired", "revoked"],
        cases: &[
            Both("key-not-accepted"),
            Both("key-not-accepted-with-a-code"),
            Both("key-not-accepted-by-the-members-call"),
        ],
    },
    Row {
        situation: "401 or 403 that speaks of scope",
        code: "permission",
        says: &["read:orgs:admin", "read:accounts:admin", "read:domains:admin"],
        cases: &[
            Both("key-lacks-a-scope-401"),
            Both("key-lacks-a-scope-403"),
            Both("key-lacks-the-scope-for-members"),
        ],
    },
    Row {
        situation: "everyone, 401 or 403, whatever it speaks of",
        code: "permission",
        says: &[
            "read:orgs:admin",
            "read:directories:admin",
            "read:workspaces:admin",
            "without scopes",
            "(40",
            "/admin/v2/orgs/{organization-id}/",
        ],
        cases: &[
            Both("everyone-and-the-key-lacks-a-scope-401"),
            Both("everyone-and-the-key-lacks-a-scope-403"),
            Both("everyone-and-the-key-lacks-the-scope-for-sites"),
        ],
    },
    Row {
        situation: "everyone, and a key that is none",
        code: "credentials",
        says: &["wrong", "expired", "revoked", "read:directories:admin", "read:workspaces:admin"],
        cases: &[Both("everyone-and-the-key-is-not-accepted")],
    },
    Row {
        situation: "everyone, and no products are told",
        code: "other",
        says: &["without the products", "without scopes", "managed accounts only"],
        cases: &[Both("everyone-without-products")],
    },
    Row {
        situation: "everyone, and the organization is empty",
        code: "no-members",
        says: &["No one is in a directory", "Directory, then Users"],
        cases: &[Both("everyone-where-nobody-is")],
    },
    Row {
        situation: "403, and the organization is among the key's or that cannot be told",
        code: "permission",
        says: &["organization admin", "site admin"],
        cases: &[
            Both("key-maker-is-no-organization-admin"),
            Both("key-maker-may-not-read-the-members"),
            Both("organizations-of-the-key-refused"),
        ],
    },
    Row {
        situation: "403 and the organization is not among the key's, or 404 of the organization",
        code: "not-found",
        says: &["Organization ID", "admin.atlassian.com"],
        cases: &[
            Both("organization-not-among-those-of-the-key"),
            Both("organization-not-found"),
            Both("organization-not-found-as-a-single-error"),
        ],
    },
    Row {
        situation: "any other 404",
        code: "unexpected-response",
        says: &["GET /admin/v1/orgs/{organization-id}", "404"],
        cases: &[Both("resource-not-found"), Both("route-not-found")],
    },
    Row {
        situation: "an empty list, no domain",
        code: "no-members",
        says: &["no domain is verified", "verify a domain", "days"],
        cases: &[Both("no-domain"), Both("only-domains-that-were-given-up")],
    },
    Row {
        situation: "an empty list, a domain waiting",
        code: "no-members",
        says: &["no domain is verified", "Waiting for verification: acme", "days"],
        cases: &[
            Both("no-domain-verified"),
            Both("domains-in-several-states"),
            Both("many-domains-not-verified"),
        ],
    },
    Row {
        situation: "an empty list, the token of a domain missing",
        code: "no-members",
        says: &["no domain is verified", "Verification token missing", ".example", "TXT"],
        cases: &[Both("domain-token-missing"), Both("domains-in-several-states")],
    },
    Row {
        situation: "an empty list, a domain verified and no account claimed",
        code: "no-members",
        says: &["acme.example is verified", "claim", "at least one"],
        cases: &[
            Both("no-account-claimed"),
            Both("no-account-claimed-and-a-domain-waiting"),
            Both("no-members-on-any-page"),
        ],
    },
    Row {
        situation: "an empty list, and the domains call refused",
        code: "no-members",
        says: &[
            "could not be looked up",
            "GET /admin/v1/orgs/{organization-id}/domains",
            "VERIFIED",
        ],
        cases: &[
            Both("no-members-and-domains-refused"),
            Both("no-members-and-domains-not-in-scope"),
        ],
    },
    Row {
        situation: "not an answer of the API, with status 200",
        code: "unexpected-response",
        says: &["GET /admin/v1/orgs/{organization-id}"],
        cases: &[
            Both("web-page-in-place-of-members"),
            Both("web-page-in-place-of-everything"),
            Both("members-cut-short"),
            Both("members-missing-from-the-answer"),
            Both("empty-body"),
            Both("members-not-utf-8"),
            Both("members-nested-too-deep"),
            Both("members-too-large"),
            Both("list-of-members-is-an-object"),
            Both("member-is-null"),
            Both("member-is-a-text"),
            Both("account-id-is-a-number"),
            Both("account-without-an-id"),
            Both("products-are-a-text"),
            Both("next-link-is-a-number"),
            Both("next-link-without-a-cursor"),
            Both("another-organization-answers"),
            Both("error-with-status-200"),
        ],
    },
    Row {
        situation: "a status that the service does not document",
        code: "unexpected-response",
        says: &["GET /admin/v1/orgs/{organization-id}"],
        cases: &[
            Both("redirect"),
            Both("status-without-meaning"),
            Collect("bad-request-of-another-kind"),
        ],
    },
    Row {
        situation: "429 past the waiting budget",
        code: "rate-limited",
        says: &["429", "GET /admin/v1/orgs/{organization-id}"],
        cases: &[
            Both("too-many-requests-for-an-hour"),
            Both("too-many-requests-without-end"),
            Collect("too-many-requests-on-the-second-page"),
        ],
    },
    Row {
        situation: "5xx, dropped connection, time-out past the retry budget",
        code: "upstream",
        says: &["GET /admin/v1/orgs/{organization-id}", "status.atlassian.com"],
        cases: &[
            Both("service-unavailable"),
            Both("maintenance-page"),
            Both("service-back-in-two-hours"),
            Both("server-error-on-the-members"),
            Both("connection-dropped"),
            Both("no-answer-in-time"),
        ],
    },
    Row {
        situation: "a cursor refused midway, again after the restart",
        code: "cursor-expired",
        says: &["GET /admin/v1/orgs/{organization-id}/users"],
        cases: &[Collect("cursor-refused-twice")],
    },
    Row {
        situation: "pages that do not end",
        code: "unexpected-response",
        says: &["list"],
        cases: &[
            Collect("same-cursor-again"),
            Collect("pages-in-a-circle"),
            Collect("same-members-without-end"),
            Both("empty-pages-without-end"),
        ],
    },
    Row {
        situation: "fewer accounts than the smaller total",
        code: "incomplete",
        says: &["3 of 5"],
        cases: &[Collect("fewer-members-than-told")],
    },
    Row {
        situation: "everyone, and fewer people than both counts",
        code: "incomplete",
        says: &["2 of 3"],
        cases: &[Collect("everyone-fewer-than-counted")],
    },
    Row {
        situation: "seats, and a key without the scope for them",
        code: "permission",
        says: &["read:workspaces:admin", "new key"],
        cases: &[Usage("seats-and-the-key-lacks-the-scope")],
    },
    Row {
        situation: "seats in another shape than documented",
        code: "unexpected-response",
        says: &["data[0].attributes.capacity"],
        cases: &[Usage("seats-and-a-capacity-in-words")],
    },
    Row {
        situation: "a web page in place of seats",
        code: "unexpected-response",
        says: &["web page", "proxy"],
        cases: &[Usage("seats-and-a-web-page")],
    },
    Row {
        situation: "no product site, and an organization that cannot be named",
        code: "not-found",
        says: &["Organization ID"],
        cases: &[Usage("seats-of-no-product-and-no-organization")],
    },
    Row {
        situation: "seats of fewer product sites than told",
        code: "incomplete",
        says: &["2 of 3"],
        cases: &[Usage("seats-fewer-than-told")],
    },
    Row {
        situation: "what looks odd and is a success",
        code: COMPLETE,
        says: &[],
        cases: &[
            Collect("acme"),
            Collect("organization-id-with-spaces-around-it"),
            Collect("organization-id-of-unusual-shape"),
            Collect("key-lacks-the-scope-for-domains"),
            Collect("domains-refused-but-members-there"),
            Collect("domain-token-missing-but-members-there"),
            Collect("web-page-in-place-of-domains"),
            Collect("too-many-requests-for-a-moment"),
            Collect("too-many-requests-until-the-limit-is-reset"),
            Collect("service-unavailable-for-a-moment"),
            Collect("connection-dropped-once"),
            Collect("cursor-refused-once"),
            Collect("empty-page-in-the-middle"),
            Collect("empty-page-at-the-beginning"),
            Collect("members-leave-meanwhile"),
            Collect("members-join-meanwhile"),
            Collect("members-on-two-pages"),
            Collect("no-total"),
            Collect("total-is-a-text"),
            Collect("next-page-on-another-host"),
            Collect("next-page-as-a-bare-cursor"),
            Collect("only-apps-and-customers"),
            Collect("unicode-domain"),
            Collect("every-oddity-of-a-member"),
            Collect("a-page-of-a-hundred-kilobytes"),
            Collect("domain-waiting-but-members-there"),
            Collect("dates-that-mean-nothing"),
            Collect("name-is-a-list"),
            Collect("email-is-an-object"),
            Collect("last-active-is-a-number"),
            Collect("service-account-among-the-managed"),
            Collect("organization-in-the-government-cloud"),
            Collect("key-that-was-used-last"),
            Collect("key-known-by-its-name"),
            Collect("key-name-that-no-key-has"),
            Collect("keys-that-may-both-be-ours"),
            Collect("keys-that-cannot-be-read"),
            Collect("everyone-in-the-organization"),
            Collect("everyone-of-sites-on-two-pages"),
            Collect("everyone-of-more-sites-than-a-cursor-holds"),
            Collect("everyone-joins-meanwhile"),
            Collect("everyone-leaves-meanwhile"),
            Usage("seats"),
            Usage("seats-of-no-product"),
            Usage("seats-and-the-cursor-is-refused-once"),
        ],
    },
];
