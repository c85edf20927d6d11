#!/usr/bin/env bash
# Holds a running platform against its OpenAPI document with schemathesis. Arguments: the folder of the binaries, the connector, the
# folder of schemathesis' program. SEED and EXAMPLES vary it.
set -euo pipefail
source "$(dirname "$0")/started.sh"
st=$3/st
# The first pass asks about what is there, and deletes nothing; the second one asks about anything.
folder=$(cd "$(dirname "$0")/api" && pwd)
cp "$folder/schemathesis.toml" "$work/anything.toml"
{ printf '[parameters]\n"path.id" = "%s"\n' "$connection"; cat "$folder/schemathesis.toml"; } >"$work/there.toml"
for pass in there anything; do
    options=()
    test "$pass" = anything || options=(--exclude-method DELETE)
    echo "schemathesis, asking about $pass"
    (cd "$work" && "$st" --config-file "$work/$pass.toml" --no-color run "$url/openapi.json" --header "Authorization: Bearer $token" \
        --checks all --max-examples "${EXAMPLES:-20}" --seed "${SEED:-1}" --request-timeout 30 "${options[@]}")
done
