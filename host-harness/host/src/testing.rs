//! Descriptors, members and texts for tests, both fixed and arbitrary.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::collect::sink::Sink;
use crate::contract::{
    Affiliation, Api, Attachment, Descriptor, Endpoint, HttpMethod, Instant, Member, MemberKind,
    MemberPage, MemberStatus, Product, ProductUse, RateLimit, SecretPrefix, SecretUse,
    SettingField,
};

/// 2026-01-02T03:04:05Z.
pub const SEEN: Instant = Instant { seconds: 1_767_323_045, nanoseconds: 0 };

/// A page with a person that has two products and every value, and a bot without any.
pub fn page() -> MemberPage {
    let ada = Member {
        email: Some("ada@example.test".into()),
        name: "Ada Lovelace".into(),
        role: "Confluence, Jira".into(),
        uses: vec![
            ProductUse { product: 0, last_active: Some(SEEN) },
            ProductUse { product: 1, last_active: None },
        ],
        last_seen: Some(SEEN),
        status: Some(MemberStatus::Active),
        kind: Some(MemberKind::Person),
        billable: Some(true),
        affiliation: Some(Affiliation::Managed),
        nickname: Some("ada".into()),
        ..member("a1")
    };
    let bot = Member { name: "Build Bot".into(), kind: Some(MemberKind::App), ..member("b2") };
    MemberPage {
        products: vec![
            product("jira-software", "Jira", Some("acme.atlassian.net")),
            product("confluence", "Confluence", None),
        ],
        members: vec![ada, bot],
        next: None,
        total: Some(2),
        notes: vec![],
    }
}

pub fn product(key: &str, name: &str, site: Option<&str>) -> Product {
    Product { key: key.into(), name: name.into(), site: site.map(Into::into) }
}

/// The output of the sink for the page.
pub fn written(page: &MemberPage, open: impl FnOnce(Shared) -> Box<dyn Sink>) -> String {
    let output = Shared::default();
    let mut sink = open(output.clone());
    sink.write_page(page).unwrap();
    sink.finish().unwrap();
    drop(sink);
    let bytes = output.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

/// An output that can be read while a sink has it.
#[derive(Clone, Default)]
pub struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Any text, with frequent special characters of terminals, spreadsheets and formats.
pub fn any_text() -> impl Strategy<Value = String> {
    let sign = prop_oneof![
        4 => any::<char>(),
        4 => proptest::char::range(' ', '~'),
        4 => proptest::sample::select("=+-@＝＋－＠'\"\t\r\n\0\u{1b}\u{7f}\u{9b}\u{202e}\u{200b}\u{feff} ,;()\\|<>&*_`[]#!张👩".chars().collect::<Vec<_>>()),
    ];
    vec(sign, 0..12).prop_map(|signs| signs.into_iter().collect())
}

fn any_instant() -> impl Strategy<Value = Instant> {
    (prop_oneof![any::<i64>(), 0_i64..2_000_000_000], any::<u32>())
        .prop_map(|(seconds, nanoseconds)| Instant { seconds, nanoseconds })
}

/// Any page whose products are in range.
pub fn any_page() -> impl Strategy<Value = MemberPage> {
    let product = (any_text(), any_text(), of(any_text())).prop_map(|(key, name, site)| Product {
        key,
        name,
        site,
    });
    let status = prop_oneof![
        Just(MemberStatus::Active),
        Just(MemberStatus::Inactive),
        Just(MemberStatus::Closed),
        Just(MemberStatus::Suspended),
        Just(MemberStatus::Invited),
        any_text().prop_map(MemberStatus::Other)
    ];
    let kind = prop_oneof![
        Just(MemberKind::Person),
        Just(MemberKind::App),
        Just(MemberKind::Customer),
        Just(MemberKind::ServiceAccount),
        any_text().prop_map(MemberKind::Other)
    ];
    let affiliation = prop_oneof![
        Just(Affiliation::Managed),
        Just(Affiliation::External),
        any_text().prop_map(Affiliation::Other)
    ];
    let used = (0_u32..3, of(any_instant()))
        .prop_map(|(product, last_active)| ProductUse { product, last_active });
    let member = (
        (any_text(), of(any_text()), any_text(), of(any_text()), any_text()),
        (vec(used, 0..4), of(any_instant()), of(status), of(kind), of(affiliation)),
        (of(any::<bool>()), vec((any_text(), any_text()), 0..3)),
    )
        .prop_map(
            |(
                (id, email, name, nickname, role),
                (uses, last_seen, status, kind, affiliation),
                (billable, attributes),
            )| {
                Member {
                    id,
                    email,
                    name,
                    nickname,
                    role,
                    uses,
                    last_seen,
                    status,
                    kind,
                    affiliation,
                    billable,
                    attributes,
                }
            },
        );
    (vec(product, 3), vec(member, 0..5)).prop_map(|(products, members)| MemberPage {
        products,
        members,
        next: None,
        total: None,
        notes: vec![],
    })
}

/// A descriptor with these endpoints, `organization-id` and the secret `api-key`.
pub fn descriptor(endpoints: &[(HttpMethod, &str, bool)]) -> Descriptor {
    let field = |key: &str, secret| SettingField {
        key: key.into(),
        label: key.to_uppercase(),
        help: String::new(),
        placeholder: String::new(),
        pattern: None,
        required: true,
        default: None,
        choices: vec![],
        secret,
        attributes: vec![],
    };
    let prefix = |prefix: &str, meaning: &str, expected| SecretPrefix {
        prefix: prefix.into(),
        meaning: meaning.into(),
        expected,
        hint: format!("Hint for {meaning}."),
    };
    let secret = SecretUse {
        attachment: Attachment::Bearer,
        prefixes: vec![
            prefix("KEY", "an organization key", true),
            prefix("TOK", "a user token", false),
        ],
    };
    Descriptor {
        id: "example".into(),
        name: "Example".into(),
        version: "0.1.0".into(),
        vendor: "Example".into(),
        summary: String::new(),
        pricing: String::new(),
        status: "General Availability".into(),
        integration_type: "api".into(),
        data_collected: vec![],
        permissions_required: vec![],
        settings: vec![field("organization-id", None), field("api-key", Some(secret))],
        api: Api {
            base: "https://api.example.test".into(),
            origins: None,
            endpoints: endpoints
                .iter()
                .map(|(method, path, read_only)| Endpoint {
                    method: *method,
                    path: (*path).into(),
                    purpose: "test".into(),
                    scope: None,
                    read_only: *read_only,
                    when: vec![],
                    request_headers: vec![],
                    response_headers: vec![],
                })
                .collect(),
            rate_limit: RateLimit { requests: 5, period_ms: 1000 },
        },
        setup_guide: vec![],
        faq: vec![],
        attributes: vec![],
    }
}

/// A member of which only the identifier is known.
pub fn member(id: &str) -> Member {
    Member {
        id: id.into(),
        email: None,
        name: String::new(),
        nickname: None,
        role: String::new(),
        uses: Vec::new(),
        last_seen: None,
        status: None,
        kind: None,
        affiliation: None,
        billable: None,
        attributes: Vec::new(),
    }
}
