#!/bin/sh
# restore-assets.sh: replaces the assets database with a backup's content. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock databases fingerprints backup-file signature manifest publish
use upload mode load tables untrusted report

usage() {
    cat <<EOF
Usage: $0 [OPTION...] [FILE]

Replaces the assets database with the content of a backup: FILE (.dump.gz or .dump), or else
assets/assets.dump.gz. The backup is loaded into a staging database beside the live one, proved,
and takes its place in a fraction of a second. Until then the live database is untouched.

  --dry-run      check everything and show what would change; change nothing
  --data-only    keep the live database's schema; take only the rows from the backup
  --table NAME   replace only this table's rows, in the live database; may be repeated
  --keep-going   load what can be loaded, list what cannot, and ask again before the swap
  --trust        the backup's author may run code on the server; RESTORE_TRUST=yes says the same

RESTORE_SKIP_CONFIRM=yes restores without asking. RESTORE_KEEP_PREVIOUS=yes keeps what was replaced:
rollback-assets.sh brings it back.
EOF
}

main() {
    parse_options "$@"
    begin
    [ -z "$trust" ] || RESTORE_TRUST=yes
    check_file
    find_server
    lock_database
    mend_leftovers
    check_file_again
    check_room
    decide_trust
    bring_archive
    choose_way
    show_backup
    if [ -n "$dry_run" ]; then
        show_changes
        drop_companions
        return
    fi
    confirm_replacement
    stage_backup
    prove_staging
    put_in_place
    finished=yes
    begin_statistics
    drop_companions
    show_afterwards
}

parse_options() {
    dry_run='' data_only='' tables='' keep_going='' trust=''
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) show_help ;;
            --dry-run) dry_run=yes ;;
            --data-only) data_only=yes ;;
            --keep-going) keep_going=yes ;;
            --trust) trust=yes ;;
            --table) add_table "${2-}" && shift ;;
            --table=*) add_table "${1#--table=}" ;;
            --) shift && break ;;
            -?*) die_usage "unknown option: $1" ;;
            *) break ;;
        esac
        shift
    done
    [ $# -le 1 ] || die_usage "one file at most, not $#: $*"
    [ -z "$tables" ] || [ -z "$keep_going" ] || die_usage '--table and --keep-going do not go together'
    file=${1-$root/assets/assets.dump.gz}
    [ -n "$file" ] || die_usage 'the file name is empty'
    case $file in
        */*) ;;
        *) file=./$file ;;
    esac
}

add_table() {
    [ -n "$1" ] || die_usage '--table needs a name'
    tables="$tables${tables:+
}$1"
}

# check_file: what can be told before any server is asked; its content is checked on its way to the server
check_file() {
    say "checking $file"
    mend_backups "${file%/*}"
    [ ! -L "$file" ] || mend_backups "$(dirname -- "$(link_target "$file")")"
    require_file "$file"
    find_manifest "$file"
    if copy_manifest; then
        check_manifest "$file"
        proved=yes
    else
        warn 'no manifest proves this file; it is restored with the checks that remain'
        proved=
    fi
}

# check_file_again: where a backup has replaced the pair before the lock was ours
check_file_again() {
    [ -n "$proved" ] || return 0
    find_manifest "$file"
    cmp -s "$manifest" "$work/info" || check_file
}

# check_room: the right and the space for a second copy, before anything is done
check_room() {
    facts=$(ask lock <"$sql/restore/preflight.sql") || fail_with "$work/lock.errors" 'the catalog cannot be read'
    {
        IFS='|' read -r may_create is_superuser live_size jobs toast_compression
        read -r data_folder
        read -r data_free
        read -r temporary_folder
        read -r temporary_free
    } <<EOF
$facts
EOF
    require_number 'the size of the database' "$live_size"
    require_number 'the number of jobs' "$jobs"
    choose_jobs
    [ "$TB_POSTGRES_DATABASE" != postgres ] ||
        die "database 'postgres' is the server's own and cannot be replaced; set TB_POSTGRES_DATABASE"
    [ "$may_create" = t ] || {
        hint "ALTER ROLE $TB_POSTGRES_USER CREATEDB, or set TB_POSTGRES_USER to a user who may"
        die "user '$TB_POSTGRES_USER' may not create the staging database; nothing was changed"
    }
    [ -n "$tables" ] || require_replaceable 'single tables can still be restored with --table'
    copy_size=$live_size
    [ -z "$proved" ] || copy_size=$(manifest_value database-bytes)
    require_room 'data folder' "$data_folder" "$data_free" "$copy_size"
    require_room 'temporary folder' "$temporary_folder" "$temporary_free" "$(size_of "$file")"
}

# require_room NAME FOLDER KIB BYTES: where that folder could be looked at, its free space is enough
require_room() {
    [ -n "$3" ] || return 0 # another host's folder: a full disk ends the load, and changes nothing
    require_number "the free space of its $1" "$3"
    [ "$3" -ge "$(($4 / 1024))" ] || {
        hint "free some space in $2 of $server"
        die "the server's $1 has $(human_size "$(($3 * 1024))") free, and this restore needs" \
            "$(human_size "$4"); nothing was changed"
    }
}

choose_jobs() {
    jobs=${RESTORE_JOBS:-$jobs}
    case $jobs in
        0 | *[!0-9]* | ????*) die_usage "RESTORE_JOBS is a number of jobs, not '$jobs'" ;;
    esac
}

show_backup() {
    say "backup    $file ($(human_size "$(size_of "$file")"))"
    say "created   $(from_contents 'Archive created at') by pg_dump $(from_contents 'Dumped by pg_dump version:')"
    if [ -n "$proved" ]; then
        say "holds     $(manifest_value summary)"
    else
        say "holds     $(grep -c ' TABLE DATA ' "$work/contents") tables of database $(from_contents 'dbname:')"
    fi
}

from_contents() {
    sed -n "s/^; *$1 *//p" "$work/contents" | head -n 1
}

