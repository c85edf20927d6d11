#!/usr/bin/env bash
# Opens the console on a made-up organization. Arguments: the folder of the binaries, the connector.
# Three runs show what changes. All of it ends with Ctrl-C, and nothing is kept.
set -euo pipefail
binaries=$1 connector=$2
command -v curl >/dev/null || { echo "curl is not installed: it makes the connection through the HTTP interface"; exit 1; }
work=$(mktemp -d)
chmod 700 "$work"
trap 'jobs=$(jobs -p); test -z "$jobs" || kill $jobs 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 0' INT TERM HUP

# A mock on this port (0 takes a free one) with so many members, as of this instant.
organization() {
    "$binaries/atlassian-mock" --port "$1" --members "$2" --now "$3" >"$work/mock" &
    mock=$!
    until grep -q '^api-key=' "$work/mock"; do kill -0 "$mock" && sleep 0.1; done
    url=$(sed -n 's/^url=//p' "$work/mock")
    id=$(sed -n 's/^organization-id=//p' "$work/mock")
    key=$(sed -n 's/^api-key=//p' "$work/mock")
}
ago() { date -u -d "$1 days ago" +%FT00:00:00Z 2>/dev/null || date -u -v "-$1d" +%FT00:00:00Z; }
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
api() { curl --silent --show-error --fail-with-body --header "authorization: Bearer $token" "$@"; }
# Waits for the end of the last run.
collected() {
    local runs=
    until grep -q '"state":"\(complete\|failed\)"' <<<"$runs"; do
        sleep 0.2
        runs=$(api "$site/api/v1/connections/$connection/runs?limit=1")
    done
}

organization 0 238 "$(ago 75)"
port=${url##*:}
"$binaries/smp-platform" connector install "$connector" --data "$work/data" \
    --grant 'POST /admin/v2/orgs/{organization-id}/workspaces' >/dev/null 2>&1
SMP_LOG=error "$binaries/smp-platform" serve --data "$work/data" --listen "127.0.0.1:${PORT:-0}" --allow-upstream "$url" --json >"$work/site" &
server=$!
until test -s "$work/site"; do kill -0 "$server" && sleep 0.1; done
site=$(field url <"$work/site") token=$(field token <"$work/site") link=$(field console <"$work/site")
made=$(api "$site/api/v1/connections" --data "{\"tenant\":\"acme\",\"connector\":\"atlassian-cloud\",\"name\":\"Atlassian\",
    \"settings\":{\"organization-id\":\"$id\"},\"secrets\":{\"api-key\":\"$key\"},\"upstream\":\"$url\"}")
# The checks of the validation have ids too.
connection=$(sed -n 's/.*"id":"\(c_[0-9a-f]*\)".*/\1/p' <<<"$made")
test -n "$connection" || { echo "$made"; exit 1; }
collected
for state in "262 45" "250 0"; do
    kill "$mock" && wait "$mock" 2>/dev/null || true
    read -r members days <<<"$state"
    organization "$port" "$members" "$(ago "$days")"
    api --request POST "$site/api/v1/connections/$connection/runs" >/dev/null
    collected
done

echo "A made-up organization of 250 members was collected three times. No key and no network is needed, and nothing is kept."
echo "Open this link and press the button; it works once, in one browser:"
echo "  $link"
echo "Ctrl-C ends it."
wait "$server"
