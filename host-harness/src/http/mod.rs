//! HTTP for a component: policy ▸ retry( pace ▸ transport( credential last ) ).
//!
//! Each part is a file of its own and knows only the ones below it. Above the transport no part ever holds the key.

pub mod address;
pub mod clock;
pub mod origin;
pub mod transport;

pub mod live;

pub mod pace;
pub mod policy;
pub mod retry;

pub mod capability;