# show_changes: rows per table, now and in the backup, on standard output
show_changes() {
    : >"$work/now"
    if database_exists; then
        fingerprints_of "$(live_columns)" | sql "$TB_POSTGRES_DATABASE" >"$work/now" 2>"$work/sql.errors" ||
            fail_with "$work/sql.errors" 'the live database cannot be read'
    fi
    rows_in_backup >"$work/then"
    printf '%-44s %12s %12s %12s\n' table now 'in backup' difference
    awk '{ rows = $1; sub(/^[^ ]* [^ ]* /, ""); tables[$0] }
         FILENAME == ARGV[1] { now[$0] = rows; next }
         { later[$0] += rows } # partitions that are loaded by way of their whole table come one by one
         END { for (table in tables)
                   printf("%-44s %12s %12s %12s\n", table, table in now ? now[table] : "-",
                          table in later ? later[table] : "-", later[table] - now[table]) }' \
        "$work/now" "$work/then" | LC_ALL=C sort | printable_lines
    say 'this was a dry run; nothing was changed'
}

# live_columns: for chosen tables only theirs; otherwise all
live_columns() {
    [ "$way" != tables ] || cat "$work/live-columns.chosen"
}

# rows_in_backup: as the manifest says, or counted where there is none
rows_in_backup() {
    if [ -n "$proved" ]; then
        expected
    else
        [ -s "$work/brought" ] || list_brought
        sed -n 's/^rows \(.*\) \([0-9]*\)$/\2 - \1/p' "$work/brought"
    fi
}

confirm_replacement() {
    case $way in
        tables) warn "every row of $(in_one_line "$(cat "$work/chosen")") in database '$TB_POSTGRES_DATABASE'" \
            "of $server will be replaced" ;;
        rows) warn "every row of database '$TB_POSTGRES_DATABASE' of $server will be replaced; its schema stays" ;;
        *)
            if database_exists; then
                warn "everything in database '$TB_POSTGRES_DATABASE' of $server will be replaced"
            else
                say "database '$TB_POSTGRES_DATABASE' is not there yet; it will be made"
            fi
            ;;
    esac
    confirm "$RESTORE_SKIP_CONFIRM" 'Restore this backup?' RESTORE_SKIP_CONFIRM
}

put_in_place() {
    case $way in
        tables) replace_tables ;;
        *) swap_databases ;;
    esac
}

swap_databases() {
    adopt_settings
    say 'swapping databases'
    if [ "$RESTORE_KEEP_PREVIOUS" = yes ] && database_exists; then
        rename_databases 'previous:former live:previous staging:live'
        say 'kept the replaced database; make rollback-assets brings it back'
    else
        rename_databases 'live:former staging:live'
    fi
}

main "$@"
