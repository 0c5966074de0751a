#!/bin/sh
# clean-db.sh: empties the assets database. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock clean-up confirmation databases rights gzip backup-file
use embedded-manifest publish

usage() {
    cat <<EOF
Usage: $0 [-y]

Truncates all tables in one transaction. The schema stays, so CB-Tumblebug's
server can keep running.

  -y, --yes  empty the database without asking (same as CLEAN_SKIP_CONFIRM=yes)
EOF
}

main() {
    parse_options "$@"
    begin
    require_yes_or_no CLEAN_SKIP_CONFIRM "$CLEAN_SKIP_CONFIRM"
    select_server
    lock_database
    require_primary
    clean_up_backups
    clean_up_server
    require_database
    content=$(content_of "$TB_POSTGRES_DATABASE")
    require_readable "$content"
    if has_rows; then
        confirm_deletion
        empty_tables
    else
        say_done "database '$TB_POSTGRES_DATABASE' of $server has no rows; nothing to delete"
    fi
}

parse_options() {
    unchanged='; the database is unchanged'
    parse_only_options take_option "$@"
}

take_option() {
    case $1 in
        -y | --yes) CLEAN_SKIP_CONFIRM=yes ;;
        *) common_option "$1" ;;
    esac
}

# has_rows: also where that could not be read; the deletion will then say why
has_rows() {
    case $content in *' 0 rows') return 1 ;; esac
}

confirm_deletion() {
    warn "every row of database '$TB_POSTGRES_DATABASE' of $server will be deleted: $content"
    confirm_same CLEAN_SKIP_CONFIRM 'Empty the database?' "$content" \
        content_of "$TB_POSTGRES_DATABASE"
}

empty_tables() {
    begin_commit
    emptied=$(print_sql tables/user-tables tables/empty-tables |
        sql "$TB_POSTGRES_DATABASE" 2>"$work/sql.errors") || :
    [ "$emptied" = all ] || {
        fail_commit "$work/sql.errors"
        fail_with "$work/sql.errors" 'could not empty the database'
    }
    finish 'all tables are empty'
    refresh_views
    say_done "database '$TB_POSTGRES_DATABASE' is empty"
}

# refresh_views: materialized views would otherwise still show the deleted rows
refresh_views() {
    print_sql tables/filled-views tables/refresh-filled-views |
        sql "$TB_POSTGRES_DATABASE" 2>"$work/sql.errors" || :
    [ -s "$work/sql.errors" ] || return 0
    warn "all tables are empty, but $(first_error "$work/sql.errors")"
    hint 'fix this, then run REFRESH MATERIALIZED VIEW'
    end_incomplete
}

main "$@"
