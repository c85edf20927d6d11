//! The build step that makes a component from the connector's core module.
//!
//! It knows nothing of the connector: it encodes and validates whatever world the module's metadata
//! names. It adds nothing, so the same module gives the same component, byte for byte. It also
//! encodes a folder of WIT as the package that a registry takes.
//!
//! Usage: `componentize MODULE.wasm COMPONENT.wasm`, or `componentize --wit FOLDER PACKAGE.wasm`

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use wit_component::ComponentEncoder;

fn main() -> ExitCode {
    match run(std::env::args_os().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: Vec<OsString>) -> anyhow::Result<()> {
    let is_wit = arguments.first().is_some_and(|first| first == "--wit");
    if is_wit {
        arguments.remove(0);
    }
    let [module, component] = <[OsString; 2]>::try_from(arguments)
        .map(|paths| paths.map(PathBuf::from))
        .map_err(|arguments| {
            anyhow::anyhow!(
                "expected two arguments, got {}: `componentize MODULE.wasm COMPONENT.wasm`",
                arguments.len()
            )
        })?;
    if is_wit {
        let encoded = wit_package(&module)
            .with_context(|| format!("cannot encode the WIT in `{}`", module.display()))?;
        return write(&component, &encoded)
            .with_context(|| format!("cannot write `{}`", component.display()));
    }
    let bytes =
        std::fs::read(&module).with_context(|| format!("cannot read `{}`", module.display()))?;
    let encoded = encode(&bytes)
        .with_context(|| format!("cannot make a component of `{}`", module.display()))?;
    write(&component, &encoded).with_context(|| format!("cannot write `{}`", component.display()))
}

/// Encodes a folder of WIT.
fn wit_package(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(folder)?;
    wit_component::encode(&resolve, package)
}

/// Encodes and validates the component.
fn encode(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    // A module begins with `\0asm` and version 1; a component has the same magic number and another
    // version.
    if !module.starts_with(b"\0asm\x01\0\0\0") {
        bail!("it is not a core module of WebAssembly");
    }
    ComponentEncoder::default().validate(true).module(module)?.encode()
}

/// Writes the file whole or not at all, and creates its folder if necessary.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let partial = path.with_extension("wasm.partial");
    std::fs::write(&partial, bytes)?;
    Ok(std::fs::rename(&partial, path)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_arguments_are_told_with_the_usage() {
        for arguments in [vec![], vec!["one"], vec!["one", "two", "three"]] {
            let count = arguments.len();
            let error = run(arguments.into_iter().map(OsString::from).collect()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "expected two arguments, got {count}: `componentize MODULE.wasm \
                     COMPONENT.wasm`"
                )
            );
        }
    }

    #[test]
    fn a_missing_module_is_named() {
        let error = run(vec!["no/such/module.wasm".into(), "out.wasm".into()]).unwrap_err();
        assert_eq!(error.to_string(), "cannot read `no/such/module.wasm`");
    }

    #[test]
    fn the_contract_is_encoded_as_a_package() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit");
        let package = wit_package(&folder).unwrap();
        let Ok(wit_component::DecodedWasm::WitPackage(resolve, id)) =
            wit_component::decode(&package)
        else {
            panic!("it is no package")
        };
        let package = resolve.packages.get(id).unwrap();
        assert!(package.name.to_string().starts_with("smp:connector@"));
        assert!(package.worlds.contains_key("connector-plugin"));
    }

    #[test]
    fn what_is_no_core_module_is_refused() {
        for bytes in [&b""[..], b"text", b"\0asm\x0d\0\x01\0"] {
            assert_eq!(
                encode(bytes).unwrap_err().to_string(),
                "it is not a core module of WebAssembly"
            );
        }
    }

    #[test]
    fn a_module_without_a_world_becomes_an_empty_component() {
        let component = encode(b"\0asm\x01\0\0\0").unwrap();
        assert!(component.starts_with(b"\0asm\x0d\0\x01\0"));
    }
}
