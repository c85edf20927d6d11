# Writes the bill of materials, as CycloneDX, from the linker's map: a library is listed if something
# of it is linked in. The version is that of its Debian package; where there is none, the digest of
# the file tells which one it is.
#
# sh bill.sh MAP VERSION-OF-THE-CONNECTOR
set -eu
digest() {
	{ sha256sum "$1" 2>/dev/null || shasum -a 256 "$1"; } | cut -d ' ' -f 1
}
version() {
	package=$(dpkg-query -S "$1" 2>/dev/null | head -n 1 | cut -d : -f 1) || return 0
	test -z "$package" || dpkg-query -W -f '${Version}' "$package"
}
cat <<END
{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "metadata": {"component": {"type": "library", "name": "{{ID}}", "version": "$2"}},
  "components": [
END
separator=
sed -n 's/^[-0-9a-f ]* \([^ ].*\.a\)(.*/\1/p' "$1" | sort -u | while read -r archive; do
	case ${archive##*/} in
	libc.a) name=wasi-libc ;;
	libclang_rt.*) name=compiler-rt ;;
	*) name=${archive##*/} ;;
	esac
	version=$(version "$archive")
	printf '%s    {"type": "library", "name": "%s"%s, "hashes": [{"alg": "SHA-256", "content": "%s"}]}' \
		"$separator" "$name" "${version:+, \"version\": \"$version\"}" "$(digest "$archive")"
	separator=",
"
done
cat <<END

  ]
}
END
