//! Calls a cursor expired in answer to the first page, for which it was given none.

use hostile::{Connector, Failure, FailureKind, MemberPage, Setting};

struct ExpiresAtOnce;

impl Connector for ExpiresAtOnce {
    fn collect(settings: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        hostile::get(&hostile::people_path(&settings))?;
        Err(Failure { kind: FailureKind::CursorExpired, ..hostile::failure("It expired.") })
    }
}

hostile::component!(ExpiresAtOnce);
