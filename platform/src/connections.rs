//! The life of a connection: its settings are validated before anything is stored, its account is
//! known by the service's stable id, its key is renewed without a gap, and it is deleted whole.

mod entered;
mod session;
mod upgrade;
mod wanted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use smp_host::component::plugin::Plugin;
use smp_host::contract::Account;
use smp_host::host::Host;
use smp_host::http::origin::Origin;
use smp_host::live::{LiveClient, LiveOptions};
use smp_host::settings::{SecretText, Settings};
use smp_host::validation::Validation;

pub use entered::Secrets;
use wanted::Wanted;

use crate::catalog::Catalog;
use crate::clock::{now, of, rfc3339};
use crate::keys::seal::Context;
use crate::keys::{DataKeys, Keys};
use crate::members::insights::Insights;
use crate::outside::{USER_AGENT, unusable};
use crate::problem::Problem;
use crate::runs::claims::{LEASE, Worker};
use crate::runs::live::Live;
use crate::runs::table;
use crate::store::connections::{self as stored, Connection};
use crate::store::connectors::{self, Build};
use crate::store::tokens::{Holder, new_id};
use crate::store::{Store, Writing, audit, secrets};

/// Time of one request.
const REQUEST: Duration = Duration::from_secs(60);
/// Hours between two runs at most: a month.
const MOST_HOURS: i64 = 31 * 24;

/// What all connections of a process share.
#[derive(Clone)]
pub struct Connections {
    /// The store.
    pub store: Store,
    /// The keys of secrets.
    pub keys: Keys,
    /// The connectors.
    pub catalog: Catalog,
    /// The runs of this process.
    pub live: Live,
    /// This process, as the runs name it that it has.
    pub worker: Worker,
    /// Copies of members, for those who look.
    pub insights: Insights,
    host: Arc<Host>,
    public: LiveClient,
    private: LiveClient,
    upstreams: Arc<Vec<Origin>>,
}

/// A connection to be made.
#[derive(Clone, Debug)]
pub struct New {
    /// The tenant.
    pub tenant: String,
    /// Id of the connector.
    pub connector: String,
    /// What the tenant calls it.
    pub name: String,
    /// Settings that are not secret.
    pub settings: BTreeMap<String, String>,
    /// Secrets.
    pub secrets: Secrets,
    /// Endpoints; all approved ones if there is none.
    pub grants: Vec<String>,
    /// The origin in place of the live one.
    pub upstream: Option<String>,
    /// Hours between two runs.
    pub every_hours: i64,
}

/// What changes of a connection.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Its name.
    pub name: Option<String>,
    /// Whether it is paused.
    pub paused: Option<bool>,
    /// Hours between two runs.
    pub every_hours: Option<i64>,
}

/// A connection that is ready.
struct Ready {
    account: Account,
    validation: Validation,
}

impl Connections {
    /// What all connections of a process share.
    ///
    /// # Errors
    /// If the client of the live services cannot be made.
    pub fn new(
        store: Store,
        keys: Keys,
        catalog: Catalog,
        upstreams: Vec<Origin>,
    ) -> Result<Self, Problem> {
        let client = |private: bool| {
            LiveClient::new(&LiveOptions {
                timeout: REQUEST,
                largest_body: catalog.engine().limits().response,
                extra_roots: None,
                system_proxy: !private,
                private_network: private,
                ranges: Vec::new(),
                user_agent: USER_AGENT.to_owned(),
            })
            .map_err(|error| unusable(&error))
        };
        let (public, private) = (client(false)?, client(true)?);
        // On a server, the database knows the pace of earlier processes.
        let host = if store.is_shared() { Host::default() } else { Host::succeeding() };
        let (live, insights) = (Live::default(), Insights::default());
        let (upstreams, host) = (Arc::new(upstreams), Arc::new(host));
        let worker = Worker::of(&store, LEASE);
        Ok(Self { store, keys, catalog, live, worker, insights, host, public, private, upstreams })
    }

