//! A new version of a connector, for each connection: it is used once the settings are validated
//! with it and the account is still the same.

use serde_json::json;

use super::{Connections, granted};
use crate::problem::Problem;
use crate::store::audit;
use crate::store::connections::{self as stored, Connection};
use crate::store::connectors::{self, Build};

impl Connections {
    /// Moves a connection to the active build of its connector, if its settings are ready there and
    /// of the same account. Until then it goes on with the build that it has, and says why.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn upgrade(&self, connection: &Connection) -> Result<Connection, Problem> {
        let active = connectors::active(&self.store, &connection.connector).await?;
        let mut now_uses = connection.clone();
        if active.digest == connection.digest {
            if connection.upgrade.is_some() {
                now_uses.upgrade = None;
                let mut writing = self.store.write().await?;
                stored::upgraded(&mut writing, &connection.id, &active.digest, None).await?;
                writing.commit().await?;
            }
            return Ok(now_uses);
        }
        match self.ready_for(connection, &active).await {
            Ok(()) => (now_uses.digest, now_uses.upgrade) = (active.digest.clone(), None),
            Err(problem) if matches!(problem.code.as_str(), "database" | "disk-full") => {
                return Err(problem);
            }
            Err(problem) => {
                let (digest, version) = (&active.digest, &active.version);
                let held =
                    json!({"digest": digest, "version": version, "error": problem.to_json()});
                now_uses.upgrade = Some(held.to_string());
            }
        }
        let mut writing = self.store.write().await?;
        let (digest, held_back) = (&now_uses.digest, now_uses.upgrade.clone());
        stored::upgraded(&mut writing, &connection.id, digest, held_back).await?;
        if now_uses.upgrade.is_none() {
            let action = audit::Action {
                tenant: Some(&connection.tenant),
                actor: "platform",
                what: "connection-upgraded",
                subject: &connection.id,
                detail: Some(&active.version),
            };
            audit::record(&mut writing, action).await?;
        }
        writing.commit().await?;
        Ok(now_uses)
    }

    /// Whether a connection is ready with a build.
    async fn ready_for(&self, connection: &Connection, build: &Build) -> Result<(), Problem> {
        granted(build, &connection.grants)?;
        let plugin = self.catalog.plugin(&build.digest).await?;
        let entered = self.open(connection).await?;
        let ready = self.ready(&plugin, build, connection, &entered).await?;
        if ready.account.id == connection.account {
            return Ok(());
        }
        Err(Problem::conflict("the new version takes the key for one of another account")
            .hint("The earlier version is used; tell the author of the connector."))
    }
}
