//! Questions that people ask.

use smp_connector_kit::Question;
use smp_connector_kit::listing::question;

/// The questions with their answers.
pub fn questions() -> Vec<Question> {
    vec![
        question(
            "My domain is verified. Why can I still not connect?",
            "Look whether it really is: verification can take days, and only a green **VERIFIED** \
             beside the domain says that it is done. Then claim at least one account of the \
             domain. Atlassian's API lists managed accounts only, so without a claimed account \
             there is nothing to collect.",
        ),
        question(
            "Which key is the right one?",
            "The API key of the organization, from **Settings > API keys** at \
             admin.atlassian.com. It begins with `ATCTT`. A user's API token, which begins with \
             `ATATT`, is refused.",
        ),
        question(
            "When does the key expire?",
            "On the date chosen when it was created: after a week if nothing was chosen, after a \
             year at the latest. Create a new key before that date and enter it in the form.",
        ),
        question(
            "Why is somebody missing?",
            "Only managed accounts are listed: those of a verified domain that were claimed. \
             Guests with addresses of other domains are not among them.",
        ),
        question(
            "Why is an e-mail address or the last-seen date missing?",
            "People can hide their e-mail address. Activity shows up to 24 hours late, and counts \
             only when a product's page was opened; no date means that none is known.",
        ),
    ]
}
