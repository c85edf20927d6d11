//! Registries for tests: Debian's real one, and a small one in this process that can be told to
//! lie.

mod docker;
mod fake;
mod package;

pub use docker::{DockerRegistry, PASSWORD, USER};
pub use fake::{FakeRegistry, Seen};
pub use package::{Release, policy, with_metadata};
