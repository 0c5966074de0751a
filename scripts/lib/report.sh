# shellcheck shell=sh
# Table statistics and progress, by the Python helper or, where it cannot, plainly.
# Needs: addresses child database_key sql work
# Sets: is_child live_line

# print_table_statistics: on standard output, the same by the helper and by psql
print_table_statistics() {
    print_by_helper || print_by_psql
}

print_by_helper() (
    PGDATABASE=$TB_POSTGRES_DATABASE
    # shellcheck disable=SC2086 # the addresses are words
    run_helper table-statistics --server-key "$database_key" --live "$TB_POSTGRES_DATABASE" \
        "$sql/report/table-statistics.sql" $addresses
)

print_by_psql() (
    PGDATABASE=$TB_POSTGRES_DATABASE
    on_server psql -X -q -t -P border=0 -v ON_ERROR_STOP=1 \
        <"$sql/report/table-statistics.sql" >"$work/report" 2>"$work/report.errors" || exit
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

# show_table: the one on standard input as a result; a terminal shows its heading bold
show_table() {
    if has_colour 3; then
        sed "1s/.*/$(printf '\033[1m&\033[0m')/" >&3
    else
        cat >&3
    fi
}

# begin_statistics: reads the tables while the rest is done; print_statistics waits for it
begin_statistics() {
    background read_statistics
    reading_statistics=$child
}

read_statistics() {
    is_child= # the helper may leave the work to psql
    print_table_statistics >"$work/statistics"
}

# print_statistics: when the work is done; not being able to show them is no failure of it
print_statistics() {
    if wait "$reading_statistics" && show_table <"$work/statistics"; then
        return 0
    fi
    warn "the work is complete; could not show the table statistics:" \
        "$(first_error "$work/report.errors")"
}

# show_progress DATABASE TOTALS BYTES: on a terminal, what COPY does there, out of the lines in the
# manifest TOTALS, if that exists; without Python, what the function BYTES prints. Sets live_line
show_progress() {
    end_live_line
    [ -t 4 ] || return 0
    : >"$work/live-line"
    background_with_messages draw_progress "$@"
    live_line=$child
}

# draw_progress: the helper, and this loop where it cannot; a signal ends both. A signal that came
# too early has left no file.
draw_progress() {
    is_child=
    PGDATABASE=$1
    drawing=
    trap '[ -z "$drawing" ] || kill "$drawing"; exit 0' TERM
    [ -e "$work/live-line" ] || exit 0
    [ -f "$2" ] || set -- "$1" '' "$3"
    # shellcheck disable=SC2086 # the addresses are words
    (is_child=yes && run_helper progress --server-key "$database_key" \
        --live "$TB_POSTGRES_DATABASE" --script $$ ${2:+--totals "$2"} \
        "$sql/report/progress.sql" $addresses 2>&4) &
    drawing=$!
    wait "$drawing" || :  # there is no Python, or it cannot reach the server
    while is_alive $$; do # the script: this is a subshell
        sleep 1 &
        drawing=$!
        wait "$drawing"
        tell '\r%s' "$(human_size "$("$3")")"
    done
}
