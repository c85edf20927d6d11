#!/usr/bin/env bash
# Collects a large mock organization over real HTTP. Arguments: the folder of the binaries, the connector.
# The mock stops when this script ends, because its standard input is closed.
set -euo pipefail
binaries=$1 connector=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

coproc mock { exec "$binaries/atlassian-mock" --members 20000 --latency-ms 20 --now today --until-stdin-closes; }
while read -r line <&"${mock[0]}"; do
    case $line in
        url=*) url=${line#url=} ;;
        organization-id=*) organization=${line#organization-id=} ;;
        api-key=*) export DEMO_KEY=${line#api-key=} && break ;;
    esac
done

echo "A mock organization of 20,000 members listens on $url; each page takes it 20 ms."
"$binaries/smp-harness" collect "$connector" --upstream "$url" --set "organization-id=$organization" \
    --secret api-key=env:DEMO_KEY --rate off --output "$work/members.csv"
echo "The first of them:"
head -n 4 "$work/members.csv" | cut -c 1-140
