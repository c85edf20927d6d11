//! Checks that the declared endpoints only read, and that each is declared once. Pure.

use std::collections::BTreeSet;

use super::rules::{Findings, Outcomes, READING, SINGLE};
use smp_host::contract::{Descriptor, HttpMethod};
use smp_host::http::policy::method_of;
use smp_host::text::counted;

/// Judges the endpoints.
pub(super) fn judge(descriptor: &Descriptor, outcomes: &mut Outcomes) {
    let (mut twice, mut writing) = (Findings::of(&SINGLE), Findings::of(&READING));
    let mut seen = BTreeSet::new();
    for endpoint in &descriptor.api.endpoints {
        let shown = format!("{} {}", method_of(endpoint.method), endpoint.path);
        if !seen.insert(shape(endpoint.method, &endpoint.path)) {
            twice.add(format!("`{shown}` matches the same requests as an endpoint before it"));
        }
        match (endpoint.method, endpoint.read_only) {
            (HttpMethod::Get, _) => {}
            // The operator is asked for it only where the setting is chosen or usage is
            // collected.
            (HttpMethod::Post, true) if !endpoint.when.is_empty() => {}
            (HttpMethod::Post, true) => writing
                .add(format!("`{shown}` reads with a POST, which an operator must grant by name")),
            (HttpMethod::Post, false) => {
                writing.add(format!(
                    "`{shown}` may change data: administrators are warned of it, and the host \
                     never retries it"
                ));
            }
        }
    }
    let all = counted(descriptor.api.endpoints.len(), "endpoint");
    outcomes.add(twice.judged(format!("{all}.")));
    outcomes.add(writing.judged(format!("{all}, each GET or needed by a setting or for usage.")));
}

/// Identifies an endpoint. The names of the settings in its path do not count.
fn shape(method: HttpMethod, path: &str) -> (bool, String) {
    let segments =
        path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    (method == HttpMethod::Get, segments.collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::{complete, said};
    use smp_host::contract::Condition;

    #[test]
    fn a_second_declaration_fails_and_a_post_is_warned_about() {
        let all_of = |change: fn(&mut Descriptor)| said(&complete(), change, judge);
        assert_eq!(all_of(|_| {}), [""; 0]);
        assert_eq!(
            all_of(|d| d.api.endpoints.push(d.api.endpoints[0].clone())),
            ["endpoints-distinct: `GET /v1/orgs/{organization-id}/users` matches the same \
              requests as an endpoint before it"]
        );
        assert_eq!(
            all_of(|d| d.api.endpoints[0].method = HttpMethod::Post),
            ["endpoints-read: `POST /v1/orgs/{organization-id}/users` reads with a POST, which \
              an operator must grant by name"]
        );
        assert_eq!(
            all_of(|d| {
                let endpoint = &mut d.api.endpoints[0];
                endpoint.method = HttpMethod::Post;
                endpoint.when = vec![Condition::Usage];
            }),
            [""; 0]
        );
        assert_eq!(
            all_of(|d| (d.api.endpoints[0].method, d.api.endpoints[0].read_only) =
                (HttpMethod::Post, false)),
            ["endpoints-read: `POST /v1/orgs/{organization-id}/users` may change data: \
              administrators are warned of it, and the host never retries it"]
        );
    }
}
