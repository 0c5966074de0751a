# shellcheck shell=sh
# A backup file: PostgreSQL's custom format, in gzip or bare.

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

# link_target FILE: the file itself, or what a link to it leads to
link_target() {
    { [ -L "$1" ] && readlink -f -- "$1" 2>/dev/null; } || printf '%s\n' "$1"
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
