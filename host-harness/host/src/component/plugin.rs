//! A prepared plugin: a component that was checked, compiled and linked once, with its descriptor.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use wasmparser::Encoding;
use wasmtime::component::{Component, Linker};

use super::check;
use super::engine::{self, Engine};
use super::outline::{Outline, Toolchain};
use super::provenance::Provenance;
use super::session::{Prepared, RunState, Session, SessionOptions};
use crate::contract::{self, Descriptor, Exports};
use crate::failure::{Code, Failure};
use crate::limits::Limits;
use crate::remedy::Remedy;

/// A connector that is ready to run. Cheap to clone.
#[derive(Clone)]
pub struct Plugin {
    pub(super) engine: Engine,
    pub(super) prepared: Prepared,
    info: Arc<PluginInfo>,
}

/// Facts about a connector that need no run.
#[derive(Clone, Debug)]
pub struct PluginInfo {
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// Full names of its imports.
    pub imports: Vec<String>,
    /// Full names of its exports.
    pub exports: Vec<String>,
    /// Version of the contract that it was built against.
    pub contract_version: String,
    /// Size of the file, in bytes.
    pub size: u64,
    /// `sha256:` and the digest of the file.
    pub digest: String,
    /// What it was made with, by its own word.
    pub toolchain: Toolchain,
}

impl PluginInfo {
    /// Full names of its exports that are not of the contract. No host calls them.
    pub fn foreign_exports(&self) -> impl Iterator<Item = &str> {
        let is_ours = |name: &&String| {
            let interface = contract::interface(name);
            interface.is_some_and(|interface| ["connector", "usage"].contains(&interface))
        };
        self.exports.iter().filter(move |name| !is_ours(name)).map(String::as_str)
    }
}

/// The stages of loading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoadStep {
    /// Checking the first bytes of the file.
    File,
    /// Comparing the names of its imports and exports with the contract.
    Contract,
    /// Compiling it.
    Compile,
    /// Comparing its types with the contract.
    Link,
    /// Calling `describe`.
    Describe,
}

impl Plugin {
    /// Checks, compiles and links a component, and calls `describe` with nothing granted. The
    /// engine's bounds apply.
    ///
    /// # Errors
    /// `component` if this host cannot run it; `contract`, `trap` or `limit` if `describe` fails.
    pub async fn load(engine: &Engine, bytes: &[u8]) -> Result<Self, Failure> {
        Self::load_telling(engine, bytes, |_| {}).await
    }

    /// Does the same, and reports each stage when it begins: after an error, the last one reported
    /// has failed.
    ///
    /// # Errors
    /// As [`Plugin::load`].
    pub async fn load_telling(
        engine: &Engine,
        bytes: &[u8],
        mut begins: impl FnMut(LoadStep),
    ) -> Result<Self, Failure> {
        begins(LoadStep::File);
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        refuse_what_is_no_component(bytes, size, engine.limits())?;
        let digest = format!("sha256:{:x}", Sha256::digest(bytes));
        begins(LoadStep::Contract);
        // Before compiling, which may take seconds. What is damaged is left to the compiler, which
        // says where.
        let outline = Outline::read(bytes);
        let contract_version = outline.as_ref().map(contract_version).transpose()?;
        begins(LoadStep::Compile);
        let (component, code) = engine.compile(bytes, &digest).await?;
        begins(LoadStep::Link);
        let (Some(outline), Some(contract_version)) = (outline, contract_version) else {
            return Err(refused("the file is damaged", BUILD));
        };
        let prepared = link(engine, &component)?;
        begins(LoadStep::Describe);
        let mut session = Session::new(
            engine.clone(),
            prepared.clone(),
            Provenance::default(),
            SessionOptions::powerless(engine.limits().clone()),
        );
        let descriptor = session.describe().await?;
        check::descriptor(&descriptor, engine.limits())?;
        // A refused file leaves nothing in the cache.
        engine.keep(code.as_ref(), &digest);
        let Outline { imports, exports, toolchain } = outline;
        let info =
            PluginInfo { descriptor, imports, exports, contract_version, size, digest, toolchain };
        Ok(Self { engine: engine.clone(), prepared, info: Arc::new(info) })
    }

    /// The facts about it.
    #[must_use]
    pub fn info(&self) -> &PluginInfo {
        &self.info
    }

    /// Its descriptor.
    #[must_use]
    pub fn descriptor(&self) -> &Descriptor {
        &self.info.descriptor
    }

    /// Whether it tells usage: [`Session::collect_usage`] needs that.
    #[must_use]
    pub fn tells_usage(&self) -> bool {
        self.prepared.exports.tells_usage()
    }

    /// The bounds of its engine, which apply to every run.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.engine.limits()
    }

    /// Why a host that sets memory aside for each run does not take it, if so.
    #[must_use]
    pub fn refused_by_pools(&self) -> Option<Failure> {
        engine::refused_by_pools(self.prepared.linked.component(), self.engine.limits())
    }

    /// A separate run, in its own store.
    #[must_use]
    pub fn session(&self, options: SessionOptions) -> Session {
        let PluginInfo { descriptor, digest, .. } = self.info();
        let whose = Provenance {
            connector: descriptor.id.clone(),
            version: descriptor.version.clone(),
            component: digest.clone(),
            ..Provenance::default()
        };
        Session::new(self.engine.clone(), self.prepared.clone(), whose, options)
    }
}

