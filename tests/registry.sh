#!/usr/bin/env bash
# Runs a registry of OCI artifacts on this machine until Ctrl-C: on port 5000 or the given one. It keeps nothing afterwards.
# Arguments: the port. Needs Debian's package docker-registry.
set -euo pipefail
port=${1:-5000}
command -v docker-registry >/dev/null || { echo "docker-registry is not installed: run \`make registry-installed\`" >&2; exit 1; }
work=$(mktemp -d)
registry=
trap '[ -z "$registry" ] || kill "$registry" 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cat >"$work/config.yml" <<EOS
version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $work/data }, delete: { enabled: true } }
http: { addr: "127.0.0.1:$port" }
EOS
docker-registry serve "$work/config.yml" &
registry=$!
echo "A registry listens on 127.0.0.1:$port. For example:"
echo "    target/release/smp-harness push dist/atlassian-cloud-VERSION 127.0.0.1:$port/atlassian-cloud --plain-http"
wait "$registry"
