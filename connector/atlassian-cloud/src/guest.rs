//! The binding to the component's contract: generated code, conversions by move, delegation.
//!
//! No decision lives here. Every string crosses by move; only what is known at compile time is copied, because
//! the contract hands over owned values.

use std::sync::atomic::{AtomicBool, Ordering};

use self::bindings::exports::smp::connector::connector as wit;
use self::bindings::smp::connector::{http, log};
use crate::config::Setting;
use crate::descriptor::{DataSet, Descriptor, Endpoint, GuideSection, Question, SecretPrefix, SettingField};
use crate::failure::{Failure, FailureKind};
use crate::flow::{collect, connect, validate};
use crate::host::{Exhausted, Host, HttpError, Request, Response};
use crate::listing::DESCRIPTOR;
use crate::model::{Account, Instant, Member, MemberKind, MemberPage, MemberStatus, Product, ProductUse};
use crate::report::{Advice, Check, Outcome, Report};

mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "connector-plugin" });
}

/// Rust's own allocator for this target takes 6 KiB more, which the parser is better spent on.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(target_family = "wasm")]
mod export {
    #![expect(unsafe_code, reason = "an exported symbol cannot be had without; the macro is the bindings' own")]

    use super::{Component, bindings};

    bindings::export!(Component with_types_in bindings);
}

/// The connector, as the world has it.
struct Component;

impl wit::Guest for Component {
    fn describe() -> wit::Descriptor {
        report_panics();
        (&DESCRIPTOR).into()
    }

    fn validate(settings: Vec<wit::Setting>) -> wit::Report {
        report_panics();
        validate::validate(&mut Imports, &each(settings)).into()
    }

    fn connect(settings: Vec<wit::Setting>) -> Result<wit::Account, wit::Failure> {
        report_panics();
        connect::connect(&mut Imports, &each(settings)).map(Into::into).map_err(Into::into)
    }

    fn collect_members(settings: Vec<wit::Setting>, cursor: Option<String>) -> Result<wit::MemberPage, wit::Failure> {
        report_panics();
        collect::collect(&mut Imports, &each(settings), cursor).map(Into::into).map_err(Into::into)
    }
}

/// The host behind the imported interfaces.
struct Imports;

impl Host for Imports {
    fn send(&mut self, Request { path_with_query }: Request) -> Result<Response, HttpError> {
        let request = http::Request { method: http::Method::Get, path_with_query, body: None };
        match http::send(&request) {
            Ok(http::Response { status, headers, body }) => Ok(Response { status, headers, body }),
            Err(error) => Err(error.into()),
        }
    }

    fn warn(&mut self, message: &str) {
        log::write(log::Level::Warn, message);
    }
}

/// Makes a panic say where it happened; what it says could hold what the service answered.
fn report_panics() {
    static IS_DONE: AtomicBool = AtomicBool::new(false);
    if !IS_DONE.swap(true, Ordering::Relaxed) {
        std::panic::set_hook(Box::new(|panic| {
            if let Some(place) = panic.location() {
                log::write(log::Level::Error, &format!("panic at {}:{}", place.file(), place.line()));
            }
        }));
    }
}

fn each<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

fn each_of<'a, T, U: From<&'a T>>(items: &'a [T]) -> Vec<U> {
    items.iter().map(U::from).collect()
}

impl From<http::Error> for HttpError {
    fn from(error: http::Error) -> Self {
        let exhausted = |http::Exhausted { status, retry_after_seconds }| Exhausted { status, retry_after_seconds };
        match error {
            http::Error::Denied(rule) => Self::Denied(rule),
            http::Error::TimedOut => Self::TimedOut,
            http::Error::TooLarge(bytes) => Self::TooLarge(bytes),
            http::Error::RateLimited(last) => Self::RateLimited(exhausted(last)),
            http::Error::Unavailable(last) => Self::Unavailable(exhausted(last)),
            http::Error::ConnectionFailed(reason) => Self::ConnectionFailed(reason),
            http::Error::Other(reason) => Self::Other(reason),
        }
    }
}

impl From<wit::Setting> for Setting {
    fn from(wit::Setting { key, value }: wit::Setting) -> Self {
        Self { key, value }
    }
}

impl From<Account> for wit::Account {
    fn from(Account { id, name }: Account) -> Self {
        Self { id, name, attributes: Vec::new() }
    }
}

impl From<MemberPage> for wit::MemberPage {
    fn from(MemberPage { products, members, next, total }: MemberPage) -> Self {
        Self { products: each(products), members: each(members), next: next.map(crate::cursor::Cursor::into_string), total }
    }
}

impl From<Product> for wit::Product {
    fn from(Product { key, name, site }: Product) -> Self {
        Self { key, name, site }
    }
}

impl From<Member> for wit::Member {
    fn from(member: Member) -> Self {
        let Member { id, email, name, role, uses, last_seen, status, kind, billable, attributes } = member;
        Self {
            id,
            email,
            name,
            role,
            uses: each(uses),
            last_seen: last_seen.map(Into::into),
            status: status.map(Into::into),
            kind: kind.map(Into::into),
            billable,
            attributes,
        }
    }
}

impl From<ProductUse> for wit::ProductUse {
    fn from(ProductUse { product, last_active }: ProductUse) -> Self {
        Self { product, last_active: last_active.map(Into::into) }
    }
}

impl From<Instant> for wit::Instant {
    fn from(Instant { seconds, nanoseconds }: Instant) -> Self {
        Self { seconds, nanoseconds }
    }
}

