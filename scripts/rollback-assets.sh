#!/bin/sh
# rollback-assets.sh: swaps back to the database that a restore has kept. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock databases backup-file embedded-manifest publish report

usage() {
    cat <<EOF
Usage: $0 [-y]

Swaps the live database with the previous one, which the last restore with
RESTORE_KEEP_PREVIOUS=yes replaced and kept. Run it again to undo.

  -y, --yes  roll back without asking (same as ROLLBACK_SKIP_CONFIRM=yes)
EOF
}

main() {
    parse_options "$@"
    begin
    require_yes_or_no ROLLBACK_SKIP_CONFIRM "$ROLLBACK_SKIP_CONFIRM"
    select_server
    lock_database
    clean_up_backups
    clean_up_server
    require_previous
    require_replaceable ''
    confirm_rollback
    rename_databases 'live:replaced previous:live replaced:previous'
    begin_statistics
    print_statistics
    say_done "rolled back; run 'make rollback-assets' again to undo"
}

parse_options() {
    unchanged='; the database is unchanged'
    parse_yes_option "$@"
    [ -z "$assumed_yes" ] || ROLLBACK_SKIP_CONFIRM=yes
}

require_previous() {
    [ -n "$(time_of_previous)" ] || {
        hint 'a restore with RESTORE_KEEP_PREVIOUS=yes keeps the database that it replaces'
        die 'there is no previous database to roll back to'
    }
}

confirm_rollback() {
    sides=$(both_sides)
    require_readable "$sides"
    warn "database '$TB_POSTGRES_DATABASE' of $server will be swapped with the previous one: $sides"
    confirm_unlocked "$ROLLBACK_SKIP_CONFIRM" 'Swap them?' ROLLBACK_SKIP_CONFIRM
    require_same "$sides" "$(both_sides)"
}

# both_sides: what the live database holds, and what the previous one does
both_sides() {
    echo "now $(content_of "$TB_POSTGRES_DATABASE");" \
        "afterwards $(content_of "$previous") (kept $(time_of_previous))"
}

main "$@"
