//! Target `har`: the HAR reader, replay, and the recorder.
//!
//! An input is the file `traffic.har` of a fixture whose folder has a body file, `bodies/1.json`.
//!
//! Property: a file is read or refused as `fixture`. Every entry of a declared endpoint, requested
//! in its phase, is given once, with a status in the file, and then nothing is left over. A
//! recording of that can be read, and gives the same answers.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use smp_host::failure::Code;
use smp_host::http::clock::VirtualClock;
use smp_host::http::transport::{Method, Request, Response, Transport, TransportError};
use smp_host::text;
use smp_replay::fixture::{
    Fixture, Phase, RECORDED_HEADER_PREFIX, RECORDED_HEADERS, Recorder, Replay,
};

use super::scratch;

/// Texts with a meaning in a HAR.
pub const DICTIONARY: &[&str] = &[
    "{\"log\":{\"entries\":[",
    "\"pages\":[{\"id\":\"collect\"}],",
    "\"pageref\":\"validate\",",
    "\"pageref\":\"collect\",",
    "\"startedDateTime\":\"2026-01-01T00:00:00.000Z\",",
    "\"startedDateTime\":\"-009999-01-01T00:00:00Z\",",
    "\"request\":{\"method\":\"GET\",\"url\":\"https://x.test/admin/v1/orgs/a/users?cursor=b\"},",
    "\"request\":{\"method\":\"POST\",\"url\":\"/search/a\",\"postData\":{\"text\":\"e30=\",\"\
     encoding\":\"base64\"}},",
    "\"response\":{\"status\":200,\"content\":{\"text\":\"{}\"}}",
    "\"response\":{\"status\":\"503\",\"headers\":[{\"name\":\"Retry-After\",\"value\":\"7\"}]}",
    "\"_file\":\"bodies/1.json\"",
    "\"_file\":\"../x\"",
    "\"_error\":\"timed-out\",",
    "\"_error\":\"connection-failed: x\",",
    "\"_error\":\"too-large: 7\",",
    "\"_error\":\"net::ERR_FAILED\",",
    "\"encoding\":\"base64\",",
    "\"mimeType\":\"text/html\",",
    "\"name\":\"location\",\"value\":\"/x?y\"",
    "/admin/v1/orgs",
    "?a=b&c",
    "%2F",
    "+",
    "#x",
    "{}",
    "[]",
    "null",
    "},{",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "999",
];

/// The phases, in the order in which a run enters them.
const PHASES: [Phase; 4] = [Phase::Validate, Phase::Connect, Phase::Collect, Phase::Diagnose];

/// Most entries that are requested: more would only repeat what fewer show.
const MOST: usize = 200;

type Answer = Result<Response, TransportError>;

/// A request and the phase in which it is sent.
type Step = (Phase, Request);

/// Runs the target.
pub fn run(data: &[u8]) {
    let home = scratch::folder();
    let folder = home.path().join("case");
    std::fs::create_dir_all(folder.join("bodies")).expect("a folder");
    for (name, bytes) in
        [("settings.json", &b"{}"[..]), ("traffic.har", data), ("bodies/1.json", b"{\"data\":[]}")]
    {
        std::fs::write(folder.join(name), bytes).expect("a file");
    }
    let Some(replay) = opened(&folder) else { return };
    let Ok(told) =
        serde_json::from_slice::<Value>(data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data))
    else {
        return;
    };
    let told = Told::read(&told);
    if told.steps.len() > MOST {
        return;
    }

    let clock = Arc::new(VirtualClock::new(replay.start()));
    let replay = Arc::new(replay);
    let target = home.path().join("recorded");
    let recorder = Recorder::new(Arc::clone(&replay), clock, "https://api.example.test", &target)
        .expect("a recording");
    let given = played(&recorder, &told.steps);
    if told.is_of_one_kind {
        for (answer, step) in given.iter().zip(&told.steps) {
            assert!(
                !matches!(answer, Err(TransportError::Fixture(_))),
                "not given: {step:?}: {answer:?}"
            );
        }
        assert_eq!(replay.left_over(), None);
    }
    for response in given.iter().flatten() {
        assert!(
            told.statuses.contains(&response.status),
            "a status that is not there: {}",
            response.status
        );
    }

    let draft = recorder.finish(&Default::default(), None).expect("a recording");
    let again = opened(draft.path()).expect("a recording that can be read");
    let noted = given
        .iter()
        .zip(told.steps)
        .filter(|(answer, _)| !matches!(answer, Err(TransportError::Fixture(_))));
    let (given, steps): (Vec<Answer>, Vec<Step>) =
        noted.map(|(answer, step)| (as_recorded(answer.clone()), step)).unzip();
    assert_eq!(played(&again, &steps), given);
    assert_eq!(again.left_over(), None);
}

/// The fixture, if it is one.
pub(super) fn opened(folder: &Path) -> Option<Replay> {
    match Fixture::open(folder).and_then(|fixture| Replay::new(&fixture, &declared())) {
        Ok(replay) => Some(replay),
        Err(failure) => {
            assert_eq!(failure.code, Code::Fixture, "{failure}");
            assert!(!failure.message.is_empty());
            None
        }
    }
}

