#!/bin/sh
# rollback-assets.sh: brings back the database that the last restore replaced. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock databases backup-file signature manifest publish report

usage() {
    cat <<EOF
Usage: $0

Swaps the live database with the one that the last restore replaced and, with
RESTORE_KEEP_PREVIOUS=yes, kept. A second rollback undoes the first.
EOF
}

main() {
    parse_no_options "$@"
    begin
    find_server
    lock_database
    mend_leftovers
    require_previous
    require_replaceable ''
    rename_databases 'live:former previous:live former:previous'
    finished=yes
    say 'rolled back; the same again undoes it'
    begin_statistics
    show_afterwards
}

require_previous() {
    previous_exists || {
        hint 'a restore with RESTORE_KEEP_PREVIOUS=yes keeps the database that it replaces'
        die "there is no previous database to roll back to; nothing was changed"
    }
}

main "$@"
