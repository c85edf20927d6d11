//! Allocates memory, a megabyte at a time, and writes to all of it, until the host refuses more.
//! The attack says what follows: `greed` insists, `modesty` frees everything and continues
//! normally.

use hostile::{Connector, Failure, MemberPage, Setting, attack, failure, member, page};

const MIB: usize = 1024 * 1024;

struct MemoryBomb;

impl Connector for MemoryBomb {
    fn collect(settings: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        let mut hoard: Vec<Vec<u8>> = Vec::new();
        loop {
            let mut more = Vec::new();
            if attack(&settings) == "modesty" && more.try_reserve_exact(MIB).is_err() {
                drop(hoard);
                return Ok(page(vec![member("ada"), member("grace")], None));
            }
            more.resize(MIB, 0xa5);
            hoard.push(more);
            if hoard.len() > 4096 {
                return Err(failure("there was no end to the memory"));
            }
        }
    }
}

hostile::component!(MemoryBomb);