fn refused(message: impl Into<String>, hint: &str) -> Failure {
    Failure::new(Code::Component, message).with_hint(hint)
}

const BUILD: &str = "Give the `.wasm` file of a connector.";

/// Checks the first bytes before compiling, for a helpful message.
fn refuse_what_is_no_component(bytes: &[u8], size: u64, limits: &Limits) -> Result<(), Failure> {
    if size > limits.component {
        return Err(limits.component_too_large("the file"));
    }
    if bytes.is_empty() {
        return Err(refused("the file is empty", BUILD));
    }
    if !bytes.starts_with(b"\0asm") {
        return Err(refused("the file is not WebAssembly", BUILD));
    }
    let mut parser = wasmparser::Parser::new(0);
    match parser.parse(bytes, true) {
        Ok(wasmparser::Chunk::Parsed {
            payload: wasmparser::Payload::Version { encoding: Encoding::Component, .. },
            ..
        }) => refuse_what_is_nested_without_need(bytes),
        Ok(wasmparser::Chunk::Parsed {
            payload: wasmparser::Payload::Version { encoding: Encoding::Module, .. },
            ..
        }) => Err(refused(
            "the file is a core WebAssembly module, not a component",
            "Make it a component, for example with `wasm-tools component new`.",
        )
        .with_remedy(Remedy::Seal)),
        _ => Err(refused(
            "the file is damaged or of a WebAssembly version that this host does not know",
            BUILD,
        )),
    }
}

/// Deepest nesting of components. wit-component makes one level, a composition of several
/// components two or three; the compiler's memory for a level grows with the number of levels.
const DEEPEST: usize = 16;

/// Walks over the file without reading its code. Any other fault is left to the compiler.
fn refuse_what_is_nested_without_need(bytes: &[u8]) -> Result<(), Failure> {
    use wasmparser::Payload;
    let mut depth = 0_usize;
    for payload in wasmparser::Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(refused(
                format!("its components are nested more than {DEEPEST} deep"),
                "Build the component again, with fewer components within each other.",
            )
            .with_remedy(Remedy::MendConnector));
        }
    }
    Ok(())
}

/// The contract version of a component, if its imports and exports are in the contract.
fn contract_version(outline: &Outline) -> Result<String, Failure> {
    let Outline { imports, exports, toolchain } = outline;
    let foreign: Vec<_> =
        imports.iter().filter(|name| contract::interface(name).is_none()).collect();
    if !foreign.is_empty() {
        return Err(foreign_imports(&foreign, *toolchain));
    }
    let exported = exports
        .iter()
        .find_map(|name| name.strip_prefix(contract::PACKAGE)?.strip_prefix("/connector@"));
    let Some(version) = exported else {
        return Err(refused(
            "it does not export the connector interface",
            "Build it for the world `connector-plugin` of the package `smp:connector`.",
        )
        .with_remedy(Remedy::MendConnector));
    };
    // Below 1.0 each minor version is a separate contract.
    let line =
        |version: &str| version.splitn(3, '.').take(2).map(ToOwned::to_owned).collect::<Vec<_>>();
    if line(version) != line(contract::VERSION) {
        return Err(refused(
            format!(
                "it is built for version {} of the contract; this host serves {}",
                crate::text::shortened(version, 40),
                contract::VERSION
            ),
            "Get the build of the connector for this version, or a newer host.",
        )
        .with_remedy(Remedy::OtherComponent { contract: Some(contract::VERSION.to_owned()) }));
    }
    Ok(version.to_owned())
}

/// The refusal of these imports.
fn foreign_imports(foreign: &[&String], toolchain: Toolchain) -> Failure {
    const ONLY: &str = "A connector imports only `http` and `log` of the contract, and no WASI.";
    let is_of = |package: &str| foreign.iter().any(|name| name.starts_with(package));
    let names: Vec<_> =
        foreign.iter().take(10).map(|name| crate::text::shortened(name, 100)).collect();
    let more = if foreign.len() > names.len() {
        format!(" and {} more", foreign.len() - names.len())
    } else {
        String::new()
    };
    let message = format!(
        "it imports interfaces that the contract does not define: {}{more}",
        names.join(", ")
    );
    let (hint, remedy) = if is_of("wasi:http/") {
        // A request that goes around the contract is no matter of closing imports.
        let way = match toolchain {
            Toolchain::JavaScript => {
                "In JavaScript, `jco componentize` leaves `wasi:http` out with `--disable http \
                 --disable fetch-event`."
            }
            _ => "Leave out what sends requests by itself, such as a client for HTTP.",
        };
        (format!("{ONLY} It sends requests through `http`. {way}"), Remedy::MendConnector)
    } else if foreign.iter().all(|name| name.starts_with("wasi:")) {
        (format!("{ONLY} {}", toolchain.without_wasi()), Remedy::Seal)
    } else {
        (ONLY.to_owned(), Remedy::MendConnector)
    };
    refused(message, &hint).with_remedy(remedy)
}

