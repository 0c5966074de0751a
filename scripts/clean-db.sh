#!/bin/sh
# clean-db.sh: empties the assets database. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock databases backup-file signature manifest publish

usage() {
    cat <<EOF
Usage: $0

Empties every table of the assets database, all of them or none. The tables themselves stay:
CB-Tumblebug's server goes on with them.

CLEAN_SKIP_CONFIRM=yes empties without asking.
EOF
}

main() {
    parse_no_options "$@"
    begin
    find_server
    lock_database
    mend_leftovers
    require_database
    warn "every row of database '$TB_POSTGRES_DATABASE' of $server will be deleted"
    confirm "$CLEAN_SKIP_CONFIRM" 'Empty the database?' CLEAN_SKIP_CONFIRM
    empty_tables
}

empty_tables() {
    unchanged=
    sql "$TB_POSTGRES_DATABASE" <"$sql/tables/empty-tables.sql" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'the database could not be emptied; nothing was changed'
    say "database '$TB_POSTGRES_DATABASE' is empty"
}

main "$@"
