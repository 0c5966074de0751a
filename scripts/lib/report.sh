# shellcheck shell=sh
# Table statistics and progress, by the Python helper or, where it cannot, plainly.

# show table-statistics|database-size: the result of that SQL file, on standard output
show() {
    show_by_helper "$1" || show_plainly "$1"
}

show_by_helper() {
    # shellcheck disable=SC2086 # the addresses are words
    find_python && PGDATABASE=$TB_POSTGRES_DATABASE ask_helper "$1" "$sql/report/$1.sql" $addresses
}

show_plainly() {
    PGDATABASE=$TB_POSTGRES_DATABASE
    beside_server psql -X -q -P footer=off -v ON_ERROR_STOP=1 <"$sql/report/$1.sql" 2>"$work/sql.errors"
}

# begin_statistics: reads the tables beside what is still to be done; show_afterwards waits for them
begin_statistics() {
    background read_statistics
    reading_statistics=$child
}

read_statistics() {
    become= # the helper may leave the work to psql
    show table-statistics >"$work/statistics"
}

# show_afterwards: the tables, when the work is done; exit 3 says that just this failed
show_afterwards() {
    wait "$reading_statistics" && cat "$work/statistics" && return
    warn "the work is done, but the statistics cannot be read: $(first_error "$work/sql.errors")"
    end_incomplete
}

# show_progress DATABASE TOTALS BYTES: what COPY does there, out of the manifest's lines in TOTALS (if that is there);
# without Python, what the function BYTES counts
show_progress() {
    end_live_line
    [ -t 4 ] || return 0
    : >"$work/drawing" # a signal at the very start can be missed; the missing file is not
    background_speaking draw_progress "$@"
    drawing=$child
}

# It stays beside the helper, to go on where the helper cannot; a signal ends both at once.
draw_progress() {
    PGDATABASE=$1
    become=
    helping=
    trap '[ -z "$helping" ] || kill "$helping"; exit 0' TERM
    [ -e "$work/drawing" ] || exit 0
    [ -f "$2" ] || set -- "$1" '' "$3"
    if find_python; then
        # shellcheck disable=SC2086 # the addresses are words
        (become='exec' && ask_helper progress --script $$ ${2:+--totals "$2"} "$sql/report/progress.sql" $addresses 2>&4) &
        helping=$!
        wait "$helping" || : # there is no Python, or it has no way to the server
    fi
    while is_alive $$; do # the script: this is a subshell
        sleep 1 &
        helping=$!
        wait "$helping"
        tell '\r%s' "$(human_size "$("$3")")"
    done
}
