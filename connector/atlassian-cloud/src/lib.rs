//! The Atlassian Cloud connector: the parts that are specific to Atlassian, on the kit that every
//! connector uses.
//!
//! It takes settings and answers, and gives requests and records. It has no I/O, clock, environment
//! or randomness, so the same answers give the same result anywhere. Settings become a checked
//! [`config::Config`] once; [`refusal`] explains error answers; [`endpoint`] builds requests and
//! reads answers; [`flow`] puts the calls in order; [`listing`] is the descriptor.
//!
//! The modules are in reading order: each uses only those above it.

pub mod config;

pub mod accounts;
pub mod dates;
pub mod error_body;
pub mod product_names;

pub mod sites;

pub mod place;

pub mod refusal;

pub mod endpoint;

pub mod flow;
pub mod listing;

#[cfg(test)]
mod hints;
#[cfg(test)]
mod testing;

use smp_connector_kit::{
    Account, Connector, Descriptor, Failure, Host, MemberPage, Report, Setting, UsagePage,
};

/// The connector.
#[derive(Debug)]
pub struct AtlassianCloud;

impl Connector for AtlassianCloud {
    fn describe() -> Descriptor {
        listing::descriptor()
    }

    fn validate(host: &mut dyn Host, settings: &[Setting]) -> Report {
        flow::validate::validate(host, settings)
    }

    fn connect(host: &mut dyn Host, settings: &[Setting]) -> Result<Account, Failure> {
        flow::connect::connect(host, settings)
    }

    fn collect(
        host: &mut dyn Host,
        settings: &[Setting],
        cursor: Option<String>,
    ) -> Result<MemberPage, Failure> {
        flow::collect::collect(host, settings, cursor)
    }

    fn collect_usage(
        host: &mut dyn Host,
        settings: &[Setting],
        cursor: Option<String>,
    ) -> Result<UsagePage, Failure> {
        flow::usage::collect(host, settings, cursor)
    }
}

smp_connector_kit::export!(AtlassianCloud);
