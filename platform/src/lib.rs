//! A platform for SaaS connector plugins: it keeps the members of many tenants' connections over
//! time.
//!
//! Correctness is in the database. A run is *claimed* (its epoch rises), a page is *committed*
//! (members, position and figures in one transaction, which compares the epoch), and only the
//! transaction that concludes a whole run changes what is shown: who appeared, changed, returned
//! or is gone. Any process may fail at any moment.
//!
//! ```text
//! api ─▶ connections ─ due? ─▶ scheduler ─▶ collect ─▶ a session of smp-host ─▶ ledger ─▶ members, changes
//! ```
//!
//! | module | what it is |
//! | --- | --- |
//! | [`problem`] | what went wrong, as the API and the command say it |
//! | [`clock`] | instants as the tables have them |
//! | [`store`] | the database: SQLite or PostgreSQL, with one set of queries |
//! | [`keys`] | secrets, sealed before they are stored |
//! | [`catalog`] | installed connectors, verified, compiled and ready to run |
//! | [`runs`] | the ledger of runs, one run from claim to conclusion, and the scheduler |
//! | [`engine`] | Temporal in place of the scheduler, through a program that speaks with it |
//! | [`members`] | members as of a run, their changes, their search, and exports |
//! | [`connections`] | the life of a connection: validated, stored, renewed, deleted |
//! | `outside` | a client for what the operator names: an issuer, a Vault, a collector |
//! | [`metrics`] | what a platform team alarms on |
//! | [`traces`] | spans of runs and requests, for a collector |
//! | [`api`] | the HTTP interface |
//! | [`console`] | the pages |

pub mod api;
pub mod catalog;
pub mod clock;
pub mod connections;
pub mod console;
pub mod engine;
pub mod keys;
pub mod members;
pub mod metrics;
mod outside;
pub mod problem;
pub mod runs;
pub mod store;
pub mod traces;
