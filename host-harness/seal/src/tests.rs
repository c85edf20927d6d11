//! Tests of what goes in and comes out, on components in which every call traps. What the stub
//! answers is tested with a host, in `tests/tests/seal.rs`.

use wit_component::{
    ComponentEncoder, DecodedWasm, StringEncoding, dummy_module, embed_component_metadata,
};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, WorldId};

use super::*;

/// WASI as far as these tests need it, in this version.
fn wasi(version: &str) -> String {
    format!(
        "package wasi:io@{version};
         interface poll {{ resource pollable {{ block: func(); }} }}
         interface streams {{
            use poll.{{pollable}};
            resource output-stream {{ subscribe: func() -> pollable; }}
         }}
         interface strange {{ ask: func(what: list<string>) -> result<u64, string>; }}"
    )
}

/// A world, and the texts of the packages that it needs.
fn module(world: &str, packages: &[String]) -> (wit_parser::Resolve, WorldId, Vec<u8>) {
    let (mut resolve, _) = wit::parsed().unwrap();
    for package in packages {
        resolve.push_str("package.wit", package).unwrap();
    }
    let text = format!("package test:guest; world guest {{ {world} }}");
    let package = resolve.push_str("guest.wit", &text).unwrap();
    let world = resolve.select_world(&[package], Some("guest")).unwrap();
    let abi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
    let module = dummy_module(&resolve, world, abi);
    (resolve, world, module)
}

