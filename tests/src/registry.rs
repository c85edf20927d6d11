//! Registries for tests: the real one of Debian, and a small one in this process that can be told to lie.

mod docker;
mod package;
mod sham;

pub use docker::{DockerRegistry, PASSWORD, USER};
pub use package::{Release, policy, with_metadata};
pub use sham::{Seen, Sham};
