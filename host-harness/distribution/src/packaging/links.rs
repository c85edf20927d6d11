//! Where a publisher helps, and where it takes reports of weaknesses: two addresses for the
//! listing.

use super::metadata::WrongEntry;
use smp_listing::is_address;

/// Where to turn to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// For help.
    pub support: Option<String>,
    /// For reports of weaknesses.
    pub security: Option<String>,
}

impl Links {
    /// These links, with missing ones taken from the other.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { support: self.support.or(other.support), security: self.security.or(other.security) }
    }

    /// Checks the form of both.
    ///
    /// # Errors
    /// The first that is no address.
    pub fn check(&self) -> Result<(), WrongEntry> {
        for (entry, address) in [("support", &self.support), ("security", &self.security)] {
            let begins_well = |it: &String| it.starts_with("https://") || it.starts_with("mailto:");
            if address.as_ref().is_some_and(|it| !begins_well(it) || !is_address(it)) {
                let why = "is not an address that begins with `https://` or `mailto:`";
                return Err(WrongEntry { entry, why });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_web_or_to_a_mailbox() {
        for (address, is_fine) in [
            ("https://a.test/help", true),
            ("mailto:help@a.test", true),
            ("http://a.test", false),
            ("javascript:alert(1)", false),
            ("https://good.test@evil.test", false),
            ("a.test", false),
        ] {
            let links = Links { security: Some(address.into()), ..Links::default() };
            assert_eq!(links.check().is_ok(), is_fine, "{address}");
        }
    }
}