impl From<MemberStatus> for wit::MemberStatus {
    fn from(status: MemberStatus) -> Self {
        match status {
            MemberStatus::Active => Self::Active,
            MemberStatus::Inactive => Self::Inactive,
            MemberStatus::Closed => Self::Closed,
            MemberStatus::Other(word) => Self::Other(word),
        }
    }
}

impl From<MemberKind> for wit::MemberKind {
    fn from(kind: MemberKind) -> Self {
        match kind {
            MemberKind::Person => Self::Person,
            MemberKind::App => Self::App,
            MemberKind::Customer => Self::Customer,
            MemberKind::Other(word) => Self::Other(word),
        }
    }
}

impl From<Failure> for wit::Failure {
    fn from(failure: Failure) -> Self {
        let Failure { kind, message, hint, setting, vendor_code, retry_after_seconds } = failure;
        Self { kind: kind.into(), message, hint, setting: setting.map(str::to_owned), vendor_code, retry_after_seconds }
    }
}

impl From<FailureKind> for wit::FailureKind {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::InvalidSettings => Self::InvalidSettings,
            FailureKind::Credentials => Self::Credentials,
            FailureKind::Permission => Self::Permission,
            FailureKind::NotFound => Self::NotFound,
            FailureKind::RateLimited => Self::RateLimited,
            FailureKind::Upstream => Self::Upstream,
            FailureKind::UnexpectedResponse => Self::UnexpectedResponse,
            FailureKind::NoMembers => Self::NoMembers,
            FailureKind::CursorExpired => Self::CursorExpired,
            FailureKind::Other => Self::Other,
        }
    }
}

impl From<Report> for wit::Report {
    fn from(Report { checks }: Report) -> Self {
        Self { checks: each(checks) }
    }
}

impl From<Check> for wit::Check {
    fn from(Check { id, title, required, outcome }: Check) -> Self {
        Self { id: id.to_owned(), title: title.to_owned(), required, outcome: outcome.into() }
    }
}

impl From<Outcome> for wit::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed(text) => Self::Passed(text),
            Outcome::Warning(Advice { message, hint, setting }) => {
                Self::Warning(wit::Advice { message, hint, setting: setting.map(str::to_owned) })
            }
            Outcome::Failed(failure) => Self::Failed(failure.into()),
            Outcome::Skipped(text) => Self::Skipped(text),
        }
    }
}

impl From<&Descriptor> for wit::Descriptor {
    fn from(descriptor: &Descriptor) -> Self {
        let api = &descriptor.api;
        Self {
            id: descriptor.id.to_owned(),
            name: descriptor.name.to_owned(),
            version: descriptor.version.to_owned(),
            vendor: descriptor.vendor.to_owned(),
            summary: descriptor.summary.to_owned(),
            pricing: descriptor.pricing.to_owned(),
            status: descriptor.status.to_owned(),
            integration_type: descriptor.integration_type.to_owned(),
            data_collected: each_of(descriptor.data_collected),
            permissions_required: texts(descriptor.permissions_required),
            settings: each_of(descriptor.settings),
            api: wit::Api {
                base: api.base.to_owned(),
                endpoints: each_of(api.endpoints),
                rate_limit: wit::RateLimit { requests: api.requests, period_ms: api.period_ms },
            },
            setup_guide: each_of(descriptor.setup_guide),
            faq: each_of(descriptor.faq),
            attributes: Vec::new(),
        }
    }
}

impl From<&DataSet> for wit::DataSet {
    fn from(DataSet { name, fields }: &DataSet) -> Self {
        let field =
            |(name, description): &(&str, &str)| wit::DataField { name: (*name).to_owned(), description: (*description).to_owned() };
        Self { name: (*name).to_owned(), fields: fields.iter().map(field).collect() }
    }
}

impl From<&SettingField> for wit::SettingField {
    fn from(field: &SettingField) -> Self {
        let secret = |prefixes| wit::SecretUse { attachment: wit::Attachment::Bearer, prefixes: each_of(prefixes) };
        Self {
            key: field.key.to_owned(),
            label: field.label.to_owned(),
            help: field.help.to_owned(),
            placeholder: field.placeholder.to_owned(),
            pattern: field.pattern.map(str::to_owned),
            required: field.required,
            secret: field.bearer.map(secret),
            attributes: Vec::new(),
        }
    }
}

impl From<&SecretPrefix> for wit::SecretPrefix {
    fn from(SecretPrefix { prefix, meaning, expected, hint }: &SecretPrefix) -> Self {
        Self { prefix: (*prefix).to_owned(), meaning: (*meaning).to_owned(), expected: *expected, hint: (*hint).to_owned() }
    }
}

impl From<&Endpoint> for wit::Endpoint {
    fn from(Endpoint { path, purpose, scope }: &Endpoint) -> Self {
        Self {
            method: http::Method::Get,
            path: (*path).to_owned(),
            purpose: (*purpose).to_owned(),
            scope: Some((*scope).to_owned()),
            read_only: true,
        }
    }
}

impl From<&GuideSection> for wit::GuideSection {
    fn from(GuideSection { title, introduction, steps }: &GuideSection) -> Self {
        Self { title: (*title).to_owned(), introduction: (*introduction).to_owned(), steps: texts(steps) }
    }
}

impl From<&Question> for wit::Question {
    fn from(Question { question, answer }: &Question) -> Self {
        Self { question: (*question).to_owned(), answer: (*answer).to_owned() }
    }
}

fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(|text| (*text).to_owned()).collect()
}
