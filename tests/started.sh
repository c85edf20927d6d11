# Starts the platform with a mock organization and one connection, for scripts that source this file. Arguments: the folder of the
# binaries, the connector. Sets url, token, connection and served (the process); everything is removed when the script ends.
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

# The mock stops when this script ends, because its standard input is closed.
coproc mock { trap '' INT; exec "$binaries/atlassian-mock" --members "${MEMBERS:-2000}" --latency-ms 20 --now today --until-stdin-closes; }
while read -r line <&"${mock[0]}"; do
    case $line in
        url=*) upstream=${line#url=} ;;
        organization-id=*) organization=${line#organization-id=} ;;
        api-key=*) key=${line#api-key=} && break ;;
    esac
done

"$binaries/smp-platform" connector install "$connector" --data "$work/data" \
    --grant 'POST /admin/v2/orgs/{organization-id}/workspaces' >/dev/null 2>&1
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
