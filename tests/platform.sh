#!/usr/bin/env bash
# Runs the platform with a mock organization, until Ctrl-C. Arguments: the folder of the binaries, the connector.
set -euo pipefail
source "$(dirname "$0")/started.sh"
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
