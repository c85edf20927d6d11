//! Has a descriptor of ten megabytes.

use hostile::{Connector, Descriptor, descriptor};

struct GiantDescriptor;

impl Connector for GiantDescriptor {
    fn describe() -> Descriptor {
        Descriptor { summary: "x".repeat(10_000_000), ..descriptor() }
    }
}

hostile::component!(GiantDescriptor);
