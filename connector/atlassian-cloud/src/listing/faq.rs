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
             domain: of managed accounts nothing else is listed. To list everyone in the \
             organization, no domain is needed.",
        ),
        question(
            "Which key is the right one?",
            "The API key of the organization, from **Organization settings > API keys** (older \
             pages: **Settings > API keys**) at admin.atlassian.com. It begins with `ATCTT`. A \
             user's API token, which begins with `ATATT`, is refused.",
        ),
        question(
            "When does the key expire?",
            "On the date chosen when it was created: after a week if nothing was chosen, after a \
             year at the latest. Create a new key before that date, have it checked in the form, \
             and revoke the old one only then. A key without scopes, or with `read:keys:admin`, \
             lets the connector tell the date.",
        ),
        question(
            "Why is somebody missing?",
            "Of managed accounts only those of a verified domain that were claimed are listed. \
             Guests with addresses of other domains are not among them: choose everyone in the \
             organization to see them.",
        ),
        question(
            "Who is everyone in the organization, and what does external mean?",
            "All people in its directories: the managed accounts, and external ones, which belong \
             to somebody else and have access here, such as guests and contractors. You cannot \
             deactivate an external account, only take its access away.",
        ),
        question(
            "Is the number of people of each product what Atlassian bills?",
            "No. Having used a product is not holding a seat of it, and a collection (Teamwork, \
             Service, Strategy) bills a person once over its products: a sum over products is no \
             bill. Atlassian tells no prices here.",
        ),
        question(
            "Why has a product no number of seats?",
            "Atlassian counts the seats of some products only. A number that is missing is \
             unknown, never zero. A sandbox holds no seats of its own.",
        ),
        question(
            "What does billable mean?",
            "That the account counts as a unique billable user of Atlassian Guard, also when it \
             only uses free products, and while it is suspended. It is never a seat of Jira or \
             Confluence. Atlassian tells it of managed accounts only.",
        ),
        question(
            "Why is an e-mail address or the last-seen date missing?",
            "People can hide their e-mail address. Activity shows up to 24 hours late, and counts \
             only when a product's page was opened; no date means that none is known.",
        ),
    ]
}
