//! The outcome of a connector on a case's traffic, as one JSON value: the content of
//! `expected.json`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::call::Call;
use super::case::Case;
use super::{Mode, Player};
use crate::fixture::Phase;
use smp_host::collect::destination::Listed;
use smp_host::collect::stream::Stream;
use smp_host::contract::{MemberPage, UsagePage};
use smp_host::failure::{Code, Failure};
use smp_host::files::rowed::Rowed;
use smp_host::files::{Ndjson, Rows};
use smp_host::http::transport::Transport as _;
use smp_host::observer::Silent;
use smp_host::settings::Checked;
use smp_host::validation::Validation;

impl Player {
    /// Runs a case's validation, its collection and, where the case has it, usage, strictly.
    ///
    /// # Errors
    /// `fixture` if the connector's requests differ from the recorded traffic. A failure that the
    /// case is about is part of the value.
    pub async fn outcome(&self, case: &Case) -> Result<Value, Failure> {
        match &case.checked {
            Ok(checked) => {
                let mut outcome = json!({
                    "validate": self.validated(case, checked).await?,
                    "collect": self.reported::<MemberPage>(case, checked).await?,
                });
                if self.plays_usage(case)
                    && let Some(object) = outcome.as_object_mut()
                {
                    object.insert("usage".into(), self.reported::<UsagePage>(case, checked).await?);
                }
                Ok(outcome)
            }
            Err(failure) => {
                let validation = Validation::refused(failure.clone());
                Ok(
                    json!({ "validate": validation.to_json(), "collect": { "error": expected(failure), "rows": [] } }),
                )
            }
        }
    }

    async fn validated(&self, case: &Case, checked: &Checked) -> Result<Value, Failure> {
        let playback = self.playback(&case.fixture, Mode::Strict)?;
        match Validation::of(&mut playback.session(checked, Arc::new(Silent))).await {
            Ok(validation) => Ok(validation.to_json()),
            Err(failure) if failure.code == Code::Fixture => Err(failure),
            // After a success the session itself checks for left-over exchanges.
            Err(failure) => {
                playback.traffic().finish().map(|()| json!({ "error": expected(&failure) }))
            }
        }
    }

    /// The report of a list, with its rows. What was recorded and not requested is a failure of its
    /// own.
    async fn reported<P: Listed + Rowed>(
        &self,
        case: &Case,
        checked: &Checked,
    ) -> Result<Value, Failure> {
        let playback = self.playback(&case.fixture, Mode::Strict)?;
        let rows = Rows::default();
        let mut stream = Stream::<P>::in_memory(Box::new(Ndjson::new(rows.clone())));
        let session = playback.session_for(P::PURPOSE, checked, Arc::new(Silent));
        let report = session.list(&mut stream, std::future::pending()).await;
        match &report.error {
            None => {}
            Some(failure) if failure.code == Code::Fixture => return Err(failure.clone()),
            Some(_) => playback.traffic().finish()?,
        }
        let mut value = report.to_json();
        if let Some(object) = value.as_object_mut() {
            object.insert("error".into(), report.error.as_ref().map(expected).into());
            object.insert("rows".into(), values(&rows.take()));
        }
        Ok(value)
    }

    /// Whether a case has usage for this connector: it has a page of that name, and the connector
    /// tells usage.
    #[must_use]
    pub fn plays_usage(&self, case: &Case) -> bool {
        self.plugin().tells_usage() && case.fixture.has_page(Phase::Usage)
    }

    /// The calls that a case has traffic for, in the order in which a platform makes them.
    #[must_use]
    pub fn calls_of(&self, case: &Case) -> Vec<Call> {
        let calls = Call::ALL.into_iter();
        calls.filter(|call| *call != Call::Usage || self.plays_usage(case)).collect()
    }
}

/// A failure as a fixture expects it. It has no remedy, because the host chooses that and may
/// improve it.
fn expected(failure: &Failure) -> Value {
    let mut value = failure.to_json();
    if let Some(object) = value.as_object_mut() {
        object.shift_remove("remedy");
    }
    value
}

fn values(rows: &[u8]) -> Value {
    rows.split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Value>(line).ok())
        .collect()
}
