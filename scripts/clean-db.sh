#!/bin/sh
# clean-db.sh: empties the assets database. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock databases backup-file embedded-manifest publish

usage() {
    cat <<EOF
Usage: $0

Truncates all tables in one transaction. The schema stays, so CB-Tumblebug's server can keep
running.

CLEAN_SKIP_CONFIRM=yes empties the database without asking.
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
    require_database
    confirm_deletion
    empty_tables
}

confirm_deletion() {
    content=$(content_of "$TB_POSTGRES_DATABASE")
    warn "every row of database '$TB_POSTGRES_DATABASE' of $server will be deleted: $content"
    confirm_unlocked "$CLEAN_SKIP_CONFIRM" 'Empty the database?' CLEAN_SKIP_CONFIRM
    require_same "$content" "$(content_of "$TB_POSTGRES_DATABASE")"
}

empty_tables() {
    begin_commit
    sql "$TB_POSTGRES_DATABASE" <"$sql/tables/empty-tables.sql" 2>"$work/sql.errors" ||
        fail_with "$work/sql.errors" 'could not empty the database'
    finish
    say_done "database '$TB_POSTGRES_DATABASE' is empty"
}

main "$@"
