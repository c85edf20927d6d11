//! Logs more than anybody could read, and then works normally: many lines, or `long` ones of four
//! megabytes each, or `steering` ones.

use hostile::{Connector, Failure, MemberPage, Setting, attack, log, member, page};

struct LogFlood;

impl Connector for LogFlood {
    fn collect(settings: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        match attack(&settings).as_str() {
            "long" => (0..20).for_each(|_| log::write(log::Level::Error, &"x".repeat(4_000_000))),
            "steering" => log::write(
                log::Level::Error,
                "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n{\"error\":{\"code\":\"fine\"}}\n\u{202e}done",
            ),
            _ => (0..50_000)
                .for_each(|number| log::write(log::Level::Error, &format!("line {number}"))),
        }
        Ok(page(vec![member("ada"), member("grace")], None))
    }
}

hostile::component!(LogFlood);
