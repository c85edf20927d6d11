//! HTTP for a component: policy ▸ retry( pace ▸ transport( credential last ) ).
//!
//! Each part is a file of its own and knows only the next one. Above the transport no part ever holds the key.

pub mod clock;
pub mod transport;
