//! Composes a component with a stub for its imports of WASI.

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions};
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldId};

use crate::{SealError, Sealed, stub};

/// What the contract's package is called in names of imports and exports.
const CONTRACT: &str = "smp:connector/";
/// The version of WASI that is closed.
pub(crate) const WASI: &str = "@0.2.";

/// Seals a component.
pub(crate) fn seal(bytes: &[u8]) -> Result<Sealed, SealError> {
    let (resolve, world) = decoded(bytes)?;
    let items = resolve
        .worlds
        .get(world)
        .ok_or_else(|| SealError::Unreadable("it has no world".to_owned()))?;
    let imports = items.imports.keys().map(|key| resolve.name_world_key(key));
    let open: Vec<String> = imports.filter(|name| !name.starts_with(CONTRACT)).collect();
    let exports: Vec<String> =
        items.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    let of = |judge: &dyn Fn(&String) -> bool| -> Vec<String> {
        open.iter().filter(|name| judge(name)).cloned().collect()
    };
    let sends = of(&|name| name.starts_with("wasi:http/"));
    if !sends.is_empty() {
        return Err(SealError::SendsItself(sends));
    }
    let foreign = of(&|name| !(name.starts_with("wasi:") && name.contains(WASI)));
    if !foreign.is_empty() {
        return Err(SealError::Foreign(foreign));
    }
    let is_called = |name: &&String| {
        ["connector@", "usage@"]
            .iter()
            .any(|called| name.strip_prefix(CONTRACT).is_some_and(|rest| rest.starts_with(called)))
    };
    let (called, left_out): (Vec<_>, Vec<_>) = exports.iter().partition(is_called);
    let Some(version) = called.iter().find_map(|name| name.split_once("connector@")) else {
        return Err(SealError::NoConnector);
    };
    let left_out: Vec<String> = left_out.into_iter().cloned().collect();
    if open.is_empty() && left_out.is_empty() {
        return Ok(Sealed { component: bytes.to_vec(), closed: open, left_out });
    }
    let version = version.1.to_owned();
    let called: Vec<String> = called.into_iter().cloned().collect();
    let unfitting = |error: anyhow::Error| SealError::Unfitting(format!("{error:#}"));
    let stub = match open.as_slice() {
        [] => None,
        _ => Some(stub::component(resolve, world, &version).map_err(unfitting)?),
    };
    let component = composed(bytes, stub.as_deref(), &open, &called).map_err(unfitting)?;
    Ok(Sealed { component, closed: open, left_out })
}

fn decoded(bytes: &[u8]) -> Result<(Resolve, WorldId), SealError> {
    match wit_component::decode(bytes) {
        Ok(DecodedWasm::Component(resolve, world)) => Ok((resolve, world)),
        Ok(DecodedWasm::WitPackage(..)) => {
            Err(SealError::Unreadable("it is a package of WIT".to_owned()))
        }
        Err(error) => Err(SealError::Unreadable(format!("{error:#}"))),
    }
}

/// The component with its open imports taken from the stub, and with these exports.
fn composed(
    guest: &[u8],
    stub: Option<&[u8]>,
    open: &[String],
    called: &[String],
) -> anyhow::Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let package = Package::from_bytes("smp:guest", None, guest.to_vec(), graph.types_mut())?;
    let package = graph.register_package(package)?;
    let guest = graph.instantiate(package);
    if let Some(stub) = stub {
        let package = Package::from_bytes("smp:stub", None, stub.to_vec(), graph.types_mut())?;
        let package = graph.register_package(package)?;
        let stub = graph.instantiate(package);
        for name in open {
            let answer = graph.alias_instance_export(stub, name)?;
            graph.set_instantiation_argument(guest, name, answer)?;
        }
    }
    for name in called {
        let export = graph.alias_instance_export(guest, name)?;
        graph.export(export, name)?;
    }
    Ok(graph.encode(EncodeOptions::default())?)
}
