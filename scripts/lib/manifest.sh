# shellcheck shell=sh
# The manifest, FILE.info: tells people and a restore what the backup holds.
# Needs: root work
# Sets: manifest

# write_manifest: into $work/manifest, from the fields on standard input, one `name: value` a line,
# the table of providers ($work/providers) and the rows and fingerprints of tables ($work/tables)
write_manifest() {
    {
        echo 'CB-Tumblebug assets backup'
        cat
        cat "$work/providers"
        printf '\ntables: %s (rows, fingerprint, name)\n' "$(wc -l <"$work/tables" | tr -d ' ')"
        cat "$work/tables"
    } >"$work/manifest"
    ! make_key || printf 'signature: %s\n' "$(signature_of "$work/manifest")" >>"$work/manifest"
    printf 'manifest: %s\n' "$(sha256_of "$work/manifest")" >>"$work/manifest"
}

# find_manifest FILE: beside the file that a link leads to, or else beside the link. Sets manifest
find_manifest() {
    manifest=$(link_target "$1").info
    [ -f "$manifest" ] || manifest=$1.info
}

# copy_manifest: into $work/info, once, so that what is trusted is what is checked. Fails where
# there is none of ours: CB-Tumblebug's own has no hash to verify anything by
copy_manifest() {
    [ -f "$manifest" ] && dd if="$manifest" bs=10000001 count=1 2>/dev/null >"$work/info" &&
        grep -q '^sha256: ' "$work/info"
}

# check_manifest FILE: ends the script unless the copied manifest is complete and can be the file's,
# whose hash is checked later
check_manifest() {
    [ "$(size_of "$work/info")" -le 10000000 ] || die "manifest '$manifest' is too large"
    is_complete "$work/info" || {
        hint "take '$manifest' from where the backup came from," \
            'or delete it to restore without verification'
        die "manifest '$manifest' is damaged or was edited"
    }
    sed '$d' "$work/info" >"$work/manifest"
    for field in bytes database-bytes; do
        is_number "$(manifest_field $field)" || die "manifest '$manifest' has no number as $field"
    done
    [ "$(size_of "$1")" -ge "$(manifest_field bytes)" ] ||
        die "backup file '$1' is damaged or cut short:" \
            "it has $(size_of "$1") bytes of $(manifest_field bytes)"
    read_manifest "$work/manifest" >"$work/tables"
}

# is_complete MANIFEST: its last line is the hash of the others
is_complete() {
    [ "$(tail -n 1 "$1")" = "manifest: $(sed '$d' "$1" | sha256)" ]
}

# is_own_manifest: did this machine sign the checked manifest, whose signature is its last line?
is_own_manifest() {
    sed '$d' "$work/manifest" >"$work/unsigned"
    is_signed "$work/unsigned" "$(manifest_field signature)"
}

fail_mismatch() { # FILE
    hint 'take both from where the backup came from'
    die "backup file '$1' is not the one that manifest '$manifest' describes"
}

# manifest_field NAME: its value in the checked manifest
manifest_field() {
    read_manifest "$work/manifest" "$1"
}

# read_manifest MANIFEST [FIELD]: the field's value, or the lines of the tables
read_manifest() {
    LC_ALL=C awk -v field="${2-}" -f "$root/scripts/lib/awk/manifest.awk" "$1"
}

# describes MANIFEST FILE: is the manifest complete, and the file's?
describes() {
    [ -f "$1" ] && [ -f "$2" ] && is_complete "$1" &&
        [ "$(read_manifest "$1" bytes)" = "$(size_of "$2")" ] && # fast, and false for most
        [ "$(read_manifest "$1" sha256)" = "$(sha256_of "$2")" ]
}
