# shellcheck shell=sh
# A backup file: PostgreSQL's custom format, in gzip or bare.
# Needs: project work

# require_file FILE: ends the script unless it is a readable file that can be a backup
require_file() {
    if ! [ -e "$1" ]; then
        refuse_closed_directory "$1"
        [ ! -L "$1" ] || {
            hint_available_backups
            die "'$1' is a symbolic link whose target is missing or not accessible"
        }
        hint_meant_backup "$1"
        hint_available_backups
        die "there is no backup file '$1'"
    fi
    [ ! -d "$1" ] || {
        [ ! -f "$1/toc.dat" ] || refuse_other_format "$1" directory
        hint_available_backups
        die "'$1' is a directory, not a backup file"
    }
    case $1 in
        /dev/stdin | /dev/fd/* | /proc/*/fd/*) # another file in each child process
            hint 'give the path of the file'
            die "cannot read a backup from '$1'"
            ;;
    esac
    [ -f "$1" ] || die "'$1' is not a regular file, as a backup must be"
    [ -r "$1" ] || {
        hint_permission "$1"
        die "backup file '$1' is not readable for user '$(user_name)'"
    }
    [ -s "$1" ] || {
        hint_get_again
        die "backup file '$1' is empty"
    }
    case $(file_kind "$1") in
        gzip) refuse_other_format "$1" "$(unpack gzip <"$1" | first_bytes)" ;;
        unknown)
            refuse_other_format "$1" "$(first_bytes <"$1")"
            case $1 in *.dump.gz.info) hint "did you mean ${1%.info}?" ;; esac
            hint_available_backups
            die "'$1' is not a backup: neither gzip nor a PostgreSQL archive in custom format"
            ;;
    esac
}

# refuse_closed_directory FILE: what is in a directory that the user may not enter is unknown
refuse_closed_directory() {
    closed_directory=$(nearest_directory "$(dirname -- "$1")")
    if ! [ -x "$closed_directory" ]; then
        hint_permission "$closed_directory"
        die "directory '$closed_directory' is not readable for user '$(user_name)'"
    fi
}

# nearest_directory DIRECTORY: itself, or the nearest one above it that exists
nearest_directory() (
    nearest=$1
    until [ -d "$nearest" ] || [ "$nearest" = / ] || [ "$nearest" = . ]; do
        nearest=$(dirname -- "$nearest")
    done
    printf '%s\n' "$nearest"
)

# refuse_other_format FILE FIRST_BYTES|directory: what else pg_dump or Git writes, by what it begins
# with
refuse_other_format() {
    load_it='load it'
    [ "$(file_kind "$1")" != gzip ] || load_it='unpack it with gunzip and load it'
    own_format="or make a backup in custom format, with 'make backup-assets' or 'pg_dump -Fc'"
    case $2 in
        directory)
            hint "$load_it with pg_restore, $own_format"
            die "'$1' is a pg_dump archive in directory format, which this tool cannot restore"
            ;;
        746f632e64) # toc.dat
            hint "$load_it with pg_restore, $own_format"
            die "'$1' is a tar archive of pg_dump, which this tool cannot restore"
            ;;
        7665727369) # version https://git-lfs.github.com/spec/v1
            hint "get the file with 'git lfs pull'"
            die "'$1' is a Git LFS pointer, not the backup itself"
            ;;
        28b52ffd* | fd377a585a)
            hint 'unpack it with zstd -d or xz -d'
            die "'$1' is compressed with zstd or xz, which this tool cannot read"
            ;;
        1f8b*)
            hint "unpack it once: gunzip -c FILE >OTHER.dump.gz"
            die "'$1' was compressed twice"
            ;;
        2d2d0a2d2d) # two lines of --
            hint "$load_it with psql, $own_format"
            die "'$1' is an SQL script of pg_dump, which this tool cannot restore"
            ;;
    esac
}

hint_get_again() {
    hint 'get the file again from its source, or use another backup'
}

# backup_path NAME_OR_FILE: a FILE contains a slash or ends in .dump.gz or .dump; a NAME is that of
# a file in backups/postgres
backup_path() {
    if is_remote "$1"; then
        printf '%s\n' "$1"
        return
    fi
    case $1 in
        -*/*) printf './%s\n' "$1" ;; # a leading dash would make it an option
        */*) printf '%s\n' "$1" ;;
        *.dump.gz | *.dump) printf './%s\n' "$1" ;;
        *)
            set -- "$project/backups/postgres/$1.dump"
            if [ -f "$1" ] && ! [ -e "$1.gz" ]; then
                printf '%s\n' "$1"
            else
                printf '%s\n' "$1.gz"
            fi
            ;;
    esac
}

# is_remote FILE: is it on a remote, `remote:path/FILE`? A file of that name here is meant first
is_remote() {
    case $1 in
        */* | *.dump.gz | *.dump) has_remote "$1" && [ ! -e "$1" ] ;;
        *) return 1 ;;
    esac
}

