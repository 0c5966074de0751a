# shellcheck shell=sh
# What a backup file is: PostgreSQL's custom format, inside gzip or bare. Sourcing this file runs nothing.

# require_file FILE: ends the script unless it is a readable file that could be a backup; sets $backup_kind
require_file() {
    if ! [ -e "$1" ]; then
        hint_available_backups
        die "there is no backup file '$1'"
    fi
    [ ! -d "$1" ] || die "'$1' is a folder, not a backup file"
    [ -r "$1" ] || die "backup file '$1' cannot be read by user '$(user_name)'"
    [ -s "$1" ] || die "backup file '$1' is empty"
    backup_kind=$(file_kind "$1")
    [ "$backup_kind" != unknown ] ||
        die "'$1' is not a backup: neither gzip nor a PostgreSQL archive in custom format"
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

# gzip_program: pigz, which is faster at checksums, or gzip
gzip_program() {
    command -v pigz || echo gzip
}

gzip_error() {
    sed 's/^\(gzip\|pigz\): *//; s/^stdin: *//; /./!d' "$work/gzip.errors" | head -n 1 | grep . ||
        echo 'a program ended unexpectedly'
}

size_of() {
    wc -c <"$1" | tr -d ' '
}

# unwrap KIND: the file on standard input as the archive itself, on standard output
unwrap() {
    case $1 in
        gzip) ${become-} "$(gzip_program)" -dc 2>"$work/gzip.errors" ;;
        archive) ${become-} cat 2>"$work/gzip.errors" ;;
    esac
}

# The archive is compressed already, so that gzip around it, which the file's name promises, only stores it
# wherever some program can do that.
wrap() {
    if [ "$compression" = none ]; then
        ${become-} gzip
    elif command -v pigz >/dev/null; then
        ${become-} pigz -0
    elif python3 -c 'import zlib' 2>/dev/null; then
        PYTHONPATH=$root ${become-} python3 -m helpers.gzip_store
    else
        ${become-} gzip -1
    fi
}

# --- the manifest: FILE.info, which tells people and the restore what the backup holds ---

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

# link_target FILE: the file itself, or what a link to it leads to
link_target() {
    { [ -L "$1" ] && readlink -f -- "$1" 2>/dev/null; } || printf '%s\n' "$1"
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

sha256_of() { # FILE
    sha256 <"$1"
}

# sha256: of standard input, which is not to be opened again by a name: a fifo's writer may have gone
sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum
    else
        shasum -a 256
    fi | cut -d ' ' -f 1
}

# --- publishing: written beside, renamed when whole ---

# partial_of FILE: where it is written until it is whole; the name ends with that of the run
partial_of() {
    printf '%s/.%s.partial.%s' "${1%/*}" "${1##*/}" "$run"
}

# choose_sync: whether the sync program takes files; some ignore or refuse them and write everything
choose_sync() {
    sync_takes_files=yes
    if said=$(LC_ALL=C sync /nonexistent/file 2>&1); then
        sync_takes_files=
    else
        case $said in *[Uu]sage* | *operand* | *argument*) sync_takes_files= ;; esac
    fi
}

# sync_files FILE...: they are on the disk, or it fails
sync_files() {
    [ -n "$sync_takes_files" ] || set --
    LC_ALL=C sync "$@" 2>"$work/sync.errors"
}

sync_folder() { # FOLDER: some file systems cannot sync one
    sync_files "$1" || { grep -q 'Invalid argument' "$work/sync.errors" && sync; }
}

# mend_backups FOLDER: completes the pairs that a crash has left between their two renames, whoever made them,
# and removes the other partial files of crashed runs of this host
mend_backups() {
    for unfinished in "$1"/.*.partial.*; do
        if ! [ -f "$unfinished" ] || [ -L "$unfinished" ]; then
            continue
        fi
        published=${unfinished##*/.}
        published=$1/${published%.partial.*}
        if completes_pair "$unfinished" "$published"; then
            mend "completed the backup of a crashed run: $published" mv -f "$unfinished" "$published"
        elif has_crashed "${unfinished##*.partial.}"; then
            mend "removed the partial file of a crashed run: $unfinished" rm -f "$unfinished"
        fi
    done
}

# mend SENTENCE COMMAND...: in a folder that cannot be written it warns, and stops nothing
mend() {
    sentence=$1
    shift
    if "$@" 2>"$work/mend.errors"; then
        say "$sentence"
    elif [ -e "$unfinished" ]; then # or another run was faster
        warn "could not clean up after a crashed run: $(head -n 1 "$work/mend.errors")"
    fi
}

# completes_pair PARTIAL PUBLISHED: whether the pair does not match now, and does with the partial file
completes_pair() {
    case $2 in
        *.info) describes "$1" "${2%.info}" && ! describes "$2" "${2%.info}" ;;
        *) describes "$2.info" "$1" && ! describes "$2.info" "$2" ;;
    esac
}

# describes MANIFEST FILE: whether the manifest is whole and is the file's
describes() {
    [ -f "$1" ] && [ -f "$2" ] && is_whole "$1" &&
        [ "$(read_manifest "$1" bytes)" = "$(size_of "$2")" ] && # which a file that is still written seldom has
        [ "$(read_manifest "$1" sha256)" = "$(sha256_of "$2")" ]
}
