//! A session of a connection: its key opened, its origin and grants as the operator approved them,
//! judged each time.

use std::sync::Arc;

use smp_host::component::plugin::Plugin;
use smp_host::component::session::Session;
use smp_host::host::{RunOptions, declared};
use smp_host::http::base::{self, Purpose};
use smp_host::http::origin::Origin;
use smp_host::http::pace::SharedPace;
use smp_host::http::policy::Grants;
use smp_host::http::transport::Method;
use smp_host::observer::Observer;
use smp_host::settings::Checked;

use super::wanted::{self, Wanted};
use super::{Connections, settings};
use crate::problem::Problem;
use crate::runs::pace::Slots;
use crate::store::connections::Connection;
use crate::store::connectors::Build;

impl Connections {
    /// A session of a stored connection, for the claim of this epoch.
    ///
    /// # Errors
    /// If its key cannot be opened, its settings are refused, or its upstream is not allowed any
    /// more.
    pub async fn session(
        &self,
        connection: &Connection,
        purpose: Purpose,
        run: &str,
        epoch: Option<i64>,
        observer: Arc<dyn Observer>,
    ) -> Result<(Session, Plugin, Build), Problem> {
        let build = self.build(connection).await?;
        let plugin = self.catalog.plugin(&build.digest).await?;
        let entered = settings(&connection.settings, &self.open(connection).await?);
        let checked = entered.check(plugin.descriptor(), true)?;
        let options = Wanted::of_a_run(connection, purpose, run, epoch, observer);
        let session = self.session_of(&plugin, &build, connection, &checked, options)?;
        Ok((session, plugin, build))
    }

    /// The endpoints that a connection may use.
    #[must_use]
    pub fn endpoints<'b>(build: &'b Build, connection: &Connection) -> Vec<&'b str> {
        let wanted = |endpoint: &&str| {
            connection.grants.is_empty() || connection.grants.iter().any(|grant| grant == endpoint)
        };
        build.approved.endpoints.iter().map(String::as_str).filter(wanted).collect()
    }

    pub(super) fn session_of(
        &self,
        plugin: &Plugin,
        build: &Build,
        connection: &Connection,
        checked: &Checked,
        wanted: Wanted,
    ) -> Result<Session, Problem> {
        let descriptor = plugin.descriptor();
        let (origin, client) = match self.upstream(connection.upstream.as_deref())? {
            Some(upstream) => (upstream, &self.private),
            None => {
                let base = base::chosen(&descriptor.api, &checked.public);
                if !build.approved.origins.iter().any(|approved| approved == base) {
                    return Err(Problem::new(
                        422,
                        "denied",
                        "the operator has not approved this origin",
                    )
                    .hint("Ask the operator to approve the connector again."));
                }
                (base::origin(&descriptor.api, &checked.public)?, &self.public)
            }
        };
        let mut grants = Grants::none(origin.clone());
        for endpoint in Self::endpoints(build, connection) {
            let Some((method, path)) = endpoint.split_once(' ') else { continue };
            let method = if method == "GET" { Method::Get } else { Method::Post };
            grants = grants.with(method, path);
        }
        let transport = Arc::new(client.transport(origin, checked.credential.clone()));
        let shared_pace = self.pace(&wanted);
        let options = RunOptions {
            shared_pace,
            max_wait: wanted.max_wait,
            observer: wanted.observer,
            run: wanted.run,
            account: wanted.account,
            purpose: wanted.purpose,
            ..RunOptions::new(transport)
        };
        Ok(self.host.session(plugin, checked, &grants, options))
    }

    /// The pace of the account that all processes of the store keep together, where there may be
    /// others.
    fn pace(&self, wanted: &Wanted) -> Option<Arc<dyn SharedPace>> {
        let claim = wanted.run.clone().zip(wanted.epoch);
        Some(Arc::new(self.slots(wanted.account.clone()?, claim)?))
    }

    fn slots(&self, account: String, claim: Option<(String, i64)>) -> Option<Slots> {
        Some(Slots::new(self.store.clone(), account, self.worker.lease?, claim))
    }

    /// Counts what was asked before the account of a new connection was known: as much as permitted.
    pub(super) async fn use_pace_up(
        &self,
        connection: &Connection,
        plugin: &Plugin,
    ) -> Result<(), Problem> {
        let account = wanted::account(&connection.connector, &connection.account);
        match self.slots(account, None) {
            Some(slots) => slots.use_up(declared(plugin.descriptor())).await,
            None => Ok(()),
        }
    }

    /// The upstream, if it is one that the operator allows. It is judged at each run.
    pub(super) fn upstream(&self, upstream: Option<&str>) -> Result<Option<Origin>, Problem> {
        let Some(text) = upstream else { return Ok(None) };
        let origin = Origin::parse(text).ok();
        let allowed = origin.filter(|origin| self.upstreams.contains(origin));
        allowed.map(Some).ok_or_else(|| {
            Problem::new(422, "denied", "the operator does not allow this upstream").hint(
                "Leave `upstream` out for the live service, or ask the operator to start \
                       with `--allow-upstream`.",
            )
        })
    }
}
