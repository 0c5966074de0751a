# shellcheck shell=sh
# What a backup file is: PostgreSQL's custom format, inside gzip or bare. Sourcing this file runs nothing.

# require_file FILE: ends the script unless it is a readable file that could be a backup
require_file() {
    if ! [ -e "$1" ]; then
        hint_available_backups
        die "there is no backup file '$1'"
    fi
    [ ! -d "$1" ] || die "'$1' is a folder, not a backup file"
    [ -r "$1" ] || die "backup file '$1' cannot be read by user '$(id -un)'"
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
    ${become-} gzip -1 2>"$work/gzip.errors"
}

# settled FILE: its bytes are on the disk
settled() {
    sync "$1" 2>/dev/null || sync # not every sync takes a file
}
