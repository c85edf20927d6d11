//! Keeps the organization of each call in memory, and returns all that it remembers as members.
//! With an attack, it sends a request first.

use std::sync::Mutex;

use hostile::{
    Connector, Failure, MemberPage, Setting, attack, failure, get, member, organization, page,
    people_path,
};

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Remembers;

impl Connector for Remembers {
    fn collect(settings: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        if attack(&settings) == "ask" {
            get(&people_path(&settings))?;
        }
        let mut seen = SEEN.lock().map_err(|_| failure("the memory is lost"))?;
        seen.push(organization(&settings));
        Ok(page(seen.iter().map(|one| member(one)).collect(), None))
    }
}

hostile::component!(Remembers);
