#!/bin/sh
# stats.sh: prints the tables of the assets database, or its size. See --help.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock backup-file embedded-manifest publish report

usage() {
    cat <<EOF
Usage: $0 [--size]

Prints every table of the assets database: exact rows, size, share of the database.

  --size  only the size of the whole database
EOF
}

main() {
    parse_options "$@"
    begin
    select_server
    open_lock
    ! take_lock || clean_up
    print_report "$report" >&3 || fail_with "$work/report.errors" 'could not read the statistics'
}

parse_options() {
    report=table-statistics
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) show_help ;;
            --size) report=database-size ;;
            -?*) die_usage "unknown option: $1" ;;
            *) die_usage "unexpected argument: $1" ;;
        esac
        shift
    done
}

clean_up() {
    clean_up_backups
    clean_up_server
}

main "$@"
