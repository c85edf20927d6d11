//! Returns members whose texts steer a terminal, a spreadsheet, a reader's eye or a line-based
//! reader.

use hostile::{
    Advice, Affiliation, Connector, Failure, Member, MemberKind, MemberPage, MemberStatus, Product,
    ProductUse, Setting, member, page,
};

const STEERING: [&str; 9] = [
    "\u{1b}[2J\u{1b}[31mred\u{1b}]0;owned\u{7}",
    "\u{9b}2Jc1",
    "nul\0and\u{8}\u{7f}back",
    "one\nadmin,admin,admin\r\n{\"id\":\"forged\"}",
    "\u{202e}txt.exe\u{2066}\u{200b}\u{feff}",
    "line\u{2028}separator",
    "=HYPERLINK(\"http://evil.example\")",
    "\t@SUM(1)|cmd' /C calc'!A0",
    "\u{e0001}\u{200f}tag",
];

struct SteeringMembers;

impl Connector for SteeringMembers {
    fn collect(_: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        let text = |text: &str| text.to_owned();
        let products = STEERING.iter().map(|steering| Product {
            key: text(steering),
            name: text(steering),
            site: Some(text(steering)),
        });
        let members = STEERING.iter().zip(0..).map(|(steering, product)| Member {
            email: Some(text(steering)),
            role: text(steering),
            uses: vec![ProductUse { product, last_active: None }],
            status: Some(MemberStatus::Other(text(steering))),
            kind: Some(MemberKind::Other(text(steering))),
            affiliation: Some(Affiliation::Other(text(steering))),
            attributes: vec![(text(steering), text(steering))],
            ..member(steering)
        });
        let notes = STEERING.iter().map(|steering| Advice {
            message: text(steering),
            hint: text(steering),
            setting: None,
        });
        Ok(MemberPage {
            products: products.collect(),
            notes: notes.collect(),
            ..page(members.collect(), None)
        })
    }
}

hostile::component!(SteeringMembers);
