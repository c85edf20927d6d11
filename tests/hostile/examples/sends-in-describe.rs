//! Sends a request when it is asked what it is, and tells in its summary what came of it.

use hostile::{Connector, Descriptor, descriptor, get};

struct SendsInDescribe;

impl Connector for SendsInDescribe {
    fn describe() -> Descriptor {
        Descriptor { summary: format!("{:?}", get("/v1/orgs/acme")), ..descriptor() }
    }
}

hostile::component!(SendsInDescribe);