    /// The same, with leases of runs that are so long.
    #[must_use]
    pub fn lending(mut self, lease: Duration) -> Self {
        self.worker = Worker::of(&self.store, lease);
        self
    }

    /// Makes a connection: validates its settings, asks which account they are of, and stores it.
    ///
    /// # Errors
    /// `not-ready` with the validation; nothing is kept then. `conflict` if the tenant has the
    /// account already.
    pub async fn make(
        &self,
        new: New,
        holder: &Holder,
    ) -> Result<(Connection, Validation), Problem> {
        stored::is_name("tenant", &new.tenant)?;
        stored::is_name("name", &new.name)?;
        hours(new.every_hours)?;
        let build = connectors::active(&self.store, &new.connector).await?;
        granted(&build, &new.grants)?;
        self.upstream(new.upstream.as_deref())?;
        let plugin = self.catalog.plugin(&build.digest).await?;
        let mut connection = Connection {
            name: new.name,
            settings: new.settings,
            upstream: new.upstream,
            grants: new.grants,
            every_hours: new.every_hours,
            next_due: Some(now()),
            ..Connection::new(&new_id("c"), &new.tenant, &build.id, &build.digest)
        };
        let ready = self.ready(&plugin, &build, &connection, &new.secrets).await?;
        connection.account = ready.account.id;
        connection.account_name = ready.account.name;
        connection.credential_expires = ready.validation.credential_expires().as_ref().map(of);
        self.use_pace_up(&connection, &plugin).await?;
        let mut keys = self.keys.data_keys(new.secrets.0.len()).await?;
        let mut writing = self.store.write().await?;
        stored::tenant(&mut writing, &connection.tenant).await?;
        stored::insert(&mut writing, &connection).await?;
        self.keep(&mut writing, &connection, 1, &new.secrets, &mut keys).await?;
        self.note(&mut writing, &connection, holder, "connection-made").await?;
        writing.commit().await?;
        Ok((connection, ready.validation))
    }

    /// Validates a connection again. If it is ready, what a person had to mend is mended.
    ///
    /// # Errors
    /// If its key cannot be opened, or the database fails.
    pub async fn validate(&self, connection: &Connection) -> Result<Validation, Problem> {
        let connection = &self.upgrade(connection).await?;
        let build = self.build(connection).await?;
        let plugin = self.catalog.plugin(&build.digest).await?;
        let entered = settings(&connection.settings, &self.open(connection).await?);
        let validation = self.validation(&plugin, &build, connection, &entered).await?;
        if validation.ready() {
            let expires = validation.credential_expires().as_ref().map(of);
            let mut writing = self.store.write().await?;
            stored::mended(&mut writing, &connection.id, expires, now()).await?;
            writing.commit().await?;
        }
        Ok(validation)
    }

    /// Replaces the secrets, if they are of the same account and ready. Until then, and if they are
    /// not, the old ones are used.
    ///
    /// # Errors
    /// `not-ready` with the validation, or `conflict` for another account.
    pub async fn renew(
        &self,
        connection: &Connection,
        new: &Secrets,
        holder: &Holder,
    ) -> Result<Validation, Problem> {
        let build = self.build(connection).await?;
        let plugin = self.catalog.plugin(&build.digest).await?;
        let ready = self.ready(&plugin, &build, connection, new).await?;
        if ready.account.id != connection.account {
            return Err(Problem::conflict("the new key is of another account").hint(
                "Make another connection for that account; the stored key was not changed.",
            ));
        }
        let version = connection.secret_version.saturating_add(1);
        let mut keys = self.keys.data_keys(new.0.len()).await?;
        let mut writing = self.store.write().await?;
        let sql =
            "UPDATE connections SET secret_version = $2 WHERE id = $1 AND secret_version = $3";
        let done = sqlx::query(sql)
            .bind(connection.id.clone())
            .bind(version)
            .bind(connection.secret_version)
            .execute(&mut *writing)
            .await?;
        if done.rows_affected() == 0 {
            return Err(Problem::conflict("the key was changed by somebody else meanwhile")
                .hint("Look at the connection, and give the key again if it is still needed."));
        }
        self.keep(&mut writing, connection, version, new, &mut keys).await?;
        let expires = ready.validation.credential_expires().as_ref().map(of);
        stored::mended(&mut writing, &connection.id, expires, now()).await?;
        self.note(&mut writing, connection, holder, "key-changed").await?;
        writing.commit().await?;
        // The old key is in no free page and no log.
        self.store.forget().await?;
        Ok(ready.validation)
    }

