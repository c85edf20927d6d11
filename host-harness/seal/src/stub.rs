//! Makes the stub: a component that exports the interfaces of WASI that another one imports, with
//! exactly the functions and types that it imports, and answers them with constants.
//!
//! Made for each component, it fits any version of WASI 0.2. What is not in the table traps.

use std::fmt::Write;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{
    Function, LiftLowerAbi, ManglingAndAbi, Resolve, ResourceIntrinsic, TypeDefKind, TypeId,
    WasmExport, WasmExportKind, WasmImport, World, WorldId, WorldItem, WorldKey,
};

const PRELUDE: &str = include_str!("stub.wat");
const READABLE: &str = include_str!("utf8.wat");
const ABI: ManglingAndAbi = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);

/// The answers, by interface and function, as WebAssembly text: parameters are `local.get 0` and
/// so on, and a call of `$new-…` makes a resource.
const ANSWERS: &[(&str, &str, &str)] = &[
    ("wasi:cli/environment", "get-environment", "call $nothing"),
    ("wasi:cli/environment", "get-arguments", "call $nothing"),
    ("wasi:cli/environment", "initial-cwd", "call $nothing"),
    ("wasi:cli/environment", "get-initial-cwd", "call $nothing"),
    ("wasi:cli/exit", "exit", "call $end unreachable"),
    ("wasi:cli/exit", "exit-with-code", "call $end unreachable"),
    ("wasi:cli/stdin", "get-stdin", "i32.const 0 call $new-input-stream"),
    ("wasi:cli/stdout", "get-stdout", "i32.const 1 call $new-output-stream"),
    ("wasi:cli/stderr", "get-stderr", "i32.const 2 call $new-output-stream"),
    ("wasi:cli/terminal-stdin", "get-terminal-stdin", "call $nothing"),
    ("wasi:cli/terminal-stdout", "get-terminal-stdout", "call $nothing"),
    ("wasi:cli/terminal-stderr", "get-terminal-stderr", "call $nothing"),
    ("wasi:clocks/monotonic-clock", "now", "call $now"),
    ("wasi:clocks/monotonic-clock", "resolution", "i64.const 1000000"),
    ("wasi:clocks/monotonic-clock", "subscribe-instant", "i32.const 0 call $new-pollable"),
    ("wasi:clocks/monotonic-clock", "subscribe-duration", "i32.const 0 call $new-pollable"),
    ("wasi:clocks/wall-clock", "now", "call $date"),
    ("wasi:clocks/wall-clock", "resolution", "call $step"),
    ("wasi:random/random", "get-random-bytes", "local.get 0 call $bytes"),
    ("wasi:random/random", "get-random-u64", "i64.const 0x5a5a5a5a5a5a5a5a"),
    ("wasi:random/insecure", "get-insecure-random-bytes", "local.get 0 call $bytes"),
    ("wasi:random/insecure", "get-insecure-random-u64", "i64.const 0x5a5a5a5a5a5a5a5a"),
    ("wasi:random/insecure-seed", "insecure-seed", "call $seed"),
    ("wasi:random/insecure-seed", "get-insecure-seed", "call $seed"),
    ("wasi:filesystem/preopens", "get-directories", "call $nothing"),
    ("wasi:filesystem/types", "filesystem-error-code", "call $nothing"),
    ("wasi:io/error", "[method]error.to-debug-string", "call $nothing"),
    ("wasi:io/poll", "[method]pollable.ready", "i32.const 1"),
    ("wasi:io/poll", "[method]pollable.block", ""),
    ("wasi:io/poll", "poll", "local.get 0 local.get 1 call $all"),
    ("wasi:io/streams", "[method]input-stream.read", "i32.const 4 call $closed"),
    ("wasi:io/streams", "[method]input-stream.blocking-read", "i32.const 4 call $closed"),
    ("wasi:io/streams", "[method]input-stream.skip", "i32.const 8 call $closed"),
    ("wasi:io/streams", "[method]input-stream.blocking-skip", "i32.const 8 call $closed"),
    ("wasi:io/streams", "[method]input-stream.subscribe", "i32.const 0 call $new-pollable"),
    ("wasi:io/streams", "[method]output-stream.check-write", "call $room"),
    ("wasi:io/streams", "[method]output-stream.write", SAY),
    ("wasi:io/streams", "[method]output-stream.blocking-write-and-flush", SAY),
    ("wasi:io/streams", "[method]output-stream.flush", "call $nothing"),
    ("wasi:io/streams", "[method]output-stream.blocking-flush", "call $nothing"),
    ("wasi:io/streams", "[method]output-stream.subscribe", "i32.const 0 call $new-pollable"),
    ("wasi:io/streams", "[method]output-stream.write-zeroes", "call $nothing"),
    ("wasi:io/streams", "[method]output-stream.blocking-write-zeroes-and-flush", "call $nothing"),
];
/// The number of the stream is what stands for it.
const SAY: &str = "local.get 0 local.get 1 local.get 2 call $say call $nothing";

