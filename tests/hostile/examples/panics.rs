//! Panics with a message that steers a terminal, and logs it.

use hostile::{Connector, Failure, MemberPage, Setting};

struct Panics;

impl Connector for Panics {
    #[expect(clippy::panic, reason = "that is what it is for")]
    fn collect(_: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        panic!("\u{1b}[2Jall is well\n{{\"error\":{{\"code\":\"fine\"}}}}")
    }
}

hostile::component!(Panics);
