//! Crashes in `describe`.

use hostile::{Connector, Descriptor};

struct TrapInDescribe;

impl Connector for TrapInDescribe {
    fn describe() -> Descriptor {
        std::process::abort()
    }
}

hostile::component!(TrapInDescribe);
