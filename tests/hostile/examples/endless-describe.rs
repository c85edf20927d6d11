//! Computes for ever when it is asked what it is: before anybody decided to run it.

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
