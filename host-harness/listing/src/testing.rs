//! A descriptor for the tests of the renderings, and what is demanded of their HTML.

use smp_host::contract::{
    Api, Attachment, DataField, DataSet, Descriptor, Endpoint, GuideSection, Question, RateLimit,
    SecretPrefix, SecretUse, SettingField, http,
};

/// Texts of people who would like a page to do more than to show them.
pub const HOSTILE: &[&str] = &[
    "`|<img src=x onerror=alert(1)>`",
    "`\\|<img src=x onerror=alert(1)>`",
    "a`|`<img src=x onerror=alert(1)>",
    "`a`|`<script>alert(1)</script>`",
    "[a](https://good.example&commat;evil.example/)",
    "[good.example](https://evil.example/good.example)",
    "[a](https://good.example/?a&commat;b \"onclick=alert(1)\")",
    "[a](javascript&colon;alert(1))",
    "[a](<javascript:alert(1)>)",
    "[a][b]\n\n[b]: javascript:alert(1)",
    "[a][b]\n\n[b]: <data:text/html,x>",
    "<javascript:alert(1)>",
    "<vbscript:x> <data:text/html,x> <file:///etc/passwd> <tel:1>",
    "javascript:alert(1) ftp://a.test xmpp:a@evil.test/x mailto:a@b.test www.a.test",
    "x {: onclick=alert(1)}\n{: onclick=alert(1)}",
    "x {onclick=alert(1)} `a`{onclick=alert(1)} **a**{: onclick=alert(1)}",
    "x { #id .class onclick=alert(1) }",
    "{{ constructor.constructor('alert(1)')() }} {% include x %}",
    "<img src=x onerror=alert(1)>",
    "<a href=\"javascript:alert(1)\">a</a>",
    "<svg/onload=alert(1)> <!-- --> <?x?> <![CDATA[x]]>",
    "<div>\n\n# a\n\n</div>",
    "![a](https://a.test/pixel.png) ![a][b]\n\n[b]: https://a.test/b.png",
    "[![a](x)](javascript:alert(1))",
    "[<img src=x>](https://a.test)",
    "a&#10;# b&#10;&#10;&lt;img src=x&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "\\<img src=x onerror=alert(1)> \\`<img src=x>`",
    "``<img src=x>`` ```\n<img src=x>\n```",
    "a\n-\nb\n===\n# c",
    "- a\n\n      <img src=x>\n- \n  - - - - - b",
    "a | b\n--- | ---\n<img src=x> | d",
    "a\n\n    <img src=x>\n\n~~~\n<img src=x>\n~~~",
    "[^1]\n\n[^1]: <img src=x>\n\n: a\n: b",
    "**<b>** **&#32;** __a__**b** ***c*** ****d****",
    "![[a]] [[a|b]] :::note\n!!! a\n$$<img>$$ ==a== ||a||",
    "$`$<img src=x onerror=alert(1)>`",
    "<https://a.test/\"onclick=x> https://a.test/\"onclick=x https://a.test/<b>",
    "[a](https://a.test/'onclick=x) [a](https://a.test/`b`)",
    "\u{202e}a\u{0}b\u{1b}[31m",
    "[x]: https://a.test\n[`]: b\n[x] `",
];
/// Stands between the pages of [`HOSTILE`].
pub const PAGE_BREAK: &str = "\n\u{c}\n";

