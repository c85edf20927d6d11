//! Names of products by their keys, for answers that give a key only.
//!
//! It is not a list of all products: the vendor's own is outdated and open. A name in an answer
//! takes precedence, and an unknown key has no name here.

/// Keys with the names under which the vendor sells or sold them.
const NAMES: [(&str, &str); 21] = [
    ("avp", "Atlassian Analytics"),
    ("beacon", "Atlassian Guard Detect"),
    ("bitbucket", "Bitbucket"),
    ("compass", "Compass"),
    ("confluence", "Confluence"),
    ("hipchat", "Hipchat"),
    ("jira", "Jira"),
    ("jira-core", "Jira Work Management"),
    ("jira-ops", "Jira Ops"),
    ("jira-product-discovery", "Jira Product Discovery"),
    ("jira-service-desk", "Jira Service Management"),
    ("jira-service-management", "Jira Service Management"),
    ("jira-servicedesk", "Jira Service Management"),
    ("jira-software", "Jira"),
    ("loom", "Loom"),
    ("mercury", "Focus"),
    ("opsgenie", "Opsgenie"),
    ("statuspage", "Statuspage"),
    ("stride", "Stride"),
    ("townsquare", "Atlassian Home"),
    ("trello", "Trello"),
];

/// The name of the product with this key.
pub fn name_of(key: &str) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| *known == key).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_key_has_a_name() {
        assert_eq!(name_of("confluence"), Some("Confluence"));
        assert_eq!(name_of("jira-servicedesk"), Some("Jira Service Management"));
    }

    #[test]
    fn an_unknown_key_has_none() {
        assert_eq!(name_of("brand-new"), None);
        assert_eq!(name_of(""), None);
    }

    #[test]
    fn every_documented_and_every_seen_key_is_known() {
        let keys = "jira-software jira-service-desk jira-core jira-ops stride hipchat confluence \
                    bitbucket trello opsgenie statuspage jira jira-servicedesk \
                    jira-service-management jira-product-discovery compass loom townsquare avp \
                    beacon mercury";
        for key in keys.split_whitespace() {
            assert!(name_of(key).is_some(), "{key}");
        }
    }
}
