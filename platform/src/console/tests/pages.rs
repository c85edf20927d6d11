//! Pages of members that lie in the store, and what a page refuses.

use super::*;
use crate::connections::Secrets;
use crate::console::guard::FormId;

const ANN: &str = r#"{"id":"a","email":"ann@acme.test","name":"Ann","status":"active","products":[{"key":"jira","name":"Jira"}]}"#;
const BEN: &str = r#"{"id":"b","email":"ben@","name":"Ben","status":"active","products":[{"key":"other","name":"JIRA"}]}"#;
const EVE: &str = r#"{"id":"c","email":"eve@other.test","name":"Eve \u202e","products":[]}"#;

#[tokio::test]
async fn the_number_beside_a_link_is_that_of_the_list_behind_it() {
    let site = site().await;
    let cookie = site.operator();
    let id = site.connected("acme", "Own", "ready").await;
    let long =
        format!(r#"{{"id":"d","email":"x@{}","name":"Dan","products":[]}}"#, "y".repeat(201));
    let members = [("a", ANN), ("b", BEN), ("c", EVE), ("d", long.as_str())];
    site.found(&id, 1, &members).await;
    let page = site.get(&site.to(&format!("/c/{id}/members")), &[("cookie", &cookie)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let mut links = 0;
    for part in page.text.split("<a href=\"members?").skip(1) {
        let (query, rest) = part.split_once('"').unwrap();
        let (shown, _) = rest.split_once("</a>").unwrap();
        let shown = shown.split('>').map(|text| text.split('<').next().unwrap());
        let text = shown.collect::<Vec<_>>().join(" ");
        let Some(count) = text.split_whitespace().last().and_then(|it| it.parse::<u64>().ok())
        else {
            continue;
        };
        let path = site.to(&format!("/c/{id}/members?{}", query.replace("&amp;", "&")));
        let list = site.get(&path, &[("cookie", &cookie)]).await;
        assert!(list.text.contains(&format!("<strong>{count}</strong> of 4")), "{path}: {text}");
        links += 1;
    }
    assert!(links >= 9, "{links}");
    assert!(page.text.contains(&"y".repeat(100)), "a long domain is shown, though without a link");
    assert!(!page.text.contains(&format!("domain={}", "y".repeat(201))));
}

#[tokio::test]
async fn an_earlier_run_stays_chosen_over_all_links() {
    let site = site().await;
    let cookie = site.operator();
    let id = site.connected("acme", "Own", "ready").await;
    let first = site.found(&id, 1, &[("a", ANN)]).await;
    for seq in 2..45 {
        site.found(&id, seq, &[]).await;
    }
    let query = format!("at_run={first}&days=10,20,30&sort=seen&product=JIRA");
    let path = site.to(&format!("/c/{id}/members?{query}"));
    let page = site.get(&path, &[("cookie", &cookie)]).await.text;
    let chosen = format!("<option value=\"{first}\" selected>Run 1</option>");
    assert!(page.contains(&chosen), "older than all that are offered: {page}");
    let all = format!("href=\"members?at_run={first}&amp;days=10%2C20%2C30&amp;sort=seen\"");
    assert!(page.contains(&all), "all of that run: {page}");
    assert!(page.contains("<option value=\"Jira\" selected>Jira</option>"), "{page}");
    let person = format!("person?id=a&amp;at_run={first}");
    assert!(page.contains(&person), "{page}");
    let path = site.to(&format!("/c/{id}/person?id=a&at_run={first}"));
    let shown = site.get(&path, &[("cookie", &cookie)]).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.text.contains("As of run 1"), "{}", shown.text);
}

#[tokio::test]
async fn names_in_a_title_and_in_attributes_steer_no_eye() {
    let site = site().await;
    let cookie = site.operator();
    let id = site.connected("acme", "turned \u{202e}name", "ready").await;
    site.found(&id, 1, &[("a", ANN), ("c", EVE)]).await;
    for path in ["members", "licences", "changes", "person?id=c", "runs/latest"] {
        let got = site.get(&site.to(&format!("/c/{id}/{path}")), &[("cookie", &cookie)]).await;
        assert!(!got.text.contains('\u{202e}'), "{path}: {}", got.text);
    }
    let got = site.get(&site.to(&format!("/c/{id}")), &[("cookie", &cookie)]).await;
    assert!(got.text.contains("<title>turned \\u{202e}name"), "{}", got.text);
}

#[tokio::test]
async fn a_head_of_an_export_exports_nothing() {
    let site = site().await;
    let cookie = site.operator();
    let id = site.connected("acme", "Own", "ready").await;
    site.found(&id, 1, &[("a", ANN)]).await;
    let exports = async || {
        let sql = "SELECT count(*) FROM audit WHERE what = 'members-exported'";
        let (count,): (i64,) = sqlx::query_as(sql).fetch_one(site.store.read()).await.unwrap();
        count
    };
    let path = site.to(&format!("/c/{id}/export?format=csv"));
    let request = Request::head(&path).header("host", HOST).header("cookie", &cookie);
    let got = site.ask(request.body(Body::empty()).unwrap()).await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(got.headers["content-disposition"], "attachment; filename=\"members.csv\"");
    assert_eq!(exports().await, 0);
}

#[tokio::test]
async fn an_address_that_takes_a_form_says_so_when_it_is_opened() {
    let site = site().await;
    let cookie = site.operator();
    let id = site.connected("acme", "Own", "ready").await;
    for path in [format!("/c/{id}/check"), format!("/c/{id}/runs"), "/leave".to_owned()] {
        let got = site.get(&site.to(&path), &[("cookie", &cookie)]).await;
        assert_eq!(got.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert!(got.text.contains("Go back to the page with the form"), "{path}: {}", got.text);
        assert!(got.text.contains("Skip to the content"), "in its frame");
        assert_guarded(&got);
    }
}

#[tokio::test]
async fn a_pause_is_yes_or_no() {
    let site = site().await;
    let cookie = site.operator();
    let id = site.connected("acme", "Own", "ready").await;
    let paused = async || stored::get(&site.store, &id, None).await.unwrap().paused;
    let path = site.to(&format!("/c/{id}/change"));
    let yes = site.post(&path, &cookie, "paused=yes").await;
    assert_eq!((yes.status, paused().await), (StatusCode::SEE_OTHER, true));
    let maybe = site.post(&path, &cookie, "paused=maybe").await;
    assert_eq!((maybe.status, paused().await), (StatusCode::UNPROCESSABLE_ENTITY, true));
    let no = site.post(&path, &cookie, "paused=no").await;
    assert_eq!((no.status, paused().await), (StatusCode::SEE_OTHER, false));
}

#[tokio::test]
async fn a_viewer_does_not_even_forget() {
    let site = site().await;
    let (_, token) = tokens::make(&site.store, Role::Viewer, None, None).await.unwrap();
    let holder = tokens::holder(&site.store, &token).await.unwrap().unwrap();
    let cookie = site.cookie(holder);
    let secret = cookie.strip_prefix("smp-console=").unwrap();
    let sessions = &site.console.guard.sessions;
    let visitor = sessions.visitor(secret).unwrap();
    let form = FormId::new("atlassian-cloud");
    sessions.hold(&visitor, &form, Secrets::new([("k".to_owned(), "v".to_owned())].into()));
    let path = site.to("/connect/atlassian-cloud/forget");
    let got = site.post(&path, &cookie, &format!("form={}", form.id)).await;
    assert_eq!(got.status, StatusCode::FORBIDDEN);
    assert_eq!(sessions.held(&visitor, &form).given("k"), Some("v"));
}

#[tokio::test]
async fn copies_of_members_go_with_their_connection() {
    let site = site().await;
    let cookie = site.operator();
    let id = site.connected("acme", "Own", "ready").await;
    site.found(&id, 1, &[("a", ANN)]).await;
    let path = site.to(&format!("/c/{id}/members"));
    assert_eq!(site.get(&path, &[("cookie", &cookie)]).await.status, StatusCode::OK);
    let connections = &site.console.api.connections;
    assert!(connections.insights.holds(&id));
    let connection = stored::get(&site.store, &id, None).await.unwrap();
    let holder = Holder { id: "t".into(), role: Role::Admin, tenant: None };
    connections.delete(&connection, &holder).await.unwrap();
    assert!(!connections.insights.holds(&id));
}
