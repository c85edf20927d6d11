#!/usr/bin/env bash
# Runs the tests of the console in a browser, or says why not.
set -uo pipefail
cd "$(dirname "$0")"
skip() { echo "skipped: $1"; exit 0; }
command -v node >/dev/null || skip "node is not installed"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || skip "node is older than 20"
test -x "${SMP_CHROMIUM:-/usr/bin/chromium}" || skip "chromium is not installed"
command -v openssl >/dev/null || skip "openssl is not installed"
test -d node_modules/playwright-core || skip "playwright-core is not installed"
exec node --test --test-concurrency=1 --test-reporter=spec ./*.test.mjs
