//! Fixtures of recorded traffic: reads, records, anonymizes and replays them, so that a run needs
//! no service.

pub mod fixture;
pub mod player;
