//! Tests with files that are not connectors: of another contract, of another kind, damaged, or of
//! compiled code.

use std::collections::BTreeSet;
use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use smp_host::component::compile::Compiler;
use smp_host::component::engine::{Engine, EngineOptions};
use smp_host::component::plugin::Plugin;
use smp_host::failure::{Code, Failure};
use smp_tests::harness::test_component;

use crate::made;
use crate::setup::{and_another_tenant_is_served, assert_failed, loads, now, tight};

#[test]
fn imports_outside_the_contract_are_refused_by_name() {
    for import in [
        "wasi:cli/environment@0.2.0",
        "wasi:sockets/tcp@0.2.3",
        "wasi:http/outgoing-handler@0.2.0",
        "smp:connector-evil/http@0.2.0",
        "smp:connector/secrets@0.2.0",
        "smp:connector/http@9.9.9",
        "anything",
    ] {
        let bytes = made::beside_a_dummy(&format!(
            "(import \"{import}\" (instance (export \"send\" (func))))"
        ));
        assert_failed(&refusal(&bytes), Code::Component, import);
    }
    and_another_tenant_is_served();
}

#[test]
fn a_version_of_the_contract_that_this_host_does_not_serve_is_refused_by_number() {
    for version in ["9.9.9", "0.1.0", "1.0.0"] {
        let bytes = made::dummy_of_another_contract(&[("@0.2.0", &format!("@{version}"))]);
        assert_failed(
            &refusal(&bytes),
            Code::Component,
            &format!("version {version} of the contract"),
        );
    }
    and_another_tenant_is_served();
}

#[test]
fn a_later_patch_of_the_contract_is_served_as_long_as_it_asks_for_nothing_new() {
    let bytes = made::dummy_of_another_contract(&[("@0.2.0", "@0.2.7")]);
    // It is linked and described; each of its calls crashes on purpose.
    assert_failed(&refusal(&bytes), Code::Trap, "crashed");
    let more =
        [("@0.2.0", "@0.2.7"), ("send: func(", "delete-user: func(id: string);\n    send: func(")];
    assert_failed(
        &refusal(&made::dummy_of_another_contract(&more)),
        Code::Component,
        "delete-user",
    );
    and_another_tenant_is_served();
}

#[test]
fn a_function_that_the_contract_does_not_have_is_refused_by_name() {
    let more = [("send: func(", "delete-user: func(id: string);\n    send: func(")];
    assert_failed(
        &refusal(&made::dummy_of_another_contract(&more)),
        Code::Component,
        "delete-user",
    );
    and_another_tenant_is_served();
}

#[test]
fn types_that_are_not_those_of_the_contract_are_refused() {
    for (changed, code) in [
        (("body: option<list<u8>>", "body: list<u8>"), Code::Component),
        (("message: string);", "message: list<u8>);"), Code::Component),
        (("next: option<cursor>", "next: cursor"), Code::Contract),
        (
            ("describe: func() -> descriptor", "describe: func() -> result<descriptor>"),
            Code::Contract,
        ),
    ] {
        let failure = refusal(&made::dummy_of_another_contract(&[changed]));
        assert_failed(
            &failure,
            code,
            if code == Code::Component {
                "does not fit the contract"
            } else {
                "broke its contract"
            },
        );
    }
    and_another_tenant_is_served();
}

#[test]
fn a_component_that_offers_nothing_is_refused() {
    for text in ["(component)", "(component (import \"smp:connector/log@0.2.0\" (instance)))"] {
        assert_failed(
            &refusal(&wat::parse_str(text).unwrap()),
            Code::Component,
            "does not export the connector",
        );
    }
    and_another_tenant_is_served();
}

#[test]
fn what_is_another_kind_of_file_is_refused() {
    assert_failed(&refusal(&made::core_module()), Code::Component, "core WebAssembly module");
    for bytes in [
        &b""[..],
        b"\0",
        b"#!/bin/sh\n",
        b"PK\x03\x04",
        b"(component)",
        b"\0asm",
        b"\0asm\x0d\0\x01",
        b"\0asm\xff\xff\xff\xff",
    ] {
        assert_eq!(refusal(bytes).code, Code::Component, "{bytes:?}");
    }
    and_another_tenant_is_served();
}