/// The stub for what the component of this world imports of WASI. It logs by this version of the
/// contract.
pub(crate) fn component(
    mut resolve: Resolve,
    guest: WorldId,
    version: &str,
) -> anyhow::Result<Vec<u8>> {
    let log = log(&mut resolve, guest, version)?;
    let world = world(&mut resolve, guest, log)?;
    let text = text(&resolve, world)?;
    let mut module = wat::parse_str(text)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default().validate(true).module(&module)?.encode()
}

/// The import of `log`: the guest's own, or one of the same package.
fn log(
    resolve: &mut Resolve,
    guest: WorldId,
    version: &str,
) -> anyhow::Result<(WorldKey, WorldItem)> {
    let name = format!("smp:connector/log@{version}");
    let own = resolve.worlds.get(guest).and_then(|world| {
        let mut imports = world.imports.iter();
        imports.find(|(key, _)| resolve.name_world_key(key) == name)
    });
    if let Some((key, item)) = own {
        return Ok((key.clone(), item.clone()));
    }
    let mut ours = Resolve::default();
    let text = crate::wit::LOG.replace("@0.2.0;", &format!("@{version};"));
    let package = ours.push_str("log.wit", &format!("{text} world logging {{ import log; }}"))?;
    let logging = ours.select_world(&[package], Some("logging"))?;
    let moved = resolve.merge(ours)?.map_world(logging, Default::default())?;
    let import = resolve.worlds.get(moved).and_then(|world| world.imports.first());
    let (key, item) = import.ok_or_else(|| anyhow::anyhow!("the interface `log` is missing"))?;
    Ok((key.clone(), item.clone()))
}

/// The world of the stub: it exports what the guest imports of WASI.
fn world(
    resolve: &mut Resolve,
    guest: WorldId,
    log: (WorldKey, WorldItem),
) -> anyhow::Result<WorldId> {
    let Some(of_guest) = resolve.worlds.get(guest) else { anyhow::bail!("there is no world") };
    let is_wasi = |key: &WorldKey| resolve.name_world_key(key).starts_with("wasi:");
    let exports = of_guest
        .imports
        .iter()
        .filter(|(key, _)| is_wasi(key))
        .map(|(key, item)| (key.clone(), item.clone()))
        .collect();
    let mut stub = of_guest.clone();
    stub.name = "stub".to_owned();
    stub.exports = exports;
    stub.imports = [log].into_iter().collect();
    let package = stub.package;
    let world = resolve.worlds.alloc(World { includes: Vec::new(), ..stub });
    if let Some(package) = package.and_then(|package| resolve.packages.get_mut(package)) {
        package.worlds.insert("stub".to_owned(), world);
    }
    Ok(world)
}

