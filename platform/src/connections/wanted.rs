//! What a session is wanted for: a run, or a person who looks.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use smp_host::http::base::Purpose;
use smp_host::observer::{Observer, Silent};

use crate::store::connections::Connection;

/// Longest wait within a call. A longer one ends the run, which comes back then: a wait of an hour
/// holds no memory.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Longest wait while a person looks.
const LONGEST_WAIT_OF_A_PERSON: Duration = Duration::from_secs(5);

/// What a session is for.
pub(super) struct Wanted {
    pub(super) purpose: Purpose,
    pub(super) run: Option<String>,
    /// The claim of the run: after another one, nothing more is sent.
    pub(super) epoch: Option<i64>,
    pub(super) account: Option<String>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) max_wait: Duration,
}

impl Wanted {
    pub(super) fn of_a_run(
        connection: &Connection,
        purpose: Purpose,
        run: &str,
        epoch: Option<i64>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let account = Some(account(&connection.connector, &connection.account));
        let run = Some(run.to_owned());
        Self { purpose, run, epoch, account, observer, max_wait: LONGEST_WAIT }
    }

    pub(super) fn of_a_person(connection: &Connection) -> Self {
        let known = !connection.account.is_empty();
        Self {
            purpose: Purpose::Members,
            run: None,
            epoch: None,
            account: known.then(|| account(&connection.connector, &connection.account)),
            observer: Arc::new(Silent),
            max_wait: LONGEST_WAIT_OF_A_PERSON,
        }
    }
}

/// The name of an account for the pace and for events: it does not tell the account.
pub(super) fn account(connector: &str, account: &str) -> String {
    let hash = Sha256::new().chain_update(connector).chain_update([0]).chain_update(account);
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
