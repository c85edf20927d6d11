#!/usr/bin/env bash
# Tests that this client works together with another, wkg of the Bytecode Alliance: it pulls what smp-harness pushed, and vice versa, byte
# for byte. Arguments: smp-harness, wkg, a connector. Needs Debian's package docker-registry.
set -euo pipefail
harness=$1 wkg=$2 connector=$3
command -v docker-registry >/dev/null || { echo "docker-registry is not installed: run \`make registry-installed\`" >&2; exit 1; }
work=$(mktemp -d)
# Uses no login of the person who runs this.
export DOCKER_CONFIG=$work
mkdir "$work/ours" "$work/theirs"
cat >"$work/config.yml" <<EOF
version: 0.1
log: { accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $work/data } }
http: { addr: "127.0.0.1:0" }
EOF
: >"$work/log"
docker-registry serve "$work/config.yml" 2>"$work/log" &
registry=$!
trap 'kill "$registry" 2>/dev/null; wait "$registry" 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do
    host=$(sed -nE 's/.*listening on ([0-9.:]+).*/\1/p' "$work/log")
    test -n "$host" && break
    sleep 0.1
done
test -n "$host" || { echo "docker-registry does not listen:" >&2; cat "$work/log" >&2; exit 1; }

same() { cmp "$1" "$2" && echo "  the same, byte for byte: $(sha256sum <"$1" | cut -c 1-64)"; }

echo "smp-harness pushes, wkg pulls:"
"$harness" push "$connector" "$host/ours:1.0.0" --plain-http >/dev/null 2>&1
"$wkg" oci pull --insecure "$host" "$host/ours:1.0.0" --output "$work/ours/pulled.wasm" >/dev/null
same "$connector" "$work/ours/pulled.wasm"

echo "wkg pushes, smp-harness pulls:"
"$wkg" oci push --insecure "$host" "$host/theirs:1.0.0" "$connector" >/dev/null
"$harness" pull "$host/theirs:1.0.0" --plain-http --output "$work/theirs" >/dev/null 2>&1
same "$connector" "$(find "$work/theirs" -name '*.wasm')"
