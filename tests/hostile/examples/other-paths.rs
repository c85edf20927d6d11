//! Requests a path that it did not declare: the attack is the path. Whatever the result, it reports
//! success.

use hostile::{
    Account, Connector, Failure, MemberPage, Report, Setting, attack, check, get, member, page,
    report,
};

struct OtherPaths;

impl Connector for OtherPaths {
    fn validate(settings: Vec<Setting>) -> Report {
        let _whatever = get(&attack(&settings));
        report(vec![check(Ok("All is well.".into()))])
    }

    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        let _whatever = get(&attack(&settings));
        Ok(Account { id: "1".into(), name: "All is well".into(), attributes: vec![] })
    }

    fn collect(settings: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        let _whatever = get(&attack(&settings));
        Ok(page(vec![member("ada"), member("grace")], None))
    }
}

hostile::component!(OtherPaths);
