//! Questions that people ask.

use crate::descriptor::Question;

/// The questions with their answers.
pub const QUESTIONS: &[Question] = &[
    Question {
        question: "My domain is verified. Why can I still not connect?",
        answer: "Look whether it really is: verification can take days, and only a green **VERIFIED** beside the domain says that it is \
            done. Then claim at least one account of the domain. Atlassian's API lists managed accounts only, so without a claimed \
            account there is nothing to collect.",
    },
    Question {
        question: "Which key is the right one?",
        answer: "The API key of the organization, from **Settings > API keys** at admin.atlassian.com. It begins with `ATCTT`. A user's \
            API token, which begins with `ATATT`, is refused.",
    },
    Question {
        question: "When does the key expire?",
        answer: "On the date chosen when it was created: after a week if nothing was chosen, after a year at the latest. Create a new \
            key before that date and enter it in the form.",
    },
    Question {
        question: "Why is somebody missing?",
        answer: "Only managed accounts are listed: those of a verified domain that were claimed. Guests with addresses of other domains \
            are not among them.",
    },
    Question {
        question: "Why is an e-mail address or the last-seen date missing?",
        answer: "People can hide their e-mail address. Activity shows up to 24 hours late, and counts only when a product's page was \
            opened; no date means that none is known.",
    },
];
