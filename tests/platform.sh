#!/usr/bin/env bash
# Runs the platform with a mock organization, until Ctrl-C. Arguments: the folder of the binaries, the connector.
# Everything that it keeps lies in a folder that is removed at the end; the mock stops when this script ends.
set -euo pipefail
binaries=$1 connector=$2
command -v curl >/dev/null || { echo "curl is not installed: it makes the connection through the HTTP interface"; exit 1; }
work=$(mktemp -d)
served=
ended() {
    trap - EXIT INT TERM
    test -z "$served" || { kill "$served" 2>/dev/null && wait "$served" || true; }
    rm -rf "$work"
}
trap ended EXIT
trap 'exit 0' INT TERM

coproc mock { trap '' INT; exec "$binaries/atlassian-mock" --members 2000 --latency-ms 20 --now today --until-stdin-closes; }
while read -r line <&"${mock[0]}"; do
    case $line in
        url=*) upstream=${line#url=} ;;
        organization-id=*) organization=${line#organization-id=} ;;
        api-key=*) key=${line#api-key=} && break ;;
    esac
done

"$binaries/smp-platform" connector install "$connector" --data "$work/data" \
    --grant 'POST /admin/v2/orgs/{organization-id}/workspaces' 2>/dev/null
mkfifo "$work/ready"
"$binaries/smp-platform" serve --json --data "$work/data" --allow-upstream "$upstream" >"$work/ready" 2>"$work/log" &
served=$!
read -r ready <"$work/ready" || { cat "$work/log"; exit 1; }
field() { sed -nE "s/.*\"$1\":\"([^\"]*)\".*/\1/p" <<<"$2"; }
url=$(field url "$ready") token=$(field token "$ready")
made=$(curl -sS -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$url/api/v1/connections" -d @- <<JSON
{"tenant": "acme", "connector": "atlassian-cloud", "name": "Acme (mock)", "upstream": "$upstream",
 "settings": {"organization-id": "$organization"}, "secrets": {"api-key": "$key"}}
JSON
)
connection=$(sed -nE 's/.*"id":"(c_[0-9a-f]+)".*/\1/p' <<<"$made")
test -n "$connection" || { echo "$made"; exit 1; }
cat <<TEXT
The platform serves on $url, and collects a mock organization of 2,000 members.
Try, in another terminal:
  TOKEN=$token
  AT=$url/api/v1/connections/$connection
  curl -H "Authorization: Bearer \$TOKEN" \$AT/runs
  curl -H "Authorization: Bearer \$TOKEN" "\$AT/members?limit=3"
  curl -H "Authorization: Bearer \$TOKEN" "\$AT/export?format=csv"
Ctrl-C ends it and removes what it kept.
TEXT
wait "$served"