#[test]
fn compiled_code_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("compiled");
    let engine = Engine::new(&EngineOptions {
        cache: Some(cache.clone()),
        ..EngineOptions::new(Compiler::Inside)
    })
    .unwrap();
    now(Plugin::load(&engine, &tame())).unwrap();
    let files: Vec<_> =
        std::fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    let kept = std::fs::read(&files[0]).unwrap();
    let code = kept.windows(4).position(|bytes| bytes == b"\x7fELF").unwrap();
    for bytes in [&kept[..], &kept[code..]] {
        assert_failed(&refusal(bytes), Code::Component, "the file is not WebAssembly");
    }
    and_another_tenant_is_served();
}

#[test]
fn a_component_of_components_within_each_other_is_refused() {
    // Compiling takes the square of the depth: none of these is compiled.
    for depth in [17, 1_000, 100_000] {
        let failure = refusal(&made::nested(depth));
        assert!(
            failure.code == Code::Component && failure.message.contains("nested more than 16 deep"),
            "{depth}: {failure}"
        );
    }
    and_another_tenant_is_served();
}

#[test]
fn a_component_that_was_cut_short_is_refused_wherever_it_was_cut() {
    let whole = tame();
    let ends: BTreeSet<usize> =
        sections(&whole).into_iter().flat_map(|section| [section.start, section.end]).collect();
    assert!(ends.len() > 10, "{ends:?}");
    let steps = (0..whole.len()).step_by(whole.len() / 200);
    for length in ends
        .iter()
        .flat_map(|end| [end.saturating_sub(1), *end, *end + 1])
        .chain(steps)
        .filter(|length| *length < whole.len())
    {
        // Cut between two sections, the rest is a smaller component.
        if let Ok(plugin) = loads(&whole[..length]) {
            assert!(ends.contains(&length), "{length} of {} bytes", whole.len());
            assert_eq!(plugin.descriptor().id, "tame");
        }
    }
    and_another_tenant_is_served();
}

#[test]
fn a_component_with_a_flipped_bit_is_refused_or_does_what_the_contract_allows() {
    // A flip that is detected late costs a compilation: most flips are made where that is quick.
    let ends: BTreeSet<_> = [(tame(), 60), (made::dummy(""), 300)]
        .iter()
        .flat_map(|(whole, flips)| ends_of(whole, *flips))
        .collect();
    for end in ["loaded", "component", "trap"] {
        assert!(ends.contains(end), "no flip ended as {end}: {ends:?}");
    }
    and_another_tenant_is_served();
}

/// How loading a component ends when one bit of it is flipped, for this many flips.
fn ends_of(whole: &[u8], flips: usize) -> BTreeSet<&'static str> {
    let engine =
        Engine::new(&EngineOptions { limits: tight(), ..EngineOptions::new(Compiler::Inside) })
            .unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let flip = |_| {
        let (byte, bit) = (random.random_range(0..whole.len()), random.random_range(0..8));
        let mut flipped = whole.to_vec();
        flipped[byte] ^= 1 << bit;
        match now(Plugin::load(&engine, &flipped)) {
            Ok(plugin) => {
                assert!(!plugin.descriptor().id.is_empty());
                "loaded"
            }
            Err(failure) => {
                let codes = [Code::Component, Code::Contract, Code::Trap, Code::Limit];
                assert!(codes.contains(&failure.code), "bit {bit} of byte {byte}: {failure}");
                failure.code.as_str()
            }
        }
    };
    (0..flips).map(flip).collect()
}

/// Why a file is not loaded. Nothing that steers a terminal is shown of it.
fn refusal(bytes: &[u8]) -> Failure {
    let failure = loads(bytes).err().unwrap();
    assert!(
        failure.message.len() < 1_000 && !failure.message.chars().any(char::is_control),
        "{failure}"
    );
    failure
}

fn tame() -> Vec<u8> {
    std::fs::read(test_component("tame")).unwrap()
}

/// The ranges of the component's sections, including those of its core modules.
fn sections(bytes: &[u8]) -> Vec<Range<usize>> {
    wasmparser::Parser::new(0)
        .parse_all(bytes)
        .filter_map(|payload| payload.unwrap().as_section().map(|(_, range)| range))
        .collect()
}
