//! Why a file cannot be sealed.

use crate::bounds::listed;

/// Why a file cannot be sealed, with the way out as [`SealError::hint`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// It is neither a component nor a core module.
    #[error("the file is not a WebAssembly component or module: {0}")]
    Unreadable(String),
    /// It is nested too deeply, or imports too much.
    #[error("the file is beyond what is sealed: {0}")]
    TooLarge(String),
    /// It does not export the contract's interface.
    #[error("it does not export the connector interface")]
    NoConnector,
    /// It sends requests by itself.
    #[error("it sends requests by itself: it imports {}", listed(.0))]
    SendsItself(Vec<String>),
    /// It imports what is neither of the contract nor of WASI.
    #[error("it imports interfaces that are neither of the contract nor of WASI 0.2: {}", listed(.0))]
    Foreign(Vec<String>),
    /// A core module cannot be made a component.
    #[error("no component can be made of the module: {0}")]
    NotAComponent(String),
    /// The parts do not fit together.
    #[error("its imports cannot be closed: {0}")]
    Unfitting(String),
}

impl SealError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "Give the `.wasm` file that the toolchain wrote.",
            Self::TooLarge(_) => {
                "No toolchain writes such a file by itself: build the connector alone, without \
                 what it is composed with."
            }
            Self::NoConnector => {
                "Build it for the world `connector-plugin` of the package `smp:connector`."
            }
            Self::SendsItself(_) => {
                "A connector sends requests through `http` of the contract, which attaches the \
                 key. Leave out what imports `wasi:http`: in JavaScript, `jco componentize` does \
                 so with `--disable http --disable fetch-event`."
            }
            Self::Foreign(_) => {
                "Build it for the world `connector-plugin`, and for WASI 0.2 or preview 1 if it \
                 needs WASI at all."
            }
            Self::NotAComponent(_) => {
                "Build it as a reactor for the world `connector-plugin`, with its exports named \
                 as `wit-bindgen` names them."
            }
            Self::Unfitting(_) => {
                "Build it against the contract's files in `wit/` and for a released version of \
                 WASI 0.2."
            }
        }
    }
}
