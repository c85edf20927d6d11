//! HTTP for a component: policy ▸ retry( pace ▸ transport( credential last ) ).
//!
//! Each part is a file of its own and uses only the ones above it. Above the transport no part ever
//! holds the key.

pub mod clock;
pub mod credential;
pub mod origin;
pub mod transport;

pub mod pace;
pub mod policy;
pub mod retry;
mod sent;

pub mod capability;
