# shellcheck shell=sh
# What a backup file is: PostgreSQL's custom format, inside gzip or bare. Sourcing this file runs nothing.

# require_file FILE: ends the script unless it is a readable file that could be a backup
require_file() {
    if ! [ -e "$1" ]; then
        hint_available_backups
        die "there is no backup file '$1'"
    fi
    [ ! -d "$1" ] || die "'$1' is a folder, not a backup file"
    [ -r "$1" ] || die "backup file '$1' cannot be read by user '$(user_name)'"
    [ -s "$1" ] || die "backup file '$1' is empty"
    case $(file_kind "$1") in
        unknown) die "'$1' is not a backup: neither gzip nor a PostgreSQL archive in custom format" ;;
        gzip) gzip -t <"$1" 2>"$work/gzip.errors" || die "backup file '$1' is damaged or cut short: $(gzip_error)" ;;
    esac
}

hint_available_backups() {
    available=
    for candidate in "$root"/assets/*.dump.gz "$root"/backups/postgres/*.dump.gz; do
        [ -f "$candidate" ] || continue
        available=yes
        hint "available: $candidate ($(human_size "$(size_of "$candidate")"))"
    done
    [ -n "$available" ] || hint 'make backup-assets creates one'
}

# file_kind FILE: gzip, archive (bare custom format) or unknown, by its first bytes
file_kind() {
    case $(dd if="$1" bs=5 count=1 2>/dev/null | od -An -tx1 | tr -d ' \n') in
        1f8b*) echo gzip ;;
        5047444d50) echo archive ;;
        *) echo unknown ;;
    esac
}

gzip_error() {
    sed 's/^gzip: *//; s/^stdin: *//; /./!d' "$work/gzip.errors" | head -n 1
}

size_of() {
    wc -c <"$1" | tr -d ' '
}

# unwrap FILE: the archive itself, on standard output
unwrap() {
    case $(file_kind "$1") in
        gzip) ${become-} gzip -dc <"$1" 2>"$work/gzip.errors" ;;
        archive) ${become-} cat <"$1" 2>"$work/gzip.errors" ;;
    esac
}

# The archive is compressed already: gzip around it is only what the file's name promises.
wrap() {
    ${become-} gzip -1
}

# --- the manifest: FILE.info, which tells people and the restore what the backup holds ---

# write_manifest FILE: into $work/manifest, from what the dump's snapshot held ($work/summary, $work/tables)
write_manifest() {
    {
        echo 'CB-Tumblebug assets backup'
        cat "$work/summary"
        printf '\nbytes: %s\n' "$(size_of "$1")"
        printf 'sha256: %s\n' "$(sha256_of "$1")"
        printf 'database-bytes: %s\n' "$database_bytes"
        printf 'server: PostgreSQL %s\n' "$server_release"
        printf 'holds: %s\n' "$holds"
        printf '\ntables: %s (rows, fingerprint, name)\n' "$(wc -l <"$work/tables" | tr -d ' ')"
        cat "$work/tables"
    } >"$work/manifest"
    ! make_key || printf 'seal: %s\n' "$(seal_of "$work/manifest")" >>"$work/manifest"
    printf 'manifest: %s\n' "$(sha256_of "$work/manifest")" >>"$work/manifest"
}

# has_manifest FILE: whether one of ours lies beside it; CB-Tumblebug's own has no hash to prove anything by
has_manifest() {
    [ -f "$1.info" ] && grep -q '^sha256: ' "$1.info"
}

# check_manifest FILE: ends the script unless file and manifest are the pair that was written
check_manifest() {
    [ "$(size_of "$1.info")" -le 10000000 ] || die "manifest '$1.info' is too large to be one"
    sed '$d' "$1.info" >"$work/manifest"
    [ "$(tail -n 1 "$1.info")" = "manifest: $(sha256_of "$work/manifest")" ] || {
        hint "take '$1.info' from where the backup came from, or remove it to restore without its proof"
        die "manifest '$1.info' is damaged or was edited"
    }
    [ "$(manifest_value sha256)" = "$(sha256_of "$1")" ] || {
        hint "take both from where the backup came from"
        die "backup file '$1' is not the one that its manifest '$1.info' describes"
    }
    case $(manifest_value database-bytes) in
        '' | *[!0-9]* | ????????????????*) die "manifest '$1.info' does not tell the database's size" ;;
    esac
    sed '1,/^tables: /d; /^seal: /d' "$work/manifest" >"$work/tables"
}

manifest_value() { # NAME
    sed -n "s/^$1: //p" "$work/manifest" | head -n 1
}

sha256_of() {
    if command -v sha256sum >/dev/null; then
        sha256sum <"$1"
    else
        shasum -a 256 <"$1"
    fi | cut -d ' ' -f 1
}

# --- publishing: written beside, renamed when whole ---

# partial_of FILE: where it is written until it is whole; the name tells whose it is
partial_of() {
    printf '%s/.%s.partial.%s.%s' "${1%/*}" "${1##*/}" "$(uname -n)" "$$"
}

# publish PARTIAL FILE: its bytes are on the disk before its name is there
publish() {
    sync "$1" 2>/dev/null || sync # not every sync takes a file
    mv -f "$1" "$2" && { sync "${2%/*}" 2>/dev/null || sync; }
}

# mend_backups FOLDER: removes what a dead run has left of a backup, or completes it: a manifest whose
# file is published already is published too
mend_backups() {
    for unfinished in "$1"/.*.partial."$(uname -n)".*; do
        if ! [ -f "$unfinished" ] || is_alive "${unfinished##*.}"; then
            continue
        fi
        published=${unfinished##*/.}
        published=$1/${published%.partial.*}
        if [ "${published%.info}" != "$published" ] && describes "$unfinished" "${published%.info}"; then
            mv -f "$unfinished" "$published"
            say "completed the backup of a run that died: $published"
        else
            rm -f "$unfinished"
            say "removed the unfinished backup of a run that died: $unfinished"
        fi
    done
}

describes() { # MANIFEST FILE
    [ -f "$2" ] && grep -qx "sha256: $(sha256_of "$2")" "$1"
}
