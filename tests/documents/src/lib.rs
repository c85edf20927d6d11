//! Nothing but its tests: what the project writes in formats of others, read by other
//! implementations of them.
