#!/bin/sh
# stats.sh: shows the tables of the assets database, or its size. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock backup-file signature manifest publish report

usage() {
    cat <<EOF
Usage: $0 [--size]

Shows every table of the assets database: exact rows, size, share of the database.

  --size    only the size of the whole database
EOF
}

main() {
    parse_options "$@"
    begin
    find_server
    open_lock
    ! take_lock || mend_leftovers
    show "$statistics" || fail_with "$work/sql.errors" 'the statistics cannot be read'
}

parse_options() {
    statistics=table-statistics
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) show_help ;;
            --size) statistics=database-size ;;
            -?*) die_usage "unknown option: $1" ;;
            *) die_usage "unexpected argument: $1" ;;
        esac
        shift
    done
}

main "$@"
