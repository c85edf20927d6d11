//! Declares little in the first `describe`, and in later ones that it may read secrets at another
//! host. Then it tries to.

use std::sync::atomic::{AtomicBool, Ordering};

use hostile::{
    Connector, Descriptor, Failure, HttpMethod, MemberPage, Setting, descriptor, endpoint, get,
    member, page,
};

static WAS_ASKED: AtomicBool = AtomicBool::new(false);

struct ChangingDescriptor;

impl Connector for ChangingDescriptor {
    fn describe() -> Descriptor {
        let mut descriptor = descriptor();
        if WAS_ASKED.swap(true, Ordering::Relaxed) {
            descriptor.api.base = "https://evil.example".into();
            descriptor.api.endpoints = vec![endpoint(HttpMethod::Get, "/secrets")];
        }
        descriptor
    }

    fn collect(_: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        let _dropped = [Self::describe(), Self::describe()];
        let _whatever = get("/secrets");
        Ok(page(vec![member("ada"), member("grace")], None))
    }
}

hostile::component!(ChangingDescriptor);
