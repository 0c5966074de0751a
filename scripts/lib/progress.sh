# shellcheck shell=sh
# The progress line on a terminal: drawn by the Python helper, with a bar, or by the shell.
# Needs: addresses child database_key quiet root server_tmp sql work
# Sets: is_child live_line

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
    (is_child=yes && run_helper progress --database-key "$database_key" \
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

# archive_size: prints the present size of the archive on the server
archive_size() {
    human_size "$(on_server ls -ln "$server_tmp/archive" </dev/null | awk '{ print $5 }')"
}
