//! Crashes without a message, in `validate`, `connect` and `collect-members`.

use hostile::{Account, Connector, Failure, MemberPage, Report, Setting};

struct Traps;

impl Connector for Traps {
    fn validate(_: Vec<Setting>) -> Report {
        std::process::abort()
    }

    fn connect(_: Vec<Setting>) -> Result<Account, Failure> {
        std::process::abort()
    }

    fn collect(_: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        std::process::abort()
    }
}

hostile::component!(Traps);
