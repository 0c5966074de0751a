#!/bin/sh
# verify-backup.sh: verifies a backup; the live database is unchanged. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock clean-up client-programs databases rights gzip backup-file
use embedded-manifest signature manifest fingerprints schema publish progress report rclone off-site
use upload contents columns modes untrusted pg-restore owners kept-schema load kept-copy preflight
use verify verification-result private-server

usage() {
    cat <<EOF
Usage: $0 [OPTION...] [NAME | FILE]

Verifies a backup. The live database is unchanged. Each level includes those
before it:

  hash     compare the file's size and SHA-256 with its manifest
  read     read the whole archive with pg_restore on the server
  restore  load it into a staging database, audit it if it is untrusted, and
           compare row counts, fingerprints and schema with the manifest
           (default)

  (none)   assets/assets.dump.gz
  FILE     any argument that contains a slash or ends in .dump.gz or .dump
           (remote:path/FILE is downloaded, by rclone)
  NAME     backups/postgres/NAME.dump.gz or NAME.dump

  --level LEVEL  hash, read or restore
  --private      start a private server for this run only ('make demo' installs
                 it); the default if no server is set and no container runs
  --trust        load with your own rights; an untrusted backup may then run
                 code on the server (same as RESTORE_TRUST=yes)
  --json         print the result as JSON
EOF
}

main() {
    parse_options "$@"
    begin
    : >"$work/levels"
    [ -z "$json" ] || at_end add_levels
    at_end remember_failure
    require_restore_settings
    if [ "$level" != hash ] && needs_private_server; then
        run_on_private_server verify-backup.sh ${json:+--json} --level "$level" -- "$backup_file"
    fi
    download "$backup_file"
    backup_file=$downloaded
    verify_hash
    [ "$level" = hash ] || verify_on_server
    finish 'the verification is complete'
    remember "$level" ok
    say_done "verified $backup_file (level $level): $(verified_content)"
}

parse_options() {
    level=restore private=''
    running_level='' manifest_found=''
    parse_arguments take_option "$@"
    backup_file=$(backup_path "${operand:-$project/assets/assets.dump.gz}")
}

take_option() {
    case $1 in
        --level) use_level "${2-}" && used=2 ;;
        --private) private=yes ;;
        --trust) RESTORE_TRUST=yes ;;
        *) common_option "$1" ;;
    esac
}

use_level() {
    require_value --level "$1"
    case $1 in
        hash | read | restore) level=$1 ;;
        *) die_usage "--level must be hash, read or restore, not '$1'" ;;
    esac
}

# --- levels ---

begin_level() {
    running_level=$1
    level_started=$(date +%s)
}

# end_level: prints the level's name and duration on standard output, unless --quiet was given
end_level() {
    end_live_line
    ended_level=$running_level
    running_level= # what fails from now on is not the verification
    level_seconds=$(($(date +%s) - level_started))
    printf '%s\tok\t%s\n' "$ended_level" "$level_seconds" >>"$work/levels"
    [ -n "$quiet$json" ] || printf '%-8s ok in %d s\n' "$ended_level" "$level_seconds" >&3 ||
        die 'could not write the result'
}

verify_hash() {
    begin_level hash
    check_file
    if [ -n "$manifest_found" ]; then
        require_intact "$backup_file"
        end_level
    elif [ "$level" = hash ]; then
        hint '--level read reads the archive; --level restore also loads it'
        die "cannot compare the hash of '$backup_file': there is no manifest"
    fi
}

verify_on_server() {
    select_server
    lock_database
    clean_up_backups
    read_database_facts
    read_server_facts
    prepare_server "$data_directory"
    check_file_again
    [ "$level" = read ] || require_right_to_create private
    decide_trust
    begin_level read
    upload_archive
    [ -z "$manifest_found" ] || read_archive || fail_not_whole "$work/restore.errors"
    end_level
    [ "$level" = read ] || verify_restore
    drop_temporary_data
}

# verify_restore: the steps of a restore before the swap
verify_restore() {
    require_dump_version
    require_trust private
    check_room
    begin_level restore
    choose_mode_by_archive
    load_backup
    verify_staging
    end_level
}

# verified_content: what the manifest says that it holds
verified_content() {
    if [ -n "$manifest_found" ]; then
        sum_of_tables <"$work/tables"
    else
        echo 'there is no manifest to compare with'
    fi
}

# --- what list-backups shows ---

remember() { # LEVEL RESULT
    [ -z "$manifest_found" ] ||
        remember_verification "$backup_file" "$1" "$2" "$(manifest_field sha256)"
}

# remember_failure STATUS: only if the file itself is bad, not if the server, a setting or the
# user's rights ended the run
remember_failure() {
    [ "$1" -ne 1 ] || [ -z "$running_level" ] || [ -z "$file_is_bad" ] ||
        remember "$running_level" failed
}

# add_levels: only a bad file has failed
add_levels() {
    level_result=unfinished
    [ -z "$file_is_bad" ] || level_result=failed
    [ -z "$running_level" ] ||
        printf '%s\t%s\t-\n' "$running_level" "$level_result" >>"$work/levels"
    [ -s "$work/levels" ] || return 0
    add_text backup "$backup_file"
    add_rows levels 'level result seconds#' <"$work/levels"
}

main "$@"
