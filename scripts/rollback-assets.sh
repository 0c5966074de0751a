#!/bin/sh
# rollback-assets.sh: swaps back to the database that a restore has kept. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock clean-up confirmation databases rights gzip backup-file
use embedded-manifest schema publish progress report

usage() {
    cat <<EOF
Usage: $0 [-y] [--drop]

Swaps the live database with the previous one, which the last restore with
RESTORE_KEEP_PREVIOUS=yes replaced and kept. Run it again to undo.

  --drop     drop the previous database instead, to free its space
  -y, --yes  do not ask (same as ROLLBACK_SKIP_CONFIRM=yes)
EOF
}

main() {
    parse_options "$@"
    begin
    require_yes_or_no ROLLBACK_SKIP_CONFIRM "$ROLLBACK_SKIP_CONFIRM"
    select_server
    lock_database
    require_primary
    clean_up_backups
    clean_up_server
    require_previous
    if [ -n "$only_drop" ]; then
        confirm_drop
        drop_or_fail "$previous" 'the previous database'
        say_done "dropped the previous database: $previous_size"
    else
        read_server_facts
        require_right_to_create rename
        require_owned_previous
        require_replaceable ''
        warn_of_sessions
        confirm_rollback
        roll_back
    fi
}

parse_options() {
    unchanged='; the database is unchanged'
    only_drop=
    parse_only_options take_option "$@"
}

take_option() {
    case $1 in
        -y | --yes) ROLLBACK_SKIP_CONFIRM=yes ;;
        --drop)
            only_drop=yes
            unchanged='; the previous database is unchanged'
            ;;
        *) common_option "$1" ;;
    esac
}

require_previous() {
    previous_since=$(time_of_previous) ||
        fail_with "$work/lock.errors" 'could not read the catalog'
    [ -n "$previous_since" ] || {
        [ -z "$only_drop" ] || end_without_previous
        hint 'a restore with RESTORE_KEEP_PREVIOUS=yes keeps the database that it replaces'
        die 'there is no previous database to roll back to'
    }
}

# require_owned_previous: after a rollback, its owner owns the live database
require_owned_previous() {
    ask lock <"$sql/restore/owner-of-previous.sql" >"$work/other-owner" ||
        fail_with "$work/lock.errors" 'could not read the catalog'
    { read -r other_owner && read -r change_of_owner; } <"$work/other-owner" || return 0
    hint "if you trust its content, run in psql: $change_of_owner"
    hint 'otherwise drop it: make rollback-assets ARGS=--drop'
    die "the previous database belongs to $other_owner, not to the owner of the live one"
}

end_without_previous() {
    say_done 'there is no previous database'
    exit 0
}

roll_back() {
    schema_now=$(hash_schema_of "$TB_POSTGRES_DATABASE")
    schema_then=$(hash_schema_of "$previous")
    rename_databases "$previous" 'live:replaced previous:live replaced:previous'
    finish 'the rollback is complete'
    begin_statistics
    print_statistics
    if ! database_exists; then
        say_done "rolled back; there was no database '$TB_POSTGRES_DATABASE' to keep"
        return 0
    fi
    case $schema_now-$schema_then in
        unknown-* | *-unknown)
            say 'could not compare the schemas: restart the server of CB-Tumblebug if the schema' \
                'of its database has changed'
            ;;
        "$schema_now-$schema_now") ;;
        *) say "restart CB-Tumblebug's server: the schema of its database has changed" ;;
    esac
    say_done "rolled back; run 'make rollback-assets' again to undo"
}

# confirm_drop: Sets previous_size
confirm_drop() {
    previous_size=$(size_of_previous)
    previous_content=$(content_of "$previous")
    warn_with "the previous database of $server will be dropped" \
        "$previous_content, $previous_size, kept $(time_of_previous)"
    confirm_same ROLLBACK_SKIP_CONFIRM 'Drop it?' "$previous_content" \
        content_of "$previous"
}

confirm_rollback() {
    read_database_facts
    sides=$(both_sides)
    what_happens='will be swapped with the previous one'
    database_exists || what_happens='does not exist; the previous one will take its place'
    warn_with "database '$TB_POSTGRES_DATABASE' of $server $what_happens" "$sides"
    confirm_same ROLLBACK_SKIP_CONFIRM 'Roll back?' "$sides" both_sides
}

# both_sides: a line of the live database, if it exists, and one of the previous one
both_sides() {
    read_database_facts
    ! database_exists || printf 'now         %s\n' "$(content_of "$TB_POSTGRES_DATABASE")"
    printf 'afterwards  %s, kept %s\n' "$(content_of "$previous")" "$(time_of_previous)"
}

main "$@"
