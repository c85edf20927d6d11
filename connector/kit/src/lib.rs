//! The base of every connector in Rust, so that a connector has only the parts that are specific to
//! its vendor.
//!
//! The contract in `wit/` says what a connector is; this crate generates its types and adds the
//! common parts: a request and all of its outcomes ([`call`]), JSON ([`json`]), cursors, `Link`
//! headers ([`link`]), instants, texts for messages, and a scripted host for tests ([`testing`]).
//! It knows no vendor, and has no I/O, clock, environment or randomness: everything goes through
//! [`Host`].
//!
//! A connector implements [`Connector`] and is made a component by [`export`]:
//!
//! ```
//! use smp_connector_kit::call::{self, Call, Route, Trouble};
//! use smp_connector_kit::{
//!     Account, Check, Connector, Descriptor, Failure, FailureKind, Host, Member, MemberPage,
//!     Outcome, Report, Response, Setting, listing, testing,
//! };
//! # use smp_connector_kit::{Api, RateLimit};
//!
//! static PEOPLE: Route = Route::get("/v1/people", "Reads the people", Some("people:read"));
//!
//! /// The meaning of the service's answers.
//! struct ByExample;
//!
//! impl Call for ByExample {
//!     type Refusal = Failure;
//!     const SERVICE: &'static str = "Example";
//!
//!     fn route(&self) -> &'static Route {
//!         &PEOPLE
//!     }
//!
//!     fn refused(&self, response: &Response) -> Failure {
//!         match response.status {
//!             401 => Failure::new(FailureKind::Credentials, "The key is refused.", "Make another."),
//!             _ => call::usual(self, response),
//!         }
//!     }
//! }
//!
//! #[derive(serde::Deserialize)]
//! struct Person {
//!     id: String,
//! }
//!
//! struct Example;
//!
//! impl Connector for Example {
//!     fn describe() -> Descriptor {
//!         // …
//! #         Descriptor {
//! #             id: "example".into(), name: "Example".into(), version: "0.1.0".into(),
//! #             vendor: "Example Ltd.".into(), summary: "An example.".into(),
//! #             pricing: "None.".into(),
//! #             status: "Example".into(), integration_type: "api".into(),
//! #             data_collected: vec![listing::data_set("members", &[("name", "The name")])],
//! #             permissions_required: vec![],
//! #             settings: vec![listing::setting("team", "Team", "Help.")],
//! #             api: Api {
//! #                 base: "https://api.example.com".into(), origins: None,
//! #                 endpoints: vec![PEOPLE.declared()],
//! #                 rate_limit: RateLimit { requests: 1, period_ms: 1_000 },
//! #             },
//! #             setup_guide: vec![], faq: vec![], attributes: vec![],
//! #         }
//!     }
//!
//!     fn validate(host: &mut dyn Host, settings: &[Setting]) -> Report {
//!         let people = Self::collect(host, settings, None);
//!         let outcome = Outcome::of(people.map(|page| format!("{} people.", page.members.len())));
//!         Report::new(vec![Check::required("people", "There are people", outcome)])
//!     }
//!
//!     fn connect(_: &mut dyn Host, _: &[Setting]) -> Result<Account, Failure> {
//!         Ok(Account::new("example", "Example"))
//!     }
//!
//!     fn collect(
//!         host: &mut dyn Host,
//!         _: &[Setting],
//!         _: Option<String>,
//!     ) -> Result<MemberPage, Failure> {
//!         let people: Vec<Person> = call::get_json(host, PEOPLE.path.to_owned(), &ByExample)?;
//!         let members = people.into_iter().map(|person| Member::new(person.id)).collect();
//!         Ok(MemberPage { members, ..MemberPage::default() })
//!     }
//! }
//!
//! smp_connector_kit::export!(Example);
//!
//! let mut host = testing::Script::new()
//!     .expect_get("/v1/people", testing::answer(200, r#"[{"id":"ada"}]"#))
//!     .expect_get("/v1/people", testing::answer(401, ""));
//! assert_eq!(Example::collect(&mut host, &[], None).unwrap().members, [Member::new("ada")]);
//! let refused = Example::collect(&mut host, &[], None).unwrap_err();
//! assert_eq!(refused.kind, FailureKind::Credentials);
//! ```
//!
//! With the feature `usage`, a connector also implements `Connector::collect_usage`, which tells
//! the seats of products, and its component exports the interface `usage` besides. An endpoint that
//! only this needs is declared with [`Need::Usage`](call::Need::Usage). Cargo gives a feature to
//! every crate of a build that uses the kit: build components one connector a call, so that one
//! without usage does not export it.
//!
//! The modules are in reading order: each uses only those above it.

pub mod bindings;

pub mod contract;

pub mod host;

pub mod connector;

pub mod products;
pub mod text;
pub mod time;

pub mod cursor;
pub mod link;

mod place;

pub mod json;

pub mod mend;

pub mod call;

pub mod listing;
pub mod testing;

pub use self::connector::Connector;
pub use self::contract::*;
pub use self::host::Host;
