#!/bin/sh
# rollback-assets.sh: swaps back to the database that a restore has kept. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock databases backup-file embedded-manifest publish report

usage() {
    cat <<EOF
Usage: $0

Swaps the live database with the previous one, which the last restore with
RESTORE_KEEP_PREVIOUS=yes replaced and kept. Run it again to undo.

ROLLBACK_SKIP_CONFIRM=yes swaps without asking.
EOF
}

main() {
    parse_no_options "$@"
    unchanged='; the database is unchanged'
    begin
    select_server
    lock_database
    clean_up_backups
    clean_up_server
    require_previous
    require_replaceable ''
    confirm_rollback
    rename_databases 'live:replaced previous:live replaced:previous'
    finish
    begin_statistics
    print_statistics
    say_done 'rolled back; run it again to undo'
}

require_previous() {
    [ -n "$(time_of_previous)" ] || {
        hint 'a restore with RESTORE_KEEP_PREVIOUS=yes keeps the database that it replaces'
        die 'there is no previous database to roll back to'
    }
}

confirm_rollback() {
    sides=$(both_sides)
    warn "swapping back database '$TB_POSTGRES_DATABASE' of $server: $sides"
    confirm_unlocked "$ROLLBACK_SKIP_CONFIRM" 'Swap them?' ROLLBACK_SKIP_CONFIRM
    require_same "$sides" "$(both_sides)"
}

# both_sides: what the live database holds, and what the previous one does
both_sides() {
    echo "now $(content_of "$TB_POSTGRES_DATABASE");" \
        "then $(content_of "$previous"), kept $(time_of_previous)"
}

main "$@"
