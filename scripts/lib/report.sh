# shellcheck shell=sh
# Table statistics and progress, by the Python helper or, where it cannot, plainly.
# Needs: addresses child database_key finished quiet root server_tmp sql work
# Sets: is_child live_line

# table_statistics_sql: prints it
table_statistics_sql() {
    cat "$sql/report/table-numbers.sql" "$sql/report/table-statistics.sql"
}

# print_table_statistics [COUNTED]: on standard output, the same by the helper and by psql. The file
# COUNTED has lines of a manifest; these tables are not counted again
print_table_statistics() {
    set -- "${1:-/dev/null}"
    print_by_helper "$1" || print_by_psql "$1"
}

print_by_helper() (
    PGDATABASE=$TB_POSTGRES_DATABASE
    table_statistics_sql >"$work/table-statistics.sql"
    # shellcheck disable=SC2086 # the addresses are words
    run_helper table-statistics --server-key "$database_key" --live "$TB_POSTGRES_DATABASE" \
        --counted "$1" "$work/table-statistics.sql" $addresses
)

print_by_psql() (
    PGDATABASE=$TB_POSTGRES_DATABASE
    {
        psql_set counted "$(cat "$1")"
        echo "SELECT set_config('assets.counted', :'counted', false) \g /dev/null"
        table_statistics_sql
    } | on_server psql -X -q -t -P border=0 -v ON_ERROR_STOP=1 \
        >"$work/report" 2>"$work/report.errors" || exit
    LC_ALL=C sed -e 's/ *$//' -e '/^$/d' -e "$(block_in_this_locale)" "$work/report"
)

# block_in_this_locale: prints the sed command that replaces the block of bars, where needed; the
# character set of LANG=C says nothing about the terminal
block_in_this_locale() {
    case $(locale charmap 2>/dev/null) in
        '' | UTF-8 | ANSI_X3.4-1968) ;;
        *) echo 's/█/#/g' ;;
    esac
}

# warn_with TEXT LINES: a warning and its details; with --quiet in one line, as warn holds it back
warn_with() {
    if [ -n "$quiet" ]; then
        warn "$1: $(in_one_line "$2")"
    else
        warn "$1"
        printf '%s\n' "$2" | while IFS= read -r detail; do
            say "  $detail"
        done
    fi
}

# show_table: the one on standard input as a result; a terminal shows its heading bold
show_table() {
    end_live_line
    fit_table | if has_colour 3; then
        sed "1s/.*/$(printf '\033[1m&\033[0m')/" >&3
    else
        cat >&3
    fi
}

# fit_table: a terminal that is too narrow for the bars does not show them
fit_table() {
    if [ -t 3 ]; then
        awk -v columns="$(screen_columns 3)" -f "$root/scripts/lib/awk/fit-table.awk"
    else
        cat
    fi
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
    if wait "$reading_statistics" && show_table <"$work/statistics"; then
        return 0
    fi
    report_error=$(first_error "$work/report.errors")
    warn "$finished; could not show the table statistics${report_error:+: $report_error}"
}

# show_progress PHASE [AMOUNT]: on a terminal, a line that is redrawn until the next message: the
# phase, what the function AMOUNT prints, and the time passed. Sets live_line
show_progress() {
    start_live_line draw_plainly "$1" "${2-:}" ''
}

# show_rows_progress PHASE AMOUNT NEXT_PHASE DATABASE [TOTALS]: the same while COPY runs in that
# database, and then for what follows it. The helper draws a bar: the totals are lines of a
# manifest, or else the planner's estimates. Sets live_line
show_rows_progress() {
    start_live_line draw_rows_progress "$@"
}

# start_live_line FUNCTION...: Sets live_line
start_live_line() {
    end_live_line
    { [ -z "$quiet" ] && is_screen 4; } || return 0
    : >"$work/live-line"
    background_with_messages draw_live_line "$@"
    live_line=$child
}

# draw_live_line FUNCTION...: a signal ends it and its child $drawing. A signal that came too early
# has left no file
draw_live_line() {
    is_child=
    drawing=
    trap '[ -z "$drawing" ] || kill "$drawing"; exit 0' TERM
    [ -e "$work/live-line" ] || exit 0
    "$@"
}

draw_rows_progress() {
    PGDATABASE=$4
    [ -f "${5-}" ] || set -- "$1" "$2" "$3" "$4"
    # shellcheck disable=SC2086 # the addresses are words
    (is_child=yes && run_helper progress --server-key "$database_key" \
        --live "$TB_POSTGRES_DATABASE" --script $$ --phase "$1" --next-phase "$3" \
        ${5:+--totals "$5"} "$sql/report/progress.sql" $addresses 2>&4) &
    drawing=$!
    wait "$drawing" || : # there is no Python, or it cannot reach the server
    setup_hint=
    if [ -f "$root/pyproject.toml" ] && ! [ -x "$root/.venv/bin/python" ]; then
        setup_hint='  (make setup adds a bar)'
    fi
    draw_plainly "$1" "$2" "$setup_hint"
}

draw_plainly() { # PHASE AMOUNT HINT
    started=$(date +%s)
    while is_alive $$; do # the script: this is a subshell
        sleep 1 &
        drawing=$!
        wait "$drawing"
        passed=$(($(date +%s) - started))
        live_time=$(printf 'elapsed %d:%02d' "$((passed / 60))" "$((passed % 60))")
        live_text=$(printf '%-16s  %7s  %s' "$1" "$("$2")" "$live_time")
        tell '\r\033[K%s' "$(first_that_fits "$(($(screen_columns 4) - 1))" \
            "$live_text$3" "$live_text" "$1  $live_time" "$1")"
    done
}

first_that_fits() { # COLUMNS TEXT...
    most_columns=$1
    shift
    while [ $# -gt 1 ] && [ ${#1} -gt "$most_columns" ]; do
        shift
    done
    echo "$1"
}

# screen_columns DESCRIPTOR: of that terminal, or 80
screen_columns() (
    size=$(stty size <&"$1" 2>/dev/null) || size=
    case $size in
        *' '[1-9]*) echo "${size#* }" ;;
        *) echo 80 ;;
    esac
)

# archive_size: of the one on the server, so far
archive_size() {
    human_size "$(on_server ls -ln "$server_tmp/archive" </dev/null | awk '{ print $5 }')"
}
