#!/bin/sh
# diff-backup.sh: compares a backup with the live database, or with another backup. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock clean-up client-programs databases rights gzip backup-file
use embedded-manifest signature manifest fingerprints schema publish progress report rclone off-site
use upload contents columns modes untrusted pg-restore owners kept-schema load kept-copy preflight
use verify compare private-server

usage() {
    cat <<EOF_USAGE
Usage: $0 [OPTION...] [NAME | FILE]

Compares a backup with the live database and prints how many rows were added,
removed and changed since the backup, by table and provider, and how many
prices went up or down. The live database is unchanged.

  (none)   assets/assets.dump.gz
  FILE     any argument that contains a slash or ends in .dump.gz or .dump
           (remote:path/FILE is downloaded, by rclone)
  NAME     backups/postgres/NAME.dump.gz or NAME.dump

  --with BACKUP     compare with this newer backup (NAME or FILE) instead of
                    the live database
  --rows N          also show up to N added, removed and changed rows of each
                    table; N is at most 1000
  --commit-message  print a commit message instead of a table
  --json            print the result as JSON
  --private         with --with: start a private server for this run only
                    ('make demo' installs it); the default if no server is set
                    and no container runs
  --trust           load with your own rights; an untrusted backup may then run
                    code on the server (same as RESTORE_TRUST=yes)

DIFF_IGNORE lists the columns that are not compared. The default is uid and
fetched_time, because every fetch changes them; DIFF_IGNORE=none compares all.
EOF_USAGE
}

main() {
    parse_options "$@"
    begin
    require_restore_settings
    if [ -n "$with" ] && needs_private_server; then
        compare_on_private_server
    fi
    download_files
    check_files
    reach_server
    load_old
    load_new
    compare
    drop_temporary_data
    show_result
    finish 'the comparison is complete'
    say_done "compared $old_name with $new_name in $(duration)"
}

parse_options() {
    with='' private='' rows=0 report=table
    drop_missing=yes
    parse_arguments take_option "$@"
    [ -n "$with" ] || [ -z "$private" ] || die_usage '--private needs --with'
    [ -z "$json" ] || use_json
    old_file=$(backup_path "${operand:-$project/assets/assets.dump.gz}")
}

take_option() {
    case $1 in
        --with) use_with "${2-}" && used=2 ;;
        --rows) use_rows "${2-}" && used=2 ;;
        --commit-message) report=commit-message ;;
        --private) private=yes ;;
        --trust) RESTORE_TRUST=yes ;;
        *) common_option "$1" ;;
    esac
}

use_with() {
    require_value --with "$1" 'a name or file'
    with=$(backup_path "$1")
}

use_json() {
    [ "$report" = table ] || die_usage 'cannot combine --json and --commit-message'
    report=json
}

use_rows() {
    require_value --rows "$1"
    { is_number "$1" && [ "$1" -le 1000 ]; } ||
        die_usage "--rows must be a number from 0 to 1000, not '$1'"
    rows=$1
}

# compare_on_private_server: comparing two backups does not need the live database
compare_on_private_server() {
    set -- --with "$with" --rows "$rows" ${json:+--json}
    [ "$report" != commit-message ] || set -- "$@" --commit-message
    run_on_private_server diff-backup.sh "$@" -- "$old_file"
}

# download_files: those on a remote. Sets old_file and with
download_files() {
    download "$old_file"
    old_file=$downloaded
    [ -n "$with" ] || return 0
    download "$with"
    with=$downloaded
}

# check_files: what can be checked without a server. Sets backup_file
check_files() {
    [ -z "$with" ] || require_file "$with"
    backup_file=$old_file
    check_file
}

reach_server() {
    select_server
    lock_database
    clean_up_backups
    read_database_facts
    [ -n "$with" ] || database_exists || fail_without_database
    read_server_facts
    prepare_server "$data_directory"
    require_dump_version
    if [ -n "$with" ]; then
        require_right_to_create private
    else
        require_right_to_create with
    fi
    check_file_again
}

# load_old: loads the older backup. Sets old_database and old_name
load_old() {
    load_side old
    old_database=$staging
    old_name=$backup_file
}

# load_new: loads the newer backup; the live database needs no loading. Sets new_database, new_name,
# and what a result calls the two sides: old_place and new_place
load_new() {
    if [ -z "$with" ]; then
        new_database=$TB_POSTGRES_DATABASE
        new_name="database '$TB_POSTGRES_DATABASE' of $server"
        old_place='the backup' new_place='the live database'
        list_columns "$new_database" '' >"$work/columns.new"
        return 0
    fi
    [ "$mode" = full ] || end_live_session
    rename_staging
    old_database=$compared
    backup_file=$with
    check_file
    load_side new
    new_database=$staging
    new_name=$backup_file
    old_place='the old backup' new_place='the new backup'
}

# load_side old|new: loads the backup file into staging, as a restore does before the swap, and
# lists the columns of that side
load_side() {
    decide_trust
    upload_archive
    require_trust ${with:+private}
    check_room
    backup_has_rows || warn "$backup_file contains no rows"
    without_messages choose_mode_by_archive # the result lists columns of one side only
    load_backup
    [ -z "$manifest_found" ] || verify_loaded
    list_columns "$staging" "$unfilled_columns" >"$work/columns.$1"
}

compare() {
    warn_of_unknown_columns "$old_database" "$new_database"
    say 'comparing the rows'
    show_progress comparing
    compare_databases "$old_database" "$new_database" "$report" "$rows" >"$work/rows"
    [ "$report" != commit-message ] || old_place='the previous backup' new_place='the new backup'
    print_only_in_one "$old_place" "$new_place" >"$work/only"
    : >"$work/examples.found"
    [ "$(cat "$work/examples")" = '[]' ] ||
        print_examples "$old_database" "$new_database" "${json:+json}" \
            >"$work/examples.found"
}

# show_result: prints the result on standard output
show_result() {
    if [ "$report" = json ]; then
        add_differences
        return
    fi
    result_lines | printable_lines >"$work/result"
    end_live_line
    if [ "$report" = table ] && [ -s "$work/rows" ]; then
        show_table <"$work/result"
    else
        cat "$work/result" >&3
    fi || die 'could not write the result'
}

add_differences() {
    add_text old "$old_name"
    add_text new "$new_name"
    add_json differences "$(cat "$work/rows")"
    add_lines only_in_one <"$work/only"
    [ "$rows" -eq 0 ] || add_json examples "$(cat "$work/examples.found")"
}

result_lines() {
    if [ "$report" = commit-message ]; then
        describe_other_changes
    elif [ ! -s "$work/rows" ] && [ ! -s "$work/only" ]; then
        echo 'no differences in tables, columns or rows'
    elif [ ! -s "$work/rows" ]; then
        printf 'no differences in the rows of tables that both have\n\n'
    fi
    cat "$work/rows"
    [ ! -s "$work/rows" ] || [ ! -s "$work/only" ] || echo
    cat "$work/only" "$work/examples.found"
}

# describe_other_changes: the first line of a commit message, where no rows differ
describe_other_changes() {
    if [ -s "$work/rows" ]; then
        return 0
    elif [ -s "$work/only" ]; then
        printf 'Update assets: tables or columns changed\n\n'
    else
        echo 'Update assets: no rows changed'
    fi
}

main "$@"
