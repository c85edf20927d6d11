//! Makes a component of a core module: with an adapter for WASI preview 1, and with the contract's
//! metadata where the module brings none.

use wasmparser_of_components::{KnownCustom, Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::component::WASI;
use crate::{SealError, wit};

/// Name of the module that preview 1 is imported from.
const PREVIEW_1: &str = "wasi_snapshot_preview1";
const ADAPTER: &str = include_str!("adapter.wat");
const READABLE: &str = include_str!("utf8.wat");

/// What a core module needs to become a component.
#[derive(Debug, Default)]
struct Needs {
    /// Functions of preview 1, with their types as text.
    preview_1: Vec<(String, String)>,
    /// Other modules that it imports from.
    foreign: Vec<String>,
    has_metadata: bool,
    exports_connector: bool,
    exports_usage: bool,
}

/// The component, and the names of what was closed.
pub(crate) fn component_of(module: &[u8]) -> Result<(Vec<u8>, Vec<String>), SealError> {
    let needs = Needs::of(module).map_err(|error| SealError::Unreadable(error.to_string()))?;
    // What it imports of WASI 0.2 is an import of the component too, which is judged next.
    if !needs.foreign.is_empty() {
        return Err(SealError::Foreign(needs.foreign));
    }
    if !needs.exports_connector {
        return Err(SealError::NoConnector);
    }
    let component =
        made(module, &needs).map_err(|error| SealError::NotAComponent(format!("{error:#}")))?;
    let closed = if needs.preview_1.is_empty() { vec![] } else { vec![PREVIEW_1.to_owned()] };
    Ok((component, closed))
}

fn made(module: &[u8], needs: &Needs) -> anyhow::Result<Vec<u8>> {
    let mut module = module.to_vec();
    if !needs.has_metadata {
        let world =
            if needs.exports_usage { "metering-connector-plugin" } else { "connector-plugin" };
        let (resolve, package) = wit::parsed()?;
        let world = resolve.select_world(&[package], Some(world))?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    }
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(&module)?;
    if !needs.preview_1.is_empty() {
        encoder.adapter(PREVIEW_1, &adapter(&needs.preview_1)?)?;
    }
    encoder.encode()
}

/// The adapter. Functions that it does not know trap.
fn adapter(functions: &[(String, String)]) -> anyhow::Result<Vec<u8>> {
    let known = |name: &str| ADAPTER.contains(&format!("(export \"{name}\")"));
    let traps: String = functions
        .iter()
        .filter(|(name, _)| !known(name))
        .map(|(name, ty)| format!("  (func (export {name:?}) {ty} unreachable)\n"))
        .collect();
    let text = ADAPTER.replace(";;UTF-8;;", READABLE).replace(";;TRAPS;;", &traps);
    let mut module = wat::parse_str(text)?;
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("adapter.wit", &format!("{} world adapter {{ import log; }}", wit::LOG))?;
    let world = resolve.select_world(&[package], Some("adapter"))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}

impl Needs {
    fn of(module: &[u8]) -> Result<Self, wasmparser_of_components::BinaryReaderError> {
        let (mut needs, mut types) = (Self::default(), Vec::new());
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for ty in section.into_iter_err_on_gc_types() {
                        types.push(signature(&ty?));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        needs.import(import.module, import.name, import.ty, &types);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let name = export?.name;
                        needs.exports_connector |= is_of(name, "connector");
                        needs.exports_usage |= is_of(name, "usage");
                    }
                }
                Payload::CustomSection(section) => {
                    needs.has_metadata |= matches!(section.as_known(), KnownCustom::Unknown)
                        && section.name().starts_with("component-type");
                }
                _ => {}
            }
        }
        Ok(needs)
    }

    fn import(
        &mut self,
        from: &str,
        name: &str,
        ty: wasmparser_of_components::TypeRef,
        types: &[String],
    ) {
        let of_contract = from.starts_with("smp:connector/") || from.starts_with("[export]");
        let of_wasi = from.starts_with("wasi:") && from.contains(WASI);
        match ty {
            wasmparser_of_components::TypeRef::Func(index) if from == PREVIEW_1 => {
                let ty = usize::try_from(index).ok().and_then(|index| types.get(index));
                self.preview_1.push((name.to_owned(), ty.cloned().unwrap_or_default()));
            }
            _ if of_contract || of_wasi || self.foreign.iter().any(|known| known == from) => {}
            _ => self.foreign.push(from.to_owned()),
        }
    }
}

/// Whether a core export is a function of this interface of the contract.
fn is_of(export: &str, interface: &str) -> bool {
    export
        .strip_prefix("smp:connector/")
        .and_then(|rest| rest.strip_prefix(interface))
        .is_some_and(|rest| rest.starts_with('@') || rest.starts_with('#'))
}

/// The type of a function as text.
fn signature(ty: &wasmparser_of_components::FuncType) -> String {
    let list = |name: &str, types: &[wasmparser_of_components::ValType]| {
        let types: Vec<_> = types.iter().map(ToString::to_string).collect();
        if types.is_empty() { String::new() } else { format!("({name} {})", types.join(" ")) }
    };
    format!("{} {}", list("param", ty.params()), list("result", ty.results()))
}