    /// Changes name, schedule or pause.
    ///
    /// # Errors
    /// If a value cannot be used.
    pub async fn change(
        &self,
        connection: &Connection,
        change: Change,
        holder: &Holder,
    ) -> Result<Connection, Problem> {
        let mut changed = connection.clone();
        if let Some(name) = change.name {
            stored::is_name("name", &name)?;
            changed.name = name;
        }
        if let Some(every) = change.every_hours {
            hours(every)?;
            changed.every_hours = every;
            if changed.next_due.is_some() {
                changed.next_due = Some(table::next_due(&changed, now()));
            }
        }
        if let Some(paused) = change.paused {
            changed.paused = paused;
            if !paused && connection.paused && connection.state != "attention" {
                changed.next_due = Some(now());
            }
        }
        let mut writing = self.store.write().await?;
        stored::reschedule(&mut writing, &changed).await?;
        self.note(&mut writing, &changed, holder, "connection-changed").await?;
        writing.commit().await?;
        Ok(changed)
    }

    /// Deletes a connection with its members, history, runs and secrets.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn delete(&self, connection: &Connection, holder: &Holder) -> Result<(), Problem> {
        let mut writing = self.store.write().await?;
        let sql = "SELECT id FROM runs WHERE connection = $1 AND state IN ('open', 'waiting')";
        let open: Option<(String,)> =
            sqlx::query_as(sql).bind(connection.id.clone()).fetch_optional(&mut *writing).await?;
        stored::delete(&mut writing, &connection.id).await?;
        self.note(&mut writing, connection, holder, "connection-deleted").await?;
        writing.commit().await?;
        self.insights.forget(&connection.id);
        if let Some((run,)) = open {
            self.live.stop(&run);
        }
        self.store.forget().await
    }

    /// The origins that may be asked in place of the live ones.
    #[must_use]
    pub fn upstreams(&self) -> &[Origin] {
        &self.upstreams
    }

    /// The build that a connection uses.
    async fn build(&self, connection: &Connection) -> Result<Build, Problem> {
        let build = connectors::by_digest(&self.store, &connection.digest).await?;
        build.ok_or_else(|| Problem::broken("the build of the connector is not installed any more"))
    }

    async fn ready(
        &self,
        plugin: &Plugin,
        build: &Build,
        connection: &Connection,
        entered: &Secrets,
    ) -> Result<Ready, Problem> {
        let entered = settings(&connection.settings, entered);
        let validation = self.validation(plugin, build, connection, &entered).await?;
        if !validation.ready() {
            return Err(not_ready(&validation));
        }
        let checked = entered.check(plugin.descriptor(), true)?;
        let wanted = Wanted::of_a_person(connection);
        let mut session = self.session_of(plugin, build, connection, &checked, wanted)?;
        let account = session.connect().await?;
        Ok(Ready { account, validation })
    }

    async fn validation(
        &self,
        plugin: &Plugin,
        build: &Build,
        connection: &Connection,
        entered: &Settings,
    ) -> Result<Validation, Problem> {
        let checked = match entered.check(plugin.descriptor(), true) {
            Ok(checked) => checked,
            Err(failure) => return Ok(Validation::refused(failure)),
        };
        let wanted = Wanted::of_a_person(connection);
        let mut session = self.session_of(plugin, build, connection, &checked, wanted)?;
        Ok(match Validation::of(&mut session).await {
            Ok(validation) => validation,
            Err(failure) => Validation::stopped(failure),
        })
    }

    async fn open(&self, connection: &Connection) -> Result<Secrets, Problem> {
        let mut entered = Secrets::default();
        for secret in secrets::of(&self.store, &connection.id).await? {
            let context = context(connection, &secret.setting, secret.version);
            let text = self.keys.unseal(&context, &secret.sealed).await?;
            entered.0.insert(secret.setting.clone(), text);
        }
        Ok(entered)
    }

    /// Seals and stores secrets.
    async fn keep(
        &self,
        writing: &mut Writing,
        connection: &Connection,
        version: i64,
        new: &Secrets,
        keys: &mut DataKeys,
    ) -> Result<(), Problem> {
        for (setting, text) in &new.0 {
            let context = context(connection, setting, version);
            let sealed = self.keys.seal(writing, keys, &context, text.trim()).await?;
            let (connection, setting) = (connection.id.clone(), setting.clone());
            let stored = secrets::Stored { connection, setting, version, sealed };
            secrets::put(writing, &stored).await?;
        }
        Ok(())
    }

    async fn note(
        &self,
        writing: &mut Writing,
        connection: &Connection,
        holder: &Holder,
        what: &str,
    ) -> Result<(), Problem> {
        let action = audit::Action {
            tenant: Some(&connection.tenant),
            actor: &holder.id,
            what,
            subject: &connection.id,
            detail: None,
        };
        audit::record(writing, action).await
    }
}