fn declared() -> Vec<(Method, String)> {
    let ours = atlassian_cloud::listing::descriptor()
        .api
        .endpoints
        .into_iter()
        .map(|endpoint| (Method::Get, endpoint.path));
    ours.chain([(Method::Post, "/search/{x}".to_owned())]).collect()
}

/// Sends the requests, each in its phase.
fn played(transport: &dyn Transport, steps: &[Step]) -> Vec<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut entered = None;
    let mut send = |(phase, request): &Step| {
        if entered != Some(*phase) {
            transport.enter(*phase);
            entered = Some(*phase);
        }
        runtime.block_on(transport.send(request))
    };
    steps.iter().map(&mut send).collect()
}

/// The part of an answer that a recording keeps.
pub(super) fn as_recorded(answer: Answer) -> Answer {
    let short = |detail: String| text::shortened(&detail, 200).trim().to_owned();
    match answer {
        Ok(response) => {
            let kept = |name: &str| {
                RECORDED_HEADERS.contains(&name) || name.starts_with(RECORDED_HEADER_PREFIX)
            };
            let headers =
                response.headers.into_iter().filter(|(name, _)| kept(name)).map(|(name, value)| {
                    let value = if name == "location" {
                        value.split(['?', '#']).next().unwrap_or_default().to_owned()
                    } else {
                        value
                    };
                    (name, value)
                });
            Ok(Response { headers: headers.collect(), ..response })
        }
        Err(TransportError::Connection(detail)) => Err(TransportError::Connection(short(detail))),
        Err(TransportError::Untrusted(detail)) => {
            let reason = short(detail.reason().to_owned());
            Err(TransportError::Untrusted(reason.as_str().into()))
        }
        Err(TransportError::Other(detail)) => Err(TransportError::Other(short(detail))),
        Err(error) => Err(error),
    }
}

/// The findings of a naive reader of the file.
struct Told {
    /// The entries of declared endpoints, phase by phase.
    steps: Vec<Step>,
    /// Every status of the file.
    statuses: BTreeSet<u16>,
    /// Whether all entries belong to a page, or there is no page: then each is requested where it
    /// belongs.
    is_of_one_kind: bool,
}

impl Told {
    fn read(document: &Value) -> Self {
        let entries: Vec<&Value> =
            document["log"]["entries"].as_array().into_iter().flatten().collect();
        let phase =
            |entry: &Value| PHASES.into_iter().find(|phase| entry["pageref"] == phase.as_str());
        let mut steps: Vec<Step> = entries
            .iter()
            .filter_map(|entry| Some((phase(entry).unwrap_or(Phase::Collect), request(entry)?)))
            .collect();
        steps.sort_by_key(|(phase, _)| *phase);
        let tagged = entries
            .iter()
            .filter(|entry| request(entry).is_some() && phase(entry).is_some())
            .count();
        let has_page = PHASES
            .iter()
            .any(|phase| document["log"]["pages"].to_string().contains(phase.as_str()));
        let any_tagged = entries.iter().any(|entry| phase(entry).is_some());
        let is_of_one_kind = tagged == steps.len() || (!any_tagged && !has_page);
        let statuses =
            entries.iter().filter_map(|entry| status(&entry["response"]["status"])).collect();
        Self { steps, statuses, is_of_one_kind }
    }
}

fn status(value: &Value) -> Option<u16> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (0..1_000).find(|status| f64::from(*status) == number)
}

/// The request of an entry, if it is for a declared endpoint.
fn request(entry: &Value) -> Option<Request> {
    let request = &entry["request"];
    let method = [Method::Get, Method::Post].into_iter().find(|method| {
        request["method"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(method.as_str()))
    })?;
    let url = request["url"].as_str()?.split('#').next()?;
    let path_and_query = if url.starts_with('/') {
        url.to_owned()
    } else {
        let (scheme, rest) = url.split_once("://")?;
        ["http", "https"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme))?;
        let path = &rest[rest.find(['/', '?'])?..];
        if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
    };
    let path = path_and_query.split('?').next()?;
    let fits = |template: &str| {
        let (wanted, given): (Vec<&str>, Vec<&str>) =
            (template.split('/').collect(), path.split('/').collect());
        wanted.len() == given.len()
            && wanted.iter().zip(&given).all(|(wanted, given)| {
                wanted == given || (wanted.starts_with('{') && !given.is_empty())
            })
    };
    declared().iter().find(|(known, template)| *known == method && fits(template))?;
    let body = body(&request["postData"]).filter(|body| !body.is_empty());
    Some(Request { method, path_and_query, body, headers: std::sync::Arc::default() })
}

fn body(post: &Value) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let text = match &post["text"] {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match post["encoding"].as_str() {
        Some(name) if !name.is_empty() => {
            let compact: String = text
                .chars()
                .filter(|character| !character.is_ascii_whitespace() && *character != '=')
                .collect();
            base64::engine::general_purpose::STANDARD_NO_PAD.decode(compact).ok()
        }
        _ => Some(text.into_bytes()),
    }
}
