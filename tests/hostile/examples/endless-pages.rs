//! Has endless pages, each with a fresh cursor: `news` gives a new member each time, `nothing`
//! none, `circle` leads back to the second page, and `same` to the requested page.

use hostile::{Connector, Failure, MemberPage, Setting, attack, member, page};

struct EndlessPages;

impl Connector for EndlessPages {
    fn collect(settings: Vec<Setting>, cursor: Option<String>) -> Result<MemberPage, Failure> {
        let number: u64 = cursor.as_deref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let (members, next) = match attack(&settings).as_str() {
            "nothing" => (vec![], number + 1),
            "circle" => (vec![member(&number.to_string())], number % 3 + 1),
            "same" => (vec![member(&number.to_string())], number.max(1)),
            _ => (vec![member(&number.to_string())], number + 1),
        };
        Ok(page(members, Some(&next.to_string())))
    }
}

hostile::component!(EndlessPages);