fn link(engine: &Engine, component: &Component) -> Result<Prepared, Failure> {
    let mismatch = |error: wasmtime::Error| {
        refused(
            format!(
                "it does not fit the contract: {}",
                crate::text::shortened(&format!("{error:#}"), 400)
            ),
            "Build it against the contract's files in `wit/` of this version.",
        )
        .with_remedy(Remedy::MendConnector)
    };
    let mut linker = Linker::new(&engine.wasmtime);
    contract::add_to_linker::<RunState>(&mut linker).map_err(mismatch)?;
    let linked = linker.instantiate_pre(component).map_err(mismatch)?;
    let exports = Arc::new(Exports::of(&linked).map_err(mismatch)?);
    Ok(Prepared { linked, exports })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        refuse_what_is_no_component(bytes, bytes.len() as u64, &Limits::default())
            .unwrap_err()
            .message
    }

    #[test]
    fn a_file_that_is_no_component_is_told_what_it_is() {
        assert_eq!(refusal(b""), "the file is empty");
        assert_eq!(refusal(b"#!/bin/sh"), "the file is not WebAssembly");
        assert_eq!(
            refusal(b"\0asm\x01\0\0\0"),
            "the file is a core WebAssembly module, not a component"
        );
        assert_eq!(
            refusal(b"\0asm\x07\0\x01\0"),
            "the file is damaged or of a WebAssembly version that this host does not know"
        );
        assert_eq!(refusal(b"\0as"), "the file is not WebAssembly");
        assert_eq!(refusal(b"\x7fELF\x02\x01"), "the file is not WebAssembly");
        let small = Limits { component: 8, ..Limits::default() };
        assert!(refuse_what_is_no_component(b"\0asm\x0d\0\x01\0", 8, &small).is_ok());
        let failure = refuse_what_is_no_component(b"\0asm\x0d\0\x01\0\0", 9, &small).unwrap_err();
        assert_eq!(
            failure.message,
            "the file is larger than a component may be: the limit `component` is 8 bytes"
        );
        assert_eq!(*failure.remedy, Remedy::RaiseLimit { limit: "component", to: None });
    }

    fn outline(imports: &[&str], exports: &[&str], toolchain: Toolchain) -> Outline {
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Outline { imports: names(imports), exports: names(exports), toolchain }
    }

    #[test]
    fn imports_and_exports_outside_the_contract_are_named() {
        let exports = &["smp:connector/connector@0.2.0"][..];
        let judged = |imports: &[&str], exports: &[&str]| {
            contract_version(&outline(imports, exports, Toolchain::Unknown))
        };
        assert_eq!(judged(&["smp:connector/http@0.2.0"], exports).unwrap(), "0.2.0");
        assert_eq!(
            judged(&["wasi:cli/environment@0.2.0"], exports).unwrap_err().message,
            "it imports interfaces that the contract does not define: wasi:cli/environment@0.2.0"
        );
        assert!(judged(&["smp:connector-evil/http@0.2.0"], exports).is_err());
        assert!(judged(&[], &["run"]).unwrap_err().message.contains("does not export"));
        for other in ["0.1.0", "0.3.0"] {
            let exported = format!("smp:connector/connector@{other}");
            let refused = judged(&[], &[&exported]).unwrap_err().message;
            assert_eq!(
                refused,
                format!("it is built for version {other} of the contract; this host serves 0.2.0")
            );
        }
    }

    #[test]
    fn the_way_out_of_foreign_imports_is_that_of_the_language() {
        let exports = &["smp:connector/connector@0.2.0"][..];
        let io = "wasi:io/streams@0.2.6";
        for (imports, toolchain, words, remedy) in [
            (&[io][..], Toolchain::Rust, "`wasm32-unknown-unknown`", Remedy::Seal),
            (&[io], Toolchain::Python, "`componentize-py componentize --stub-wasi`", Remedy::Seal),
            (&[io], Toolchain::JavaScript, "`componentize-qjs --sync --stub-wasi`", Remedy::Seal),
            (&[io], Toolchain::Clang, "an option of the toolchain", Remedy::Seal),
            (
                &[io, "wasi:http/types@0.2.3"],
                Toolchain::JavaScript,
                "`--disable http --disable fetch-event`",
                Remedy::MendConnector,
            ),
            (
                &[io, "wasi:http/types@0.2.3"],
                Toolchain::Rust,
                "through `http`",
                Remedy::MendConnector,
            ),
            (&[io, "env:own/clock"], Toolchain::Rust, "no WASI.", Remedy::MendConnector),
        ] {
            let failure = contract_version(&outline(imports, exports, toolchain)).unwrap_err();
            let hint = failure.hint.unwrap();
            assert!(hint.contains(words), "{toolchain:?}: {hint}");
            assert_eq!(*failure.remedy, remedy, "{imports:?}");
        }
    }
}
