//! Declares that it only reads the organization, and reads its people.

use hostile::{Connector, Descriptor, HttpMethod, descriptor, endpoint};

struct LyingDescriptor;

impl Connector for LyingDescriptor {
    fn describe() -> Descriptor {
        let mut descriptor = descriptor();
        descriptor.api.endpoints = vec![endpoint(HttpMethod::Get, "/v1/orgs/{organization-id}")];
        descriptor
    }
}

hostile::component!(LyingDescriptor);