/// A small descriptor that covers every kind of entry.
pub fn descriptor() -> Descriptor {
    Descriptor {
        id: "example-cloud".into(),
        name: "Example Cloud".into(),
        version: "1.2.3".into(),
        vendor: "Example".into(),
        summary: "Notes & boards for teams.".into(),
        pricing: "Depends on the number of people.".into(),
        status: "General Availability".into(),
        integration_type: "api".into(),
        data_collected: vec![DataSet {
            name: "members".into(),
            fields: vec![
                field("e-mail", "The address."),
                field("last seen", "The latest activity."),
            ],
        }],
        permissions_required: vec!["Be an **admin**.".into()],
        settings: vec![
            SettingField {
                key: "organization-id".into(),
                label: "Organization ID".into(),
                help: "In the address bar.".into(),
                placeholder: "a1b2".into(),
                pattern: Some("[a-z0-9]+".into()),
                required: true,
                default: None,
                choices: vec![],
                secret: None,
                attributes: Vec::new(),
            },
            SettingField {
                key: "api-key".into(),
                label: "Api Key".into(),
                help: "Shown once.".into(),
                placeholder: String::new(),
                pattern: None,
                required: true,
                default: None,
                choices: vec![],
                secret: Some(SecretUse {
                    attachment: Attachment::Bearer,
                    prefixes: vec![SecretPrefix {
                        prefix: "EX".into(),
                        meaning: "a key".into(),
                        expected: true,
                        hint: "Make a new one.".into(),
                    }],
                }),
                attributes: vec![("group".into(), "login".into())],
            },
        ],
        api: Api {
            base: "https://api.example.test".into(),
            origins: None,
            endpoints: vec![
                endpoint(
                    http::Method::Get,
                    "/v1/orgs/{organization-id}/users",
                    "Reads the members.",
                    Some("read:users"),
                    true,
                ),
                endpoint(http::Method::Post, "/v1/ping", "Says hello.", None, false),
            ],
            rate_limit: RateLimit { requests: 5, period_ms: 1_000 },
        },
        setup_guide: vec![GuideSection {
            title: "Get a key".into(),
            introduction: "It takes a minute.".into(),
            steps: vec![
                "Open https://example.test.".into(),
                "Note down:\n- the id\n- the key".into(),
            ],
        }],
        faq: vec![Question { question: "Why?".into(), answer: "Because.".into() }],
        attributes: vec![("tier".into(), "one".into())],
    }
}

fn field(name: &str, description: &str) -> DataField {
    DataField { name: name.into(), description: description.into() }
}

fn endpoint(
    method: http::Method,
    path: &str,
    purpose: &str,
    scope: Option<&str>,
    read_only: bool,
) -> Endpoint {
    Endpoint {
        method,
        path: path.into(),
        purpose: purpose.into(),
        scope: scope.map(Into::into),
        read_only,
        when: vec![],
        request_headers: vec![],
        response_headers: vec![],
    }
}

/// The descriptor with every text replaced by this one.
pub fn filled_with(text: &str) -> Descriptor {
    let text = || text.to_owned();
    let mut filled = descriptor();
    for slot in [
        &mut filled.id,
        &mut filled.name,
        &mut filled.version,
        &mut filled.vendor,
        &mut filled.summary,
        &mut filled.pricing,
        &mut filled.status,
        &mut filled.integration_type,
        &mut filled.api.base,
    ] {
        *slot = text();
    }
    for set in &mut filled.data_collected {
        set.name = text();
        set.fields.iter_mut().for_each(|field| (field.name, field.description) = (text(), text()));
    }
    filled.permissions_required = vec![text()];
    for field in &mut filled.settings {
        (field.key, field.label, field.help, field.placeholder, field.pattern) =
            (text(), text(), text(), text(), Some(text()));
        field.attributes = vec![(text(), text())];
        for prefix in field.secret.iter_mut().flat_map(|secret| &mut secret.prefixes) {
            (prefix.prefix, prefix.meaning, prefix.hint) = (text(), text(), text());
        }
    }
    for endpoint in &mut filled.api.endpoints {
        (endpoint.path, endpoint.purpose, endpoint.scope) = (text(), text(), Some(text()));
    }
    for section in &mut filled.setup_guide {
        (section.title, section.introduction, section.steps) =
            (text(), text(), vec![text(), text()]);
    }
    filled.faq = vec![Question { question: text(), answer: text() }];
    filled.attributes = vec![(text(), text())];
    filled
}

/// Elements that a page of this project is made of.
const ELEMENTS: &[&str] = &[
    "html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "div",
    "span", "bdi", "a", "p", "ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "table",
    "caption", "thead", "tbody", "tr", "th", "td", "code", "pre", "strong", "br", "img", "details",
    "summary", "time",
];

/// The tags of this element, each with its attributes as they are written.
pub fn tags<'m>(markup: &'m str, element: &str) -> Vec<&'m str> {
    let all = all_tags(markup).into_iter();
    all.filter(|(name, _)| *name == element).map(|(_, attributes)| attributes).collect()
}

/// Every opening tag: its name and its attributes.
fn all_tags(markup: &str) -> Vec<(&str, &str)> {
    let body = markup.split_once("</style>").map_or(markup, |(_, body)| body);
    let head = markup.split_once("<style>").map_or("", |(head, _)| head);
    let mut tags = Vec::new();
    if !head.is_empty() {
        tags.push(("style", ""));
    }
    for part in [head, body] {
        for piece in part.split('<').skip(1) {
            let tag = piece.split_once('>').map_or(piece, |(tag, _)| tag);
            if !tag.starts_with('/') {
                tags.push(tag.split_once(' ').unwrap_or((tag, "")));
            }
        }
    }
    tags
}

