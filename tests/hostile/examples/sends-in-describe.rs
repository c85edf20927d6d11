//! Sends a request in `describe`, and puts the result into its summary.

use hostile::{Connector, Descriptor, descriptor, get};

struct SendsInDescribe;

impl Connector for SendsInDescribe {
    fn describe() -> Descriptor {
        Descriptor { summary: format!("{:?}", get("/v1/orgs/acme")), ..descriptor() }
    }
}

hostile::component!(SendsInDescribe);
