//! Closes the imports of WASI that a toolchain cannot avoid, so that a connector in any language
//! imports `http` and `log` of the contract and nothing else.
//!
//! ```text
//! core module ─▶ adapter for preview 1, with the contract's metadata ─▶ component ─┐
//! component ───────────────────────────────────────────────────────────────────────┤
//!                          stub, made for the imports of this component ───────────┴▶ composed
//! ```
//! What the stub answers is a constant, or counts the questions: no time, randomness, file, network
//! or environment gets in, and equal calls give equal answers. Text for standard output and error
//! becomes log lines. It is not a virtual machine for any program: what a connector does not need
//! traps.
//!
//! Pure: bytes in, bytes out. Equal bytes give equal bytes.

mod bounds;
mod component;
mod core_module;
pub mod error;
mod stub;
pub mod wit;

pub use self::error::SealError;

/// A component that imports and exports only what the contract defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The component.
    pub component: Vec<u8>,
    /// Full names of the imports that were closed.
    pub closed: Vec<String>,
    /// Full names of the exports that were left out.
    pub left_out: Vec<String>,
}

/// Seals a component, or a core module with the exports of the contract's world.
///
/// # Errors
/// If it is neither, is beyond the bounds, lacks the contract's export, or imports something that
/// cannot be closed.
pub fn seal(bytes: &[u8]) -> Result<Sealed, SealError> {
    bounds::check(bytes)?;
    if bytes.starts_with(b"\0asm\x01\0\0\0") {
        let (made, closed) = core_module::component_of(bytes)?;
        let sealed = component::seal(&made)?;
        return Ok(Sealed { closed: [closed, sealed.closed].concat(), ..sealed });
    }
    component::seal(bytes)
}

#[cfg(test)]
mod tests;
