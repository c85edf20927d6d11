//! What the connector does: each a function of the host and the settings. Every flow bounds the
//! number of its requests itself.
//!
//! | file | flow | ends with |
//! |---|---|---|
//! | `standing` | is the organization among the key's? | the failure that a 403 stands for |
//! | `connect` | the organization | account or failure |
//! | `everyone` | one page of everyone | page or failure |
//! | `unverified` | no flow: what is said of domains | sentences |
//! | `collect` | one page of members | page or failure |
//! | `usage` | one page of product sites with their seats | page or failure |
//! | `lifetime` | when the key ends | a date, or nothing |
//! | `findings` | no flow: the report on what was found | report |
//! | `validate` | settings, organization, domains, members | what was found |

pub mod standing;

pub mod connect;
pub mod everyone;
pub mod lifetime;
pub mod unverified;

pub mod collect;
pub mod usage;

pub mod findings;
pub mod validate;
