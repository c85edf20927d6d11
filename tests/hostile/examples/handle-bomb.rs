//! Has its own resource type beside the contract, and creates handles of it endlessly.

use hostile::{Connector, Failure, MemberPage, Setting};

#[allow(missing_docs, reason = "generated")]
mod handles {
    wit_bindgen::generate!({
        inline: "
            package hostile:handles;
            interface things { resource thing; }
            world bomb { export things; }
        ",
    });

    #[cfg(target_family = "wasm")]
    mod export {
        #![expect(
            unsafe_code,
            reason = "an exported symbol cannot be had without; the macro is the bindings' own"
        )]

        use crate::HandleBomb;
        use crate::handles;

        handles::export!(HandleBomb with_types_in handles);
    }
}

use handles::exports::hostile::handles::things::{Guest, GuestThing, Thing};

struct HandleBomb;

struct Nothing;

impl GuestThing for Nothing {}

impl Guest for HandleBomb {
    type Thing = Nothing;
}

impl Connector for HandleBomb {
    fn collect(_: Vec<Setting>, _: Option<String>) -> Result<MemberPage, Failure> {
        loop {
            std::mem::forget(Thing::new(Nothing));
        }
    }
}

hostile::component!(HandleBomb);
