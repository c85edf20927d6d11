//! Requests the same permitted path endlessly, and stops only if it gets no answer.

use hostile::{Connector, Failure, MemberPage, Setting, get, people_path};

struct RequestFlood;

impl Connector for RequestFlood {
    fn collect(settings: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        loop {
            get(&people_path(&settings))?;
        }
    }
}

hostile::component!(RequestFlood);
