//! Returns texts of ten megabytes. The attack names the field.

use hostile::{
    Account, Check, Connector, Failure, Member, MemberKind, MemberPage, MemberStatus, Outcome,
    Product, Report, Setting, attack, check, failure, member, page, report,
};

struct GiantTexts;

impl Connector for GiantTexts {
    fn validate(settings: Vec<Setting>) -> Report {
        let mut one = check(Ok(String::new()));
        match attack(&settings).as_str() {
            "title" => one.title = giant(),
            "id" => one.id = giant(),
            "skipped" => one.outcome = Outcome::Skipped(giant()),
            "failed" => one.outcome = Outcome::Failed(failure(&giant())),
            _ => one.outcome = Outcome::Passed(giant()),
        }
        let other = Check { id: "other".into(), ..check(Ok("All is well.".into())) };
        report(vec![other, one])
    }

    fn connect(settings: Vec<Setting>) -> Result<Account, Failure> {
        let account = Account { id: "1".into(), name: "Giant".into(), attributes: vec![] };
        match attack(&settings).as_str() {
            "message" => Err(failure(&giant())),
            "hint" => Err(Failure { hint: giant(), ..failure("It failed.") }),
            "vendor-code" => Err(Failure { vendor_code: Some(giant()), ..failure("It failed.") }),
            "attribute" => Ok(Account { attributes: vec![("a".into(), giant())], ..account }),
            _ => Ok(Account { name: giant(), ..account }),
        }
    }

    fn collect(settings: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        let one = member("one");
        let (mut products, mut next) = (vec![], None);
        let member = match attack(&settings).as_str() {
            "id" => Member { id: giant(), ..one },
            "email" => Member { email: Some(giant()), ..one },
            "role" => Member { role: giant(), ..one },
            "status" => Member { status: Some(MemberStatus::Other(giant())), ..one },
            "kind" => Member { kind: Some(MemberKind::Other(giant())), ..one },
            "attribute" => Member { attributes: vec![(giant(), String::new())], ..one },
            "product" => {
                products.push(Product { key: "p".into(), name: giant(), site: None });
                one
            }
            "cursor" => {
                next = Some(giant());
                one
            }
            _ => Member { name: giant(), ..one },
        };
        Ok(MemberPage { products, next, ..page(vec![member], None) })
    }
}

fn giant() -> String {
    "x".repeat(10_000_000)
}

hostile::component!(GiantTexts);
