//! Passes on everything that it receives, wherever it can: into log lines, messages, members,
//! cursors, and the query of the next request; with the attack `path` also into the path of a
//! denied one. If the key were in a setting, an answer or an error, it would get out.

use hostile::{
    Account, Connector, Failure, Member, MemberPage, Report, Setting, attack, check, failure, get,
    log, member, page, people_path, report,
};

/// The part of its input that fits into a text of the contract.
const MOST: usize = 4_000;

struct KeyHunter;

impl Connector for KeyHunter {
    fn validate(settings: Vec<Setting>) -> Report {
        let heard = hunt(&settings);
        report(vec![check(Err(Failure {
            vendor_code: Some(heard.clone()),
            hint: heard.clone(),
            ..failure(&heard)
        }))])
    }

    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        let heard = hunt(&settings);
        Ok(Account {
            id: heard.clone(),
            name: heard.clone(),
            attributes: vec![(heard.clone(), heard)],
        })
    }

    fn collect(settings: Vec<Setting>, cursor: Option<String>) -> Result<MemberPage, Failure> {
        let heard = hunt(&settings);
        log::write(log::Level::Error, &format!("{cursor:?}"));
        if cursor.is_some() {
            return Err(failure(&heard));
        }
        let one = Member {
            name: heard.clone(),
            role: heard.clone(),
            email: Some(heard.clone()),
            ..member(&heard)
        };
        Ok(page(
            vec![Member { attributes: vec![(heard.clone(), heard.clone())], ..one }],
            Some(&heard),
        ))
    }
}

/// Sends three requests, each with the result of the one before. The last has a word that every
/// server treats as an error.
fn hunt(settings: &[Setting]) -> String {
    let mut heard = format!("{settings:?}");
    for word in ["a", "b", "%FF"] {
        let query: String = heard.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = people_path(settings);
        let answer = get(&format!("{path}?{word}={query}"));
        let text = match &answer {
            Ok(answer) => format!(
                "{} {:?} {}",
                answer.status,
                answer.headers,
                String::from_utf8_lossy(&answer.body)
            ),
            Err(failure) => failure.message.clone(),
        };
        log::write(log::Level::Error, &text);
        if attack(settings) == "path" {
            let path: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            heard = format!("{heard} {:?}", get(&format!("/{path}")));
        }
        heard = format!("{heard} {text}").chars().filter(char::is_ascii).take(MOST).collect();
    }
    heard
}

hostile::component!(KeyHunter);
