//! Computes endlessly in `describe`, before anybody has decided to run it.

use hostile::{Connector, Descriptor};

struct EndlessDescribe;

impl Connector for EndlessDescribe {
    fn describe() -> Descriptor {
        loop {
            std::hint::black_box(0);
        }
    }
}

hostile::component!(EndlessDescribe);
