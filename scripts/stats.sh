#!/bin/sh
# stats.sh: prints the tables of the assets database, or its size. See --help.
set -eu
script=$(readlink -f -- "$0" 2>/dev/null) || script=$0
root=$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd)
. "$root/scripts/lib/use.sh"
use backend session errors lock clean-up databases gzip backup-file embedded-manifest publish
use progress report

usage() {
    cat <<EOF
Usage: $0 [--size] [--json]

Prints every table of the assets database: exact rows, size, share of the
database's size.

  --size  only the size of the whole database
  --json  print the result as JSON
EOF
}

main() {
    parse_options "$@"
    begin
    select_server
    open_lock
    ! take_lock || clean_up
    case $shown-$json in
        tables-) show_tables ;;
        size-) show_size ;;
        tables-yes) add_sizes && add_tables ;;
        size-yes) add_sizes ;;
    esac
}

parse_options() {
    shown=tables
    parse_only_options take_option "$@"
}

take_option() {
    case $1 in
        --size) shown=size ;;
        *) common_option "$1" ;;
    esac
}

# clean_up: with the lock, which it then releases: the statistics need none
clean_up() {
    clean_up_backups
    clean_up_server
    release_lock || fail_with "$work/lock.errors" 'could not release the lock'
}

show_tables() {
    print_table_statistics >"$work/statistics" ||
        fail_with "$work/report.errors" 'could not read the statistics'
    say "database '$TB_POSTGRES_DATABASE' of $server"
    show_statistics || die 'could not write the result'
    read_copy_facts
    [ -z "$copy_bytes" ] ||
        say "kept copy: $(human_size "$copy_bytes"), $copy_origin; 'make drop-copy' drops it"
}

# --- as JSON ---

add_sizes() {
    read_size
    read_copy_facts
    add_text database "$TB_POSTGRES_DATABASE"
    add_text server "$server"
    add_number bytes "$bytes"
    add_number kept_copy_bytes "$copy_bytes"
}

add_tables() {
    table_numbers=$(print_sql report/table-numbers report/table-json |
        sql "$TB_POSTGRES_DATABASE" 2>"$work/report.errors") ||
        fail_with "$work/report.errors" 'could not read the statistics'
    add_json tables "$table_numbers"
}

# --- the size ---

# read_size: Sets bytes
read_size() {
    bytes=$(sql "$TB_POSTGRES_DATABASE" <"$sql/report/database-size.sql" \
        2>"$work/report.errors") ||
        fail_with "$work/report.errors" 'could not read the size of the database'
    require_number 'the size of the database' "$bytes"
}

show_size() {
    read_size
    printf '%s: %s (%s bytes)\n' "$(printable "database '$TB_POSTGRES_DATABASE' of $server")" \
        "$(human_size "$bytes")" "$(with_commas "$bytes")" >&3 || die 'could not write the result'
}

main "$@"
