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
    rename_databases 'live:replaced previous:live replaced:previous'
    finish
    say 'rolled back; run it again to undo'
    begin_statistics
    print_statistics
}

require_previous() {
    previous_exists || {
        hint 'a restore with RESTORE_KEEP_PREVIOUS=yes keeps the database that it replaces'
        die 'there is no previous database to roll back to'
    }
}

main "$@"
