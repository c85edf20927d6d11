//! The WIT contract as Rust types, generated from `wit/`, with short names.
//!
//! The contract's records are the host's own model: a page is used as it was lifted, without a copy
//! of its fields. They are generated for the wider of the two worlds; [`Exports`] says which of its
//! interfaces a component has.

#[allow(
    missing_docs,
    reason = "the macro documents what the contract documents, and not the glue around it"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "metering-connector-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        additional_derives: [PartialEq, serde::Serialize],
    });
}

pub use generated::exports::smp::connector::connector::*;
pub use generated::exports::smp::connector::usage::{self, Entry, UsagePage};
pub use generated::smp::connector::{http, log};

/// The interfaces that a component exports, found once.
pub struct Exports {
    connector: GuestIndices,
    usage: Option<usage::GuestIndices>,
}

impl Exports {
    /// Finds the interfaces of a linked component.
    ///
    /// # Errors
    /// If the component does not export `connector`, or an interface with other types than the
    /// contract's.
    pub fn of<T>(linked: &wasmtime::component::InstancePre<T>) -> wasmtime::Result<Self> {
        let tells_usage = linked
            .component()
            .get_export_index(None, format!("{PACKAGE}/usage@{VERSION}"))
            .is_some();
        let usage = tells_usage.then(|| usage::GuestIndices::new(linked)).transpose()?;
        Ok(Self { connector: GuestIndices::new(linked)?, usage })
    }

    /// Whether the component exports `usage`.
    #[must_use]
    pub fn tells_usage(&self) -> bool {
        self.usage.is_some()
    }

    /// The interfaces of an instance.
    ///
    /// # Errors
    /// If it is not an instance of the component.
    pub fn load(
        &self,
        mut store: impl wasmtime::AsContextMut,
        instance: &wasmtime::component::Instance,
    ) -> wasmtime::Result<Interfaces> {
        let connector = self.connector.load(&mut store, instance)?;
        let usage =
            self.usage.as_ref().map(|usage| usage.load(&mut store, instance)).transpose()?;
        Ok(Interfaces { connector, usage })
    }
}

/// The interfaces of an instance.
pub struct Interfaces {
    /// What every connector exports.
    pub connector: Guest,
    /// Usage, if the connector tells it.
    pub usage: Option<usage::Guest>,
}

/// Adds what a connector may import to a linker.
///
/// # Errors
/// If the linker has one of them already.
pub fn add_to_linker<T: http::Host + log::Host + Send + 'static>(
    linker: &mut wasmtime::component::Linker<T>,
) -> wasmtime::Result<()> {
    http::add_to_linker::<_, wasmtime::component::HasSelf<T>>(linker, |state| state)?;
    log::add_to_linker::<_, wasmtime::component::HasSelf<T>>(linker, |state| state)
}

/// The contract's package, as components name it in their imports and exports.
pub const PACKAGE: &str = "smp:connector";
/// The version of the contract that this host serves.
pub const VERSION: &str = "0.2.0";

/// The interface of the contract, in any version, that this full name of an import or export names.
#[must_use]
pub fn interface(name: &str) -> Option<&str> {
    let named = name.strip_prefix(PACKAGE)?.strip_prefix('/')?;
    named.split('@').next()
}