fn guest(world: &str, packages: &[String]) -> Vec<u8> {
    let (resolve, world, mut module) = module(world, packages);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// Names of the imports and exports of a component.
fn names(component: &[u8]) -> (Vec<String>, Vec<String>) {
    let Ok(DecodedWasm::Component(resolve, world)) = wit_component::decode(component) else {
        panic!("no component")
    };
    let world = &resolve.worlds[world];
    let names = |keys: Vec<&wit_parser::WorldKey>| {
        keys.into_iter().map(|key| resolve.name_world_key(key)).collect()
    };
    (names(world.imports.keys().collect()), names(world.exports.keys().collect()))
}

const CONTRACT: &str = "import smp:connector/http@0.2.0; import smp:connector/log@0.2.0;
                        export smp:connector/connector@0.2.0;";

#[test]
fn every_version_of_wasi_is_closed_and_foreign_exports_are_left_out() {
    for version in ["0.2.0", "0.2.6", "0.2.12"] {
        let world = format!(
            "{CONTRACT} import wasi:io/streams@{version}; import wasi:io/strange@{version};
             export init: func();"
        );
        let guest = guest(&world, &[wasi(version)]);
        let sealed = seal(&guest).unwrap();
        let (imports, exports) = names(&sealed.component);
        assert_eq!(imports, ["smp:connector/http@0.2.0", "smp:connector/log@0.2.0"]);
        assert_eq!(exports, ["smp:connector/connector@0.2.0"]);
        let closed: Vec<_> = ["poll", "streams", "strange"]
            .map(|interface| format!("wasi:io/{interface}@{version}"))
            .to_vec();
        assert_eq!((sealed.closed, sealed.left_out), (closed, vec!["init".to_owned()]));
        assert_eq!(seal(&guest).unwrap().component, sealed.component, "equal bytes");
    }
}

#[test]
fn a_component_that_logs_nothing_and_tells_usage_is_sealed_too() {
    let world = "import wasi:io/streams@0.2.6; export smp:connector/connector@0.2.0;
                 export smp:connector/usage@0.2.0;";
    let sealed = seal(&guest(world, &[wasi("0.2.6")])).unwrap();
    let (imports, exports) = names(&sealed.component);
    // The contract's own types are those of `http`.
    assert_eq!(imports, ["smp:connector/http@0.2.0", "smp:connector/log@0.2.0"]);
    assert_eq!(exports, ["smp:connector/connector@0.2.0", "smp:connector/usage@0.2.0"]);
}

#[test]
fn what_is_closed_already_stays_as_it_is() {
    let guest = guest(CONTRACT, &[]);
    let sealed = seal(&guest).unwrap();
    assert_eq!(sealed.component, guest);
    assert!(sealed.closed.is_empty() && sealed.left_out.is_empty());
    assert_eq!(seal(&sealed.component).unwrap(), sealed);
}

#[test]
fn a_core_module_without_metadata_gets_that_of_the_contract() {
    for (world, exports) in
        [(CONTRACT.to_owned(), 1), (format!("{CONTRACT} export smp:connector/usage@0.2.0;"), 2)]
    {
        let sealed = seal(&module(&world, &[]).2).unwrap();
        let (imports, exported) = names(&sealed.component);
        assert_eq!(imports.len(), 2, "{imports:?}");
        assert_eq!(exported.len(), exports, "{exported:?}");
    }
}

#[test]
fn what_cannot_be_closed_is_refused_by_its_name_and_with_a_way_out() {
    let http = "package wasi:http@0.2.3; interface types { send: func(); }".to_owned();
    let own = "package mine:clock; interface clock { now: func() -> u64; }".to_owned();
    let deep = (0..20).fold("(component)".to_owned(), |inside, _| format!("(component {inside})"));
    let many: String =
        (0..10_001).map(|number| format!("(import \"wasi{number}\" \"f\" (func))")).collect();
    let rows: [(Vec<u8>, &str); 9] = [
        (
            guest(&format!("{CONTRACT} import wasi:http/types@0.2.3;"), &[http]),
            "it sends requests by itself: it imports wasi:http/types@0.2.3",
        ),
        (
            guest(&format!("{CONTRACT} import mine:clock/clock;"), &[own]),
            "it imports interfaces that are neither of the contract nor of WASI 0.2: \
             mine:clock/clock",
        ),
        (guest("export run: func();", &[]), "it does not export the connector interface"),
        (module("export run: func();", &[]).2, "it does not export the connector interface"),
        (
            wat::parse_str("(module (import \"env\" \"now\" (func)))").unwrap(),
            "it imports interfaces that are neither of the contract nor of WASI 0.2: env",
        ),
        (
            wat::parse_str(deep).unwrap(),
            "the file is beyond what is sealed: it has components inside",
        ),
        (
            wat::parse_str(format!("(module {many})")).unwrap(),
            "the file is beyond what is sealed: it has more than 10000 imports",
        ),
        (b"text".to_vec(), "the file is not a WebAssembly component or module: "),
        (b"\0asm\x01\0\0\0\xff".to_vec(), "the file is not a WebAssembly component or module: "),
    ];
    for (bytes, words) in rows {
        let error = seal(&bytes).unwrap_err();
        assert!(error.to_string().starts_with(words), "{error}");
        assert!(error.hint().ends_with('.'));
    }
}

#[test]
fn a_core_module_with_wasi_is_sealed_like_its_component_and_told_the_same() {
    let world = format!("{CONTRACT} import wasi:io/streams@0.2.6; import wasi:io/strange@0.2.6;");
    let with_types = |world: &str, packages: &[String]| {
        let (resolve, world, mut module) = module(world, packages);
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        module
    };
    let sealed = seal(&with_types(&world, &[wasi("0.2.6")])).unwrap();
    assert_eq!(sealed.closed.len(), 3, "{:?}", sealed.closed);
    assert_eq!(sealed, seal(&guest(&world, &[wasi("0.2.6")])).unwrap());
    let http = "package wasi:http@0.2.3; interface types { send: func(); }".to_owned();
    let world = format!("{CONTRACT} import wasi:http/types@0.2.3;");
    let error = seal(&with_types(&world, &[http])).unwrap_err();
    assert!(matches!(error, SealError::SendsItself(_)), "{error}");
}

#[test]
fn a_message_names_the_first_imports_and_counts_the_others() {
    let names: String =
        (0..50).map(|number| format!("(import \"other{number}\" \"f\" (func))")).collect();
    let error = seal(&wat::parse_str(format!("(module {names})")).unwrap()).unwrap_err();
    assert!(error.to_string().ends_with("other18, other19, and 30 more"), "{error}");
    let long = format!("(module (import \"{}\" \"f\" (func)))", "n".repeat(5_000));
    let error = seal(&wat::parse_str(long).unwrap()).unwrap_err().to_string();
    assert!(error.len() < 300 && error.ends_with('…'), "{error}");
}

#[test]
fn the_files_of_the_contract_are_those_of_its_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, wit::FILES.map(|(name, _)| name));
}
