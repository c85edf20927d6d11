//! Exports a function beside the contract's, as some toolchains do.

#[cfg(target_family = "wasm")]
#[expect(unsafe_code, reason = "the export of a function beside the contract's")]
mod more {
    wit_bindgen::generate!({
        inline: "package test:more; world more { export additional: func(); }",
        world: "more",
    });

    struct Additional;

    impl Guest for Additional {
        fn additional() {}
    }

    export!(Additional);
}

use hostile::Connector;

struct ExportsMore;

impl Connector for ExportsMore {}

hostile::component!(ExportsMore);
