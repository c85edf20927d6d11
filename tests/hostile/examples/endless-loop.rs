//! Computes endlessly in `validate`, `connect` and `collect-members`, without allocating or calling
//! the host.

use hostile::{Account, Connector, Failure, MemberPage, Report, Setting};

struct EndlessLoop;

impl Connector for EndlessLoop {
    fn validate(_: Vec<Setting>) -> Report {
        compute_without_end()
    }

    fn connect(_: Vec<Setting>) -> Result<Account, Failure> {
        compute_without_end()
    }

    fn collect(_: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        compute_without_end()
    }
}

fn compute_without_end() -> ! {
    let mut state: u32 = 1;
    loop {
        state = std::hint::black_box(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    }
}

hostile::component!(EndlessLoop);
