//! The calls of the contract, each within its span and checked before its result is used.

use std::sync::Arc;

use tracing::Instrument;
use tracing::field::Empty;

use super::check;
use super::session::Session;
use crate::contract::{Account, Descriptor, MemberPage, UsagePage};
use crate::explained::Report;
use crate::failure::{Code, Failure};
use crate::http::transport::Phase;
use crate::observer::Call;
use crate::remedy::Remedy;

impl Session {
    /// Calls `describe`.
    ///
    /// # Errors
    /// `trap` or `limit`; `contract` if it tried to send a request, whatever it made of the answer.
    /// No request is sent.
    pub async fn describe(&mut self) -> Result<Descriptor, Failure> {
        let described = self
            .call(None, async |plugin, store| {
                store.data_mut().describing = true;
                plugin.connector.call_describe(store).await
            })
            .await;
        let asked = self.state_mut().is_some_and(|state| {
            state.describing = false;
            std::mem::take(&mut state.asked_while_describing)
        });
        if asked && described.is_ok() {
            return Err(Failure::new(
                Code::Contract,
                "the connector broke its contract: it sends a request while it describes itself",
            )
            .with_hint(
                "Report it to the publisher of the connector; nothing is wrong with your settings.",
            ));
        }
        described
    }

    /// Calls `validate`: would a collection with the run's settings work?
    ///
    /// # Errors
    /// If there is no reliable report.
    pub async fn validate(&mut self) -> Result<Report, Failure> {
        let report = self
            .observed(Call::Validate, async |run| run.validate_in(Phase::Validate).await)
            .await?;
        self.finish()?;
        Ok(report)
    }

    /// Calls `validate` after a collection without members, for the reason.
    ///
    /// # Errors
    /// If there is no reliable report.
    pub async fn diagnose(&mut self) -> Result<Report, Failure> {
        self.observed(Call::Diagnose, async |run| run.validate_in(Phase::Diagnose).await).await
    }

    async fn validate_in(&mut self, phase: Phase) -> Result<Report, Failure> {
        let settings = Arc::clone(&self.settings);
        let report = self
            .call(Some(phase), async |plugin, store| {
                plugin.connector.call_validate(store, &settings.public).await
            })
            .await?;
        self.not_ended()?;
        check::report(&report, &self.limits)?;
        Ok(self.explainer().report(report))
    }

    /// Calls `connect`: which account do the settings identify?
    ///
    /// # Errors
    /// The connector's failure, with what the key's prefix says about it, or the host's.
    pub async fn connect(&mut self) -> Result<Account, Failure> {
        self.observed(Call::Connect, Self::account).await
    }

    async fn account(&mut self) -> Result<Account, Failure> {
        let settings = Arc::clone(&self.settings);
        let answer = self
            .call(Some(Phase::Connect), async |plugin, store| {
                plugin.connector.call_connect(store, &settings.public).await
            })
            .await?;
        let account = self.judged(answer)?;
        check::account(&account, &self.limits)?;
        self.finish()?;
        Ok(account)
    }

    /// Requests one page of members. It is not guarded: [`collect_members`](Self::collect_members)
    /// gives a complete list.
    ///
    /// # Errors
    /// The connector's failure, or the host's.
    pub async fn collect(&mut self, cursor: Option<&String>) -> Result<MemberPage, Failure> {
        let call = Call::Collect { page: self.pages.saturating_add(1) };
        self.next_page(call, async |run| run.members_page(cursor).await).await
    }

    /// Requests one page of usage. It is not guarded: [`collect_usage`](Self::collect_usage) gives
    /// a complete list.
    ///
    /// # Errors
    /// The connector's failure, or the host's; `component` if the connector tells no usage.
    pub async fn usage_page(&mut self, cursor: Option<&String>) -> Result<UsagePage, Failure> {
        let call = Call::Usage { page: self.pages.saturating_add(1) };
        self.next_page(call, async |run| run.entries_page(cursor).await).await
    }

    /// Makes a call for a page, which has the next number.
    async fn next_page<P>(
        &mut self,
        call: Call,
        ask: impl AsyncFnOnce(&mut Self) -> Result<P, Failure>,
    ) -> Result<P, Failure> {
        let page = self.observed(call, ask).await?;
        self.pages = self.pages.saturating_add(1);
        Ok(page)
    }

    async fn members_page(&mut self, cursor: Option<&String>) -> Result<MemberPage, Failure> {
        let settings = Arc::clone(&self.settings);
        let answer = self
            .call(Some(Phase::Collect), async |plugin, store| {
                plugin.connector.call_collect_members(store, &settings.public, cursor).await
            })
            .await?;
        let page = self.judged(answer)?;
        check::page(&page, &self.limits)?;
        self.give_back_what_waits();
        Ok(page)
    }

    async fn entries_page(&mut self, cursor: Option<&String>) -> Result<UsagePage, Failure> {
        let settings = Arc::clone(&self.settings);
        let answer = self
            .call(Some(Phase::Usage), async |plugin, store| match &plugin.usage {
                Some(usage) => {
                    usage.call_collect_usage(store, &settings.public, cursor).await.map(Some)
                }
                None => Ok(None),
            })
            .await?;
        let page = self.judged(answer.ok_or_else(tells_no_usage)?)?;
        check::usage_page(&page, &self.limits)?;
        self.give_back_what_waits();
        Ok(page)
    }

    /// Makes one call within its span, which records the code of a failure.
    async fn observed<T>(
        &mut self,
        call: Call,
        answer: impl AsyncFnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (name, page) = (call.as_str(), call.page());
        let span =
            tracing::info_span!(parent: self.events().span(), "call", name, page, code = Empty);
        if let Some(http) = self.state_mut().and_then(|state| state.http.as_mut()) {
            http.serve(call);
        }
        let answer = answer(self).instrument(span.clone()).await;
        if let Err(failure) = &answer {
            let code = failure.code.as_str();
            span.record("code", code);
            tracing::info!(parent: &span, code, retryable = failure.retryable(), "a call failed");
        }
        answer
    }
}

/// The refusal to ask a connector for what it does not export.
#[must_use]
pub fn tells_no_usage() -> Failure {
    Failure::new(Code::Component, "this connector does not tell usage, such as seats")
        .with_remedy(Remedy::Other)
        .with_hint("Collect its members, or look for a connector of the service that tells usage.")
}
