//! Recorded traffic: fixtures are read, recorded, made anonymous, and played, so that a run needs
//! no service.

pub mod fixture;
pub mod player;
