# Writes the bill of materials, as CycloneDX, from what `cargo tree` prints: a crate a line, as
# `NAME vVERSION|LICENCE`, with the folder of a crate of this project behind its version.
BEGIN {
    FS = "|"
}
{
    split($1, part, " ")
    name = part[1]
    version = substr(part[2], 2)
    gsub("/", " OR ", $2)
}
NR == 1 {
    printf "{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.5\",\n"
    printf "  \"metadata\": {\"component\": {\"type\": \"library\", "
    printf "\"name\": \"%s\", \"version\": \"%s\"}},\n", name, version
    printf "  \"components\": [\n    {\"type\": \"library\", "
    printf "\"name\": \"rust-std\", \"version\": \"%s\"", rust
    printf ", \"licenses\": [{\"expression\": \"MIT OR Apache-2.0\"}]}"
    next
}
!seen[name, version]++ {
    printf ",\n    {\"type\": \"library\", \"name\": \"%s\", \"version\": \"%s\"", name, version
    if ($1 !~ / \(/) {
        printf ", \"purl\": \"pkg:cargo/%s@%s\"", name, version
    }
    if ($2 != "") {
        printf ", \"licenses\": [{\"expression\": \"%s\"}]", $2
    }
    printf "}"
}
END {
    if (NR == 0) {
        exit 1
    }
    print "\n  ]\n}"
}
