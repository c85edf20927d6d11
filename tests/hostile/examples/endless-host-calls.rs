//! Calls the host endlessly, for something that is answered at once: `validate` writes log lines,
//! `connect` sends a permitted request, `collect-members` a denied one. It ignores all answers.

use hostile::{
    Account, Connector, Failure, MemberPage, Report, Setting, get, log, organization, people_path,
};

struct EndlessHostCalls;

impl Connector for EndlessHostCalls {
    fn validate(_: Vec<Setting>) -> Report {
        loop {
            log::write(log::Level::Info, "and one more");
        }
    }

    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        loop {
            let _refused = get(&people_path(&settings));
        }
    }

    fn collect(settings: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        loop {
            let _denied = get(&format!("/v1/orgs/{}/secrets", organization(&settings)));
        }
    }
}

hostile::component!(EndlessHostCalls);
