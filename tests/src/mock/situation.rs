//! The state of an organization or a key: each of the usual mistakes of an administrator.
//!
//! A situation is not a fault: every answer in it is correct. `endpoints` has the answers.

use clap::ValueEnum;

/// A state of the organization or of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Situation {
    /// No mistake: domains are verified, accounts are claimed, the key may see them.
    #[default]
    Usual,
    /// No domain was added, so there are no members.
    NoDomain,
    /// A domain was added and not verified, so there are no members.
    Unverified,
    /// A domain's verification token has gone, so there are no members.
    MissingToken,
    /// A domain is verified and no account was claimed, so there are no members.
    Unclaimed,
    /// There are no members, and the domains are refused with 403.
    DomainsRefused,
    /// The organization is not among the key's, and is answered with 404 `ADMIN-404-2`.
    UnknownOrganization,
    /// The organization is not among the key's, and is answered with 403 `ADMIN-403-3`.
    ForbiddenOrganization,
    /// The key's maker is only a site admin: the organization is listed, its users and domains are
    /// refused with 403.
    SiteAdmin,
}

impl Situation {
    /// Whether the organization has members that the API shows.
    pub(super) fn has_members(self) -> bool {
        matches!(self, Situation::Usual | Situation::SiteAdmin)
    }

    /// Whether the organization is among those of the key.
    pub(super) fn is_listed(self) -> bool {
        !matches!(self, Situation::UnknownOrganization | Situation::ForbiddenOrganization)
    }

    /// The organization's domains: name, how each is claimed, and the state of the claim.
    pub(super) fn domains(self) -> &'static [(&'static str, &'static str, &'static str)] {
        match self {
            Situation::NoDomain | Situation::DomainsRefused => &[],
            Situation::Unverified => &[("example.com", "dns", "unverified")],
            Situation::MissingToken => &[("example.com", "http", "missing_token")],
            Situation::Unclaimed => &[("example.com", "dns", "verified")],
            _ => &[
                ("example.com", "dns", "verified"),
                ("example.org", "http", "verified"),
                ("brightloom.example", "dns", "verified"),
                ("example.net", "dns", "unverified"),
                ("old.example", "dns", "deleted"),
                ("merged.example", "http", "superseded"),
            ],
        }
    }
}
