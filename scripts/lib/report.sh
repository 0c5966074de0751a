# shellcheck shell=sh
# Tables as a result, and the statistics of a database, by the Python helper or by psql.
# Needs: addresses awk child database_key finished quiet work
# Sets: is_child

# table_statistics_sql: prints it
table_statistics_sql() {
    print_sql report/table-numbers report/table-statistics
}

# print_table_statistics [COUNTED]: on standard output, the same by the helper and by psql. The file
# COUNTED, if it is there, has lines of a manifest; these tables are not counted again
print_table_statistics() {
    [ -f "${1-}" ] || set -- /dev/null
    print_by_helper "$1" || print_by_psql "$1"
}

print_by_helper() (
    table_statistics_sql >"$work/table-statistics.sql"
    # shellcheck disable=SC2086 # the addresses are words
    run_helper table-statistics --database-key "$database_key" --live "$TB_POSTGRES_DATABASE" \
        --counted "$1" "$work/table-statistics.sql" $addresses
)

print_by_psql() (
    {
        psql_set counted "$(cat "$1")"
        echo "SELECT set_config('assets.counted', :'counted', false) \g /dev/null"
        table_statistics_sql
    } | on_server psql -X -q -t -P border=0 -v ON_ERROR_STOP=1 \
        >"$work/report" 2>"$work/report.errors" || exit
    LC_ALL=C sed -e 's/ *$//' -e '/^$/d' -e "$(block_in_this_locale)" "$work/report"
)

# block_in_this_locale: prints a sed command that replaces the blocks of bars if the encoding of the
# locale lacks them. ASCII does not count: LANG=C says nothing about the terminal
block_in_this_locale() {
    case $(locale charmap 2>/dev/null) in
        '' | UTF-8 | ANSI_X3.4-1968 | US-ASCII) ;;
        *) echo 's/█/#/g' ;;
    esac
}

# print_table PROGRAM FILE: as a result, the table that awk/PROGRAM.awk makes of these lines
print_table() {
    LC_ALL=C awk -v now="$(now_in_utc)" -v columns="$(table_columns)" \
        -f "$awk/formats.awk" -f "$awk/table.awk" -f "$awk/catalog-fields.awk" \
        -f "$awk/$1.awk" "$2" >"$work/table"
    printable_lines <"$work/table" | show_table || die 'could not write the result'
}

# show_table: the one on standard input as a result; a terminal shows its heading bold
show_table() {
    end_live_line
    if has_colour 3; then
        sed "1s/.*/$(printf '\033[1m&\033[0m')/" >&3
    else
        cat >&3
    fi
}

# table_columns: of the terminal that shows a table; a file or another program gets long lines
table_columns() {
    if [ -t 3 ]; then
        screen_columns 3
    else
        echo 1000
    fi
}

# show_statistics: those that print_table_statistics has left in $work/statistics
show_statistics() {
    LC_ALL=C awk -v columns="$(table_columns)" \
        -f "$awk/formats.awk" -f "$awk/table.awk" -f "$awk/fit-statistics.awk" \
        "$work/statistics" | show_table
}

# begin_statistics [COUNTED]: reads the tables while the rest is done; print_statistics waits for it
begin_statistics() {
    [ -z "$quiet" ] || return 0
    background read_statistics "$@"
    reading_statistics=$child
}

read_statistics() {
    is_child= # the helper may leave the work to psql
    print_table_statistics "$@" >"$work/statistics"
}

# print_statistics: when the work is done; not being able to show them is no failure of it
print_statistics() {
    [ -z "$quiet" ] || return 0
    if wait "$reading_statistics" && show_statistics; then
        return 0
    fi
    report_error=$(first_error "$work/report.errors")
    warn "$finished; could not show the table statistics${report_error:+: $report_error}"
}
