//! Components that no compiler makes, made from text. It has no tests.

use std::fs;

use smp_tests::harness::folder;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve, WorldId};

/// A component of the contract in which every call crashes, with this text in its core module.
pub(crate) fn dummy(more: &str) -> Vec<u8> {
    let (resolve, world) = contract(&[]);
    encoded(&resolve, world, |text| before_the_end(&text, more))
}

/// The same, with this many pages of memory from the start.
pub(crate) fn dummy_with_memory(pages: u32) -> Vec<u8> {
    let (resolve, world) = contract(&[]);
    encoded(&resolve, world, |text| {
        assert!(text.contains("(memory (;0;) 0)"), "{text}");
        text.replace("(memory (;0;) 0)", &format!("(memory (;0;) {pages})"))
    })
}

/// The same, with this text beside its core module.
pub(crate) fn beside_a_dummy(more: &str) -> Vec<u8> {
    let text = wasmprinter::print_bytes(dummy("")).unwrap();
    wat::parse_str(before_the_end(&text, more)).unwrap()
}

/// A component of another contract: this project's, with texts replaced.
pub(crate) fn dummy_of_another_contract(replaced: &[(&str, &str)]) -> Vec<u8> {
    let (resolve, world) = contract(replaced);
    encoded(&resolve, world, |text| text)
}

/// The core module of the component.
pub(crate) fn core_module() -> Vec<u8> {
    let (resolve, world) = contract(&[]);
    core(&resolve, world)
}

/// Nested components, this many levels deep.
pub(crate) fn nested(depth: usize) -> Vec<u8> {
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    const NESTED_COMPONENT: u8 = 4;
    let (mut heads, mut length) = (vec![EMPTY.to_vec()], EMPTY.len());
    for _ in 0..depth {
        let mut head = [EMPTY, &[NESTED_COMPONENT]].concat();
        let mut rest = length;
        while rest >= 0x80 {
            head.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
            rest >>= 7;
        }
        head.push(u8::try_from(rest).unwrap());
        length += head.len();
        heads.push(head);
    }
    heads.into_iter().rev().flatten().collect()
}

fn core(resolve: &Resolve, world: WorldId) -> Vec<u8> {
    dummy_module(resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync))
}

fn encoded(resolve: &Resolve, world: WorldId, change: impl FnOnce(String) -> String) -> Vec<u8> {
    let text = wasmprinter::print_bytes(core(resolve, world)).unwrap();
    let mut module = wat::parse_str(change(text)).unwrap();
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

fn before_the_end(text: &str, more: &str) -> String {
    let end = text.rfind(')').unwrap();
    format!("{}{more})", &text[..end])
}

fn contract(replaced: &[(&str, &str)]) -> (Resolve, WorldId) {
    let copy = tempfile::tempdir().unwrap();
    let mut made = 0;
    for entry in fs::read_dir(folder("../wit")).unwrap().map(Result::unwrap) {
        let mut text = fs::read_to_string(entry.path()).unwrap();
        for (old, new) in replaced {
            made += text.matches(old).count();
            text = text.replace(old, new);
        }
        fs::write(copy.path().join(entry.file_name()), text).unwrap();
    }
    assert!(made >= replaced.len(), "the contract has none of {replaced:?}");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(copy.path()).unwrap();
    let world = resolve.packages[package].worlds["connector-plugin"];
    (resolve, world)
}
