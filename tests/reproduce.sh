#!/usr/bin/env bash
# Makes the package twice, from the commit that is checked out: in two folders, with two Cargo homes and in two environments. Prints the
# digest of every file, or fails with the differences.
#
# Usage: tests/reproduce.sh SMP-HARNESS, called by `make reproduce`, which passes the release's metadata in the environment.
# Earlier downloads of the registries are unpacked twice and compiled twice; nothing is downloaded.
set -euo pipefail
cd "$(dirname "$0")/.."
packager=$1

work=$(mktemp -d)
keep=
trap '[ -n "$keep" ] || rm -rf "$work"' EXIT

if [ -n "$(git status --porcelain)" ]; then
    echo "note: changes that are not committed are left out: the package is made of commit $(git rev-parse --short HEAD)" >&2
fi
revision=$(git rev-parse HEAD)

# package NAME FOLDER [VARIABLE=VALUE…]: a clone, a Cargo home without unpacked or built files, and the package made there.
package() {
    local name=$1 folder=$2
    shift 2
    local home="$work/$name-cargo"
    mkdir -p "$home/registry" "$(dirname "$folder")"
    for part in index cache; do ln -s "$CARGO_HOME/registry/$part" "$home/registry/$part"; done
    if [ -f "$CARGO_HOME/config.toml" ]; then cp "$CARGO_HOME/config.toml" "$home/"; fi
    git clone --quiet --no-hardlinks --no-checkout . "$folder"
    git -C "$folder" checkout --quiet --detach "$revision"
    echo "building in $folder …" >&2
    (cd "$folder" && env -i PATH="$PATH" RUSTUP_HOME="$RUSTUP_HOME" CARGO_HOME="$home" CARGO_NET_OFFLINE=true "$@" \
        make --silent package TARGET=target PACKAGER="$packager" REVISION="$revision" SOURCE="$SOURCE" HOMEPAGE="$HOMEPAGE" \
        SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" >/dev/null)
}

one="$work/one"
two="$work/another/folder/with/a/longer/name"
package one "$one" HOME="$work" LANG=C.UTF-8 TZ=UTC
package two "$two" HOME="$work/another" LANG=C LC_ALL=C TZ=Pacific/Auckland USER=somebody

first=$(echo "$one"/dist/*/SHA256SUMS)
second=$(echo "$two"/dist/*/SHA256SUMS)
digests() { (cd "$(dirname "$1")" && sha256sum -- *); }
if [ "$(digests "$first")" = "$(digests "$second")" ]; then
    echo "$(basename "$(dirname "$first")"): two builds, the same bytes"
    digests "$first"
else
    keep=yes
    echo "the two packages differ, see $work:" >&2
    diff <(digests "$first") <(digests "$second") >&2 || true
    diff -r -q "$(dirname "$first")" "$(dirname "$second")" >&2 || true
    exit 1
fi