# hint_meant_backup FILE: the same name elsewhere, or without its ending
hint_meant_backup() {
    stem=${1##*/}
    stem=${stem%.gz}
    stem=${stem%.dump}
    for candidate in "./$stem" "./$stem.dump" "./$stem.dump.gz" \
        "$project/backups/postgres/$stem.dump.gz" "$project/assets/$stem.dump.gz"; do
        ! is_backup "$candidate" || hint "did you mean $candidate?"
    done
    similar_name=$(nearest_to "$stem" "$(names_of_backups)")
    [ -z "$similar_name" ] || hint "did you mean $(backup_path "$similar_name")?"
    case $1 in
        */postgres/auto.dump.gz) hint "'auto' is a name for new backups only" ;;
    esac
}

# names_of_backups: those in backups/postgres/, one a line
names_of_backups() {
    for named_backup in "$project"/backups/postgres/*.dump.gz "$project"/backups/postgres/*.dump; do
        named_backup=${named_backup##*/}
        named_backup=${named_backup%.gz}
        printf '%s\n' "${named_backup%.dump}"
    done
}

# hint_available_backups: the newest five
hint_available_backups() {
    ls -t -- "$project"/assets/*.dump.gz "$project"/assets/*.dump \
        "$project"/backups/postgres/*.dump.gz "$project"/backups/postgres/*.dump \
        >"$work/available" 2>/dev/null || : # some match nothing
    available=0
    while IFS= read -r candidate; do
        is_backup "$candidate" || continue
        available=$((available + 1))
        [ "$available" -gt 5 ] ||
            hint "available: $candidate ($(human_size "$(size_of "$candidate")"))"
    done <"$work/available"
    [ "$available" -le 5 ] || hint "and $((available - 5)) more in assets and backups/postgres"
    [ "$available" -gt 0 ] || hint 'copy a shared backup to assets/assets.dump.gz,' \
        "create one with 'make backup-assets', or fetch the assets with 'make init' (b or c)"
}

# is_backup FILE: by its first bytes
is_backup() {
    [ -f "$1" ] && [ "$(file_kind "$1")" != unknown ]
}

# file_kind FILE: gzip, archive (bare custom format) or unknown, by its first bytes
file_kind() {
    case $(dd if="$1" bs=5 count=1 2>/dev/null | first_bytes) in
        1f8b*) echo gzip ;;
        5047444d50) echo archive ;;
        *) echo unknown ;;
    esac
}

# first_bytes: five of standard input, in hexadecimal
first_bytes() {
    head -c 5 | od -An -tx1 | tr -d ' \n'
}

# size_of FILE: in bytes
size_of() {
    wc -c <"$1" | tr -d ' '
}

# link_target FILE: the file itself, or what a link to it leads to
link_target() {
    { [ -L "$1" ] && readlink -f -- "$1" 2>/dev/null; } || printf '%s\n' "$1"
}
