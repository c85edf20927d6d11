//! HTTP for a component: policy ▸ retry( pace ▸ transport( credential last ) ).
//!
//! Each part is a separate file and uses only those above it. Only the transport ever holds the
//! key.

pub mod clock;
pub mod credential;
pub mod origin;

pub mod base;
pub mod transport;

mod bad;
pub mod hint;
pub mod pace;
pub mod policy;
pub mod retry;
mod said;
mod sent;
mod whole;

pub mod asked;
pub mod capability;
