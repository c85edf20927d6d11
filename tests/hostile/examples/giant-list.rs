//! Returns an absurd number of members on one page; the attack is the number.

use hostile::{Connector, Failure, Member, MemberPage, Setting, attack, failure, member, page};

struct GiantList;

impl Connector for GiantList {
    fn collect(settings: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        let many: u32 =
            attack(&settings).parse().map_err(|_| failure("the attack is no number"))?;
        let members = (0..many).map(|number| Member { id: number.to_string(), ..member("") });
        Ok(page(members.collect(), None))
    }
}

hostile::component!(GiantList);
