# shellcheck shell=sh
# The manifest, FILE.info: tells people and a restore what the backup holds.

# write_manifest FILE: into $work/manifest, from what the dump's snapshot held ($work/summary, $work/tables) and
# the file's hash ($work/sha256)
write_manifest() {
    {
        echo 'CB-Tumblebug assets backup'
        sed '/^$/,$d' "$work/summary"
        printf 'bytes: %s\n' "$(size_of "$1")"
        printf 'sha256: %s\n' "$(cat "$work/sha256")"
        printf 'compression: %s\n' "$compression"
        printf 'database-bytes: %s\n' "$database_bytes"
        printf 'encoding: %s\n' "$encoding"
        printf 'server: PostgreSQL %s\n' "$server_release"
        printf 'holds: %s\n' "$holds"
        sed -n '/^$/,$p' "$work/summary"
        printf '\ntables: %s (rows, fingerprint, name)\n' "$(wc -l <"$work/tables" | tr -d ' ')"
        cat "$work/tables"
    } >"$work/manifest"
    ! make_key || printf 'signature: %s\n' "$(seal_of "$work/manifest")" >>"$work/manifest"
    printf 'manifest: %s\n' "$(sha256_of "$work/manifest")" >>"$work/manifest"
}

# find_manifest FILE: sets $manifest: beside the file that a link leads to, or else beside the link
find_manifest() {
    manifest=$(link_target "$1").info
    [ -f "$manifest" ] || manifest=$1.info
}

# copy_manifest: into $work/info, once, so that what is trusted is what is checked; fails where $manifest is none of
# ours: CB-Tumblebug's own has no hash to prove anything by
copy_manifest() {
    [ -f "$manifest" ] && dd if="$manifest" bs=10000001 count=1 2>/dev/null >"$work/info" &&
        grep -q '^sha256: ' "$work/info"
}

# check_manifest FILE: ends the script unless the copied manifest is whole and could be the file's, whose hash is left
# to check
check_manifest() {
    [ "$(size_of "$work/info")" -le 10000000 ] || die "manifest '$manifest' is too large to be one"
    is_whole "$work/info" || {
        hint "take '$manifest' from where the backup came from, or remove it to restore without its proof"
        die "manifest '$manifest' is damaged or was edited"
    }
    sed '$d' "$work/info" >"$work/manifest"
    for value in bytes database-bytes; do
        is_number "$(manifest_value $value)" || die "manifest '$manifest' tells no $value"
    done
    [ "$(size_of "$1")" -ge "$(manifest_value bytes)" ] ||
        die "backup file '$1' is damaged or cut short: it has $(size_of "$1") bytes of $(manifest_value bytes)"
    read_manifest "$work/manifest" >"$work/tables"
}

# is_whole MANIFEST: its last line is the hash of the others
is_whole() {
    [ "$(tail -n 1 "$1")" = "manifest: $(sed '$d' "$1" | sha256)" ]
}

not_its_manifest() { # FILE
    hint "take both from where the backup came from"
    die "backup file '$1' is not the one that its manifest '$manifest' describes"
}

manifest_value() { # NAME
    read_manifest "$work/manifest" "$1"
}

# read_manifest MANIFEST [FIELD]: the field's value, or the lines of the tables
read_manifest() {
    LC_ALL=C awk -v field="${2-}" -f "$root/scripts/lib/manifest.awk" "$1"
}

# describes MANIFEST FILE: whether the manifest is whole and is the file's
describes() {
    [ -f "$1" ] && [ -f "$2" ] && is_whole "$1" &&
        [ "$(read_manifest "$1" bytes)" = "$(size_of "$2")" ] && # which a file that is still written seldom has
        [ "$(read_manifest "$1" sha256)" = "$(sha256_of "$2")" ]
}
