# shellcheck shell=sh
# The manifest: tells people and a restore what a backup holds. It is in the file; FILE.info is a
# copy.
# Needs: awk manifest_found manifest_limit work
# Sets: file_is_bad manifest manifest_found

file_is_bad=
manifest_title='CB-Tumblebug assets backup' # of manifests that this version can read

# write_manifest: into $work/manifest, from the fields on standard input, one `name: value` a line,
# the table of providers ($work/providers) and the rows and fingerprints of tables ($work/tables)
write_manifest() {
    {
        echo "$manifest_title"
        cat
        cat "$work/providers"
        printf '\ntables: %s (rows, fingerprint, name)\n' "$(wc -l <"$work/tables" | tr -d ' ')"
        cat "$work/tables"
    } >"$work/manifest"
    ! make_key || printf 'signature: %s\n' "$(signature_of "$work/manifest")" >>"$work/manifest"
    printf 'manifest: %s\n' "$(sha256_of "$work/manifest")" >>"$work/manifest"
}

# find_manifest FILE: into $work/info, once, so that what is trusted is what is checked: the one in
# the file or, where it has none, FILE.info beside the file that a link leads to, or else beside the
# link. CB-Tumblebug's own FILE.info has no hash to verify anything by. Sets manifest, the path, and
# manifest_found, empty where there is none
find_manifest() {
    manifest_found=yes
    manifest=$1
    if embedded_manifest "$1" >"$work/info"; then
        return 0
    fi
    manifest=$(link_target "$1").info
    [ -f "$manifest" ] || manifest=$1.info
    { [ -f "$manifest" ] &&
        dd if="$manifest" bs="$((manifest_limit + 1))" count=1 2>/dev/null >"$work/info" &&
        grep -q '^sha256: ' "$work/info"; } || manifest_found=
}

# is_manifest_inside FILE: was the manifest found in the file, not in FILE.info?
is_manifest_inside() {
    [ "$manifest" = "$1" ]
}

# check_manifest FILE: ends the script if the one found is damaged, or the file is. One beside the
# file may be another backup's: the file is then restored without it. Sets manifest_found
check_manifest() {
    [ "$(size_of "$work/info")" -le "$manifest_limit" ] || die "manifest '$manifest' is too large"
    is_complete "$work/info" || fail_damaged_manifest "$1"
    [ "$(head -n 1 "$work/info")" = "$manifest_title" ] || fail_newer_manifest
    sed '$d' "$work/info" >"$work/manifest"
    for field in bytes database-bytes; do
        is_number "$(manifest_field $field)" || die "manifest '$manifest' has no number as $field"
    done
    manifest_field created |
        LC_ALL=C grep -qx '[0-9]\{4\}-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9] UTC' ||
        die "manifest '$manifest' has no valid time as created"
    read_manifest "$work/manifest" >"$work/tables"
    ! LC_ALL=C grep -qv '^[0-9]\{1,15\} -\{0,1\}[0-9]\{1,\} .' "$work/tables" ||
        die "manifest '$manifest' has a malformed line in its list of tables"
    if ! is_manifest_inside "$1" && ! describes "$work/info" "$1"; then
        manifest_found=
        require_whole "$1"
    fi
}

fail_damaged_manifest() { # FILE
    if is_manifest_inside "$1"; then
        hint "get '$1' again; or unpack it with 'gunzip -c' to a .dump file, and restore that" \
            'without verification'
        die "the manifest in '$1' is damaged or was edited"
    fi
    hint "take '$manifest' from where the backup came from," \
        'or delete it to restore without verification'
    die "manifest '$manifest' is damaged or was edited"
}

fail_newer_manifest() {
    hint "update these scripts with 'git pull'"
    die "manifest '$manifest' was written by a newer version of these scripts"
}

# require_whole FILE: ends the script if it is cut or damaged; an archive without gzip is read
# later. Unpacking may take ten minutes of CPU time, against endless files
require_whole() {
    [ "$(file_kind "$1")" = gzip ] || return 0
    # shellcheck disable=SC3045 # dash, busybox and bash know -t
    ({ ulimit -t 600 2>/dev/null || :; } && unpack gzip <"$1" >/dev/null) || {
        blame_file
        fail_damaged "$1"
    }
}

# blame_file: what ends the run is the file's fault, not that of the server or a setting. Sets
# file_is_bad
blame_file() {
    file_is_bad=yes
}

fail_damaged() { # FILE
    hint_get_again
    die "backup file '$1' is damaged or cut short: $(gzip_error)"
}

# require_intact FILE: ends the script unless it holds what its manifest describes, and nothing else
require_intact() {
    describes "$work/manifest" "$1" || {
        blame_file
        fail_mismatch "$1"
    }
    has_clean_end "$1" || {
        blame_file
        hint_get_again
        die "backup file '$1' is damaged: it has unexpected bytes after the archive"
    }
}

# require_sound FILE: ends the script unless it is whole and what its manifest describes, if it has
# one. Sets manifest_found
require_sound() {
    require_file "$1"
    find_manifest "$1"
    [ -n "$manifest_found" ] || {
        require_whole "$1"
        return 0
    }
    check_manifest "$1"
    [ -z "$manifest_found" ] || describes "$work/manifest" "$1" || fail_mismatch "$1"
}

# has_clean_end FILE: does it hold nothing but the archive and the manifest?
has_clean_end() (
    if is_manifest_inside "$1"; then
        archive_bytes=$(embedded_start "$1")
    else
        archive_bytes=$(size_of "$1")
    fi
    [ "$archive_bytes" = "$(manifest_field bytes)" ]
)

# is_complete MANIFEST: its last line is the hash of the others
is_complete() {
    [ "$(tail -n 1 "$1")" = "manifest: $(sed '$d' "$1" | sha256)" ]
}

# is_own_manifest: was the checked manifest, whose last line is its signature, signed with this key?
is_own_manifest() {
    sed '$d' "$work/manifest" >"$work/unsigned"
    is_signed "$work/unsigned" "$(manifest_field signature)"
}

fail_mismatch() { # FILE
    hint_get_again
    die "backup file '$1' is damaged: its content differs from its manifest"
}

# manifest_field NAME: its value in the checked manifest
manifest_field() {
    read_manifest "$work/manifest" "$1"
}

# read_manifest MANIFEST [FIELD]: the field's value, or the lines of the tables
read_manifest() {
    LC_ALL=C awk -v field="${2-}" -f "$awk/manifest.awk" "$1"
}

# describes MANIFEST FILE: does the file begin with what the manifest describes?
describes() (
    described_bytes=$(read_manifest "$1" bytes)
    [ "$described_bytes" -le "$(size_of "$2")" ] &&
        [ "$(read_manifest "$1" sha256)" = "$(head -c "$described_bytes" "$2" | sha256)" ]
)