/// The values of an attribute.
fn values<'t>(attributes: &'t str, name: &str) -> Vec<&'t str> {
    let begin = format!("{name}=\"");
    let found = attributes.match_indices(&begin).filter(|(at, _)| {
        *at == 0 || attributes.get(..*at).is_some_and(|before| before.ends_with(' '))
    });
    let value = |at: usize| attributes.get(at + begin.len()..)?.split('"').next();
    found.filter_map(|(at, _)| value(at)).collect()
}

/// Checks that markup has only elements that show something, and addresses that load nothing.
///
/// # Panics
/// If it does more.
pub fn assert_is_harmless(markup: &str) {
    for (name, attributes) in all_tags(markup) {
        assert!(ELEMENTS.contains(&name) || name == "!DOCTYPE", "<{name}> in {markup}");
        let quoted = attributes.split('"').step_by(2).flat_map(str::split_whitespace);
        for attribute in quoted {
            let attribute = attribute.trim_end_matches('=');
            assert!(
                !attribute.starts_with("on") && attribute != "style",
                "{attribute} in {markup}"
            );
        }
        for address in values(attributes, "href") {
            let begins = ["https://", "mailto:", "#"];
            let is_fine =
                begins.iter().any(|begin| address.to_ascii_lowercase().starts_with(begin));
            assert!(is_fine, "{address}");
        }
        for address in values(attributes, "src") {
            assert!(address.starts_with("data:image/"), "{address}");
        }
    }
    let active = markup.chars().find(|sign| *sign != '\n' && smp_host::text::is_active(*sign));
    assert_eq!(active, None, "{markup}");
}

/// Checks that a page stands alone, that its policy permits its own style and nothing else, and
/// that a screen reader can follow it.
///
/// # Panics
/// If it does not.
pub fn assert_stands_alone(document: &str) {
    use base64::Engine as _;
    use sha2::Digest as _;
    assert_is_harmless(document);
    let style = document.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
    let style = style.map(|(style, _)| style).unwrap_or_default();
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    let policy = format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'\">"
    );
    let head = document.split_once("<title>").map(|(head, _)| head).unwrap_or_default();
    assert!(head.contains(&policy), "the policy stands before all that it is about: {head}");
    assert_eq!(tags(document, "html"), ["lang=\"en\""]);
    assert!(!document.contains("<title> ·"), "the title says whose page it is");
    assert_eq!(document.matches("url(").count(), 0, "nothing is loaded");

    let headings: Vec<usize> = all_tags(document)
        .iter()
        .filter_map(|(name, _)| name.strip_prefix('h')?.parse().ok())
        .collect();
    assert_eq!((headings.first(), headings.iter().filter(|it| **it == 1).count()), (Some(&1), 1));
    for (before, after) in headings.iter().zip(headings.iter().skip(1)) {
        assert!(after <= &(before + 1), "no level of headings is left out: {headings:?}");
    }
    for head in tags(document, "th") {
        assert!(head.contains("scope=\""), "a heading of a table says what it heads: {head}");
    }
    let tables = document.split("<table").skip(1);
    for table in tables {
        let table = table.split("</table>").next().unwrap_or_default();
        assert!(table.contains("<caption") && table.contains("scope=\"col\""), "{table}");
    }
    let regions = tags(document, "div").into_iter().filter(|it| it.contains("role=\"region\""));
    let labels: Vec<&str> = regions.flat_map(|region| values(region, "aria-label")).collect();
    let distinct: std::collections::BTreeSet<_> = labels.iter().collect();
    assert_eq!(distinct.len(), labels.len(), "each region has a name of its own: {labels:?}");
    for picture in tags(document, "img") {
        assert!(picture.contains("alt"), "{picture}");
    }
    let named = all_tags(document);
    let ids: Vec<&str> = named.iter().flat_map(|(_, it)| values(it, "id")).collect();
    let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "an id is there once: {ids:?}");
    for anchor in named.iter().flat_map(|(_, it)| values(it, "href")) {
        if let Some(anchor) = anchor.strip_prefix('#') {
            assert!(ids.contains(&anchor), "#{anchor} leads nowhere");
        }
    }
}