/// The problem of settings that are not ready.
fn not_ready(validation: &Validation) -> Problem {
    let problem = match validation.failure() {
        Some(failure) => Problem::from(failure.clone()),
        None => Problem::new(422, "not-ready", "the connection is not ready"),
    };
    problem.validation(validation.to_json())
}

fn settings(values: &BTreeMap<String, String>, entered: &Secrets) -> Settings {
    let secrets = entered.0.iter();
    Settings {
        values: values.clone(),
        secrets: secrets
            .map(|(key, text)| (key.clone(), SecretText::new(text.to_string())))
            .collect(),
    }
}

fn context<'a>(connection: &'a Connection, setting: &'a str, version: i64) -> Context<'a> {
    Context { tenant: &connection.tenant, connection: &connection.id, setting, version }
}

fn hours(every: i64) -> Result<(), Problem> {
    if (1..=MOST_HOURS).contains(&every) {
        return Ok(());
    }
    Err(Problem::invalid("`every_hours` is out of range")
        .hint(format!("Give a number of hours from 1 to {MOST_HOURS}.")))
}

fn granted(build: &Build, grants: &[String]) -> Result<(), Problem> {
    match grants.iter().find(|grant| !build.approved.endpoints.contains(grant)) {
        None => Ok(()),
        Some(grant) => Err(Problem::new(
            422,
            "denied",
            format!("the operator has not approved `{}`", smp_host::text::shortened(grant, 200)),
        )
        .hint(format!("Approved are: {}.", build.approved.endpoints.join(", ")))),
    }
}

/// The connection as the API answers it. It holds no secret.
#[must_use]
pub fn to_json(connection: &Connection) -> Value {
    let failure: Option<Value> =
        connection.failure.as_ref().and_then(|text| serde_json::from_str(text).ok());
    let upgrade: Option<Value> =
        connection.upgrade.as_ref().and_then(|text| serde_json::from_str(text).ok());
    let at = |at: Option<i64>| at.and_then(rfc3339);
    json!({
        "id": connection.id,
        "tenant": connection.tenant,
        "connector": connection.connector,
        "name": connection.name,
        "settings": connection.settings,
        "build": connection.digest,
        "upgrade": upgrade,
        "account": connection.account,
        "account_name": connection.account_name,
        "upstream": connection.upstream,
        "grants": connection.grants,
        "every_hours": connection.every_hours,
        "paused": connection.paused,
        "state": if connection.paused { "paused" } else { &connection.state },
        "error": failure,
        "credential_expires": at(connection.credential_expires),
        "next_run": at(connection.next_due.filter(|_| !connection.paused)),
        "created": rfc3339(connection.created),
    })
}