/// The stub's module as text.
fn text(resolve: &Resolve, world: WorldId) -> anyhow::Result<String> {
    let Some(world) = resolve.worlds.get(world) else { anyhow::bail!("there is no world") };
    let (mut imports, mut exports) = (String::new(), String::new());
    for (key, item) in &world.imports {
        let WorldItem::Interface { id, .. } = item else { continue };
        for function in functions(resolve, *id) {
            let import = WasmImport::Func { interface: Some(key), func: function };
            let (module, name) = resolve.wasm_import_name(ABI, import);
            let ty = signature(resolve, function, false);
            writeln!(imports, "(import {module:?} {name:?} (func $log {ty}))")?;
        }
    }
    let mut made = Vec::new();
    for (key, item) in &world.exports {
        let WorldItem::Interface { id, .. } = item else { continue };
        for (name, resource) in resources(resolve, *id) {
            if made.contains(&name)
                || !["input-stream", "output-stream", "pollable"].contains(&name)
            {
                continue;
            }
            let intrinsic = WasmImport::ResourceIntrinsic {
                interface: Some(key),
                resource,
                intrinsic: ResourceIntrinsic::ExportedNew,
            };
            let (module, import) = resolve.wasm_import_name(ABI, intrinsic);
            let ty = "(param i32) (result i32)";
            writeln!(imports, "(import {module:?} {import:?} (func $new-{name} {ty}))")?;
            made.push(name);
        }
    }
    for (key, item) in &world.exports {
        let WorldItem::Interface { id, .. } = item else { continue };
        let full = resolve.name_world_key(key);
        let interface = full.split('@').next().unwrap_or(&full);
        for function in functions(resolve, *id) {
            if function.kind.is_async() {
                anyhow::bail!("{full} has functions that are async");
            }
            let export = WasmExport::Func {
                interface: Some(key),
                func: function,
                kind: WasmExportKind::Normal,
            };
            let name = resolve.wasm_export_name(ABI, export);
            let answer = ANSWERS
                .iter()
                .find(|(of, name, _)| *of == interface && *name == function.name)
                .map(|(.., answer)| *answer)
                .filter(|answer| makes_only(answer, &made))
                .unwrap_or("unreachable");
            let ty = signature(resolve, function, true);
            writeln!(exports, "(func (export {name:?}) {ty} {answer})")?;
        }
    }
    Ok(PRELUDE
        .replace(";;IMPORTS;;", &imports)
        .replace(";;UTF-8;;", READABLE)
        .replace(";;EXPORTS;;", &exports))
}

/// Whether an answer makes no resource but these.
fn makes_only(answer: &str, made: &[&str]) -> bool {
    let mut words = answer.split(' ').filter_map(|word| word.strip_prefix("$new-"));
    words.all(|resource| made.contains(&resource))
}

fn functions(
    resolve: &Resolve,
    interface: wit_parser::InterfaceId,
) -> impl Iterator<Item = &Function> {
    resolve.interfaces.get(interface).into_iter().flat_map(|interface| interface.functions.values())
}

/// Resources that an interface defines itself.
fn resources(
    resolve: &Resolve,
    interface: wit_parser::InterfaceId,
) -> impl Iterator<Item = (&str, TypeId)> {
    let types = resolve.interfaces.get(interface).into_iter().flat_map(|found| &found.types);
    types.filter_map(|(name, id)| {
        let kind = &resolve.types.get(*id)?.kind;
        matches!(kind, TypeDefKind::Resource).then_some((name.as_str(), *id))
    })
}

/// The type of a function on the side of the core module.
fn signature(resolve: &Resolve, function: &Function, exported: bool) -> String {
    let variant = if exported { ABI.export_variant() } else { ABI.import_variant() };
    let signature = resolve.wasm_signature(variant, function);
    let list = |name: &str, types: &[wit_parser::abi::WasmType]| {
        let types: Vec<_> = types.iter().map(|ty| core_type(*ty)).collect();
        if types.is_empty() { String::new() } else { format!("({name} {})", types.join(" ")) }
    };
    format!("{} {}", list("param", &signature.params), list("result", &signature.results))
}

fn core_type(ty: wit_parser::abi::WasmType) -> &'static str {
    use wit_parser::abi::WasmType;
    match ty {
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
    }
}
