#!/bin/sh
# restore-assets.sh: replaces the assets database with a backup's content. See --help.
set -eu
program=${0##*/}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
sql=$root/scripts/sql
. "$root/scripts/lib/common.sh"
. "$root/scripts/lib/postgres.sh"
. "$root/scripts/lib/databases.sh"
. "$root/scripts/lib/archive.sh"
. "$root/scripts/lib/statistics.sh"

usage() {
    cat <<EOF
Usage: $0 [FILE]

Replaces the whole assets database with the content of a backup.

  FILE    a backup: .dump.gz or .dump; without it, assets/assets.dump.gz

The backup is loaded into a staging database beside the live one and takes its place when it is
whole. Until then the live database is untouched; the swap takes a tenth of a second.

RESTORE_SKIP_CONFIRM=yes restores without asking.
EOF
}

main() {
    parse_options "$@"
    begin
    check_file
    find_server
    lock_database
    mend_leftovers
    check_archive
    show_backup
    confirm_replacement
    stage_backup
    prove_staging
    swap_databases
    drop_former
    show table-statistics
}

parse_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) usage && exit 0 ;;
            --) shift && break ;;
            -?*) die_usage "unknown option: $1" ;;
            *) break ;;
        esac
    done
    [ $# -le 1 ] || die_usage "one file at most, not $#: $*"
    file=${1-$root/assets/assets.dump.gz}
    [ -n "$file" ] || die_usage 'the file name is empty'
    case $file in
        */*) ;;
        *) file=./$file ;;
    esac
}

check_file() {
    say "checking $file"
    mend_backups "${file%/*}"
    require_file "$file"
    if has_manifest "$file"; then
        check_manifest "$file"
        proved=yes
    else
        warn "no manifest proves this file; it is restored with the checks that remain"
        proved=
    fi
}

# check_archive: takes the archive to the server and, where no manifest has proved the file, reads it
# there to its last byte
check_archive() {
    # shellcheck disable=SC2016 # it expands next to the server
    far_folder=$(beside_server sh -c 'mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX"' sh "$far_prefix" \
        </dev/null 2>"$work/far.errors") || fail_with "$work/far.errors" "no temporary folder next to the server"
    at_end remove_far_folder
    archive=$far_folder/archive
    flow unwrap_file keep_archive
    [ "$consumed" -eq 0 ] || fail_with "$work/far.errors" "the archive cannot be copied to the server"
    [ "$produced" -eq 0 ] || die "backup file '$file' is damaged or cut short: $(gzip_error)"
    list_contents >"$work/contents" || not_whole
    [ -n "$proved" ] || read_through || not_whole
}

not_whole() {
    fail_with "$work/restore.errors" "'$file' is not a whole PostgreSQL archive"
}

unwrap_file() {
    unwrap "$file"
}

keep_archive() {
    # shellcheck disable=SC2016 # it expands next to the server
    beside_server sh -c 'cat >"$1"' sh "$archive" 2>"$work/far.errors"
}

list_contents() {
    beside_server pg_restore --list "$archive" </dev/null 2>"$work/restore.errors"
}

read_through() {
    background beside_server pg_restore --file=/dev/null "$archive" </dev/null 2>"$work/restore.errors"
    await "$child"
}

remove_far_folder() {
    beside_server rm -rf "$far_folder" </dev/null 2>"$work/far.errors" ||
        warn "$far_folder stays next to the server; the next run removes it: $(first_error "$work/far.errors")"
}

show_backup() {
    say "backup    $file ($(human_size "$(size_of "$file")"))"
    say "created   $(from_contents 'Archive created at') by pg_dump $(from_contents 'Dumped by pg_dump version:')"
    say "holds     $(grep -c ' TABLE DATA ' "$work/contents") tables of database $(from_contents 'dbname:')"
}

from_contents() {
    sed -n "s/^; *$1 *//p" "$work/contents" | head -n 1
}

confirm_replacement() {
    if database_exists; then
        warn "everything in database '$TB_POSTGRES_DATABASE' of $server will be replaced"
    else
        say "database '$TB_POSTGRES_DATABASE' is not there yet; it will be made"
    fi
    confirm "$RESTORE_SKIP_CONFIRM" 'Restore this backup?' RESTORE_SKIP_CONFIRM
}

# stage_backup: loads the archive into a database beside the live one
stage_backup() {
    say 'loading the backup into a staging database'
    ask lock <"$sql/create-staging.sql" >/dev/null ||
        fail_with "$work/lock.errors" "no staging database can be made; nothing was changed"
    background load </dev/null
    await "$child" ||
        fail_with "$work/restore.errors" "the backup cannot be loaded, and database '$TB_POSTGRES_DATABASE' is as it was"
}

load() {
    beside_server pg_restore --exit-on-error --jobs=2 --dbname="$staging" "$archive" 2>"$work/restore.errors"
}

# prove_staging: the staging database holds what the manifest says, to the last value; then gets what
# the live database carries beside its content
prove_staging() {
    background analyse </dev/null
    if [ -n "$proved" ]; then
        say 'proving its content by the manifest'
        sql "$staging" <"$sql/fingerprints.sql" >"$work/staged" 2>"$work/sql.errors" ||
            fail_with "$work/sql.errors" 'the staging database cannot be read; nothing was changed'
        cmp -s "$work/tables" "$work/staged" || die "what was loaded is not what was backed up$(first_difference);" \
            "database '$TB_POSTGRES_DATABASE' is as it was"
    fi
    await "$child" || fail_with "$work/analyse.errors" 'the staging database cannot be analysed; nothing was changed'
    ask lock <"$sql/adopt-settings.sql" >/dev/null ||
        fail_with "$work/lock.errors" "the database's settings cannot be copied; nothing was changed"
}

analyse() {
    echo 'ANALYZE;' | sql "$staging" 2>"$work/analyse.errors"
}

first_difference() {
    diff "$work/tables" "$work/staged" | sed -n 's/^[<>] \([0-9]*\) [-0-9]* \(.*\)/ (table \2, \1 rows)/p' | head -n 1
}

main "$@"
