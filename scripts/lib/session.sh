# shellcheck shell=sh
# SQL on the server: single statements, and sessions that last.
# Needs: awk child sql verified work
# Sets: random
#
# Values go in with -v NAME=VALUE and come out of :'NAME'; they are never pasted into SQL text.

end_of_answer=

# sql DATABASE [-v NAME=VALUE...]: runs the SQL on standard input, prints bare rows. An answer that
# goes to a file ends at 256 MB (bash: 512), so that a hostile server cannot fill the disk
sql() (
    ulimit -f 524288 2>/dev/null || : # the user's own limit may be lower
    run_sql "$@"
)

# run_sql DATABASE [-v NAME=VALUE...]: the same in a child, where a signal must reach psql
run_sql() {
    PGDATABASE=$1
    shift
    on_server psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# open_session lock|live DATABASE: one psql that stays open on the server. Its locks and its
# snapshot last as long as the script, kill -9 included, because its standard input closes then. Two
# sessions are known: lock (descriptors 5 and 6) in the database postgres, live (7 and 8) in the
# live one
open_session() {
    [ -n "$end_of_answer" ] || {
        draw_random
        end_of_answer=$random
    }
    rm -f "$work/$1.in" "$work/$1.out" # of an earlier session
    mkfifo "$work/$1.in" "$work/$1.out" || fail_temporary_directory
    case $1 in # opened in both directions first, which waits for no other process
        lock) exec 5<>"$work/lock.in" 6<>"$work/lock.out" ;;
        live) exec 7<>"$work/live.in" 8<>"$work/live.out" ;;
    esac
    background_from "$work/$1.in" run_session "$1" "$2" >"$work/$1.out"
    case $1 in
        lock) exec 5>"$work/lock.in" 6<"$work/lock.out" ;;
        live) exec 7>"$work/live.in" 8<"$work/live.out" && live_session=$child ;;
    esac
}

run_session() {
    PGDATABASE=$2
    with_input session on_server psql -X -q -A -t -v ON_ERROR_STOP=1 \
        -v live="$TB_POSTGRES_DATABASE" 2>"$work/$1.errors"
}

end_live_session() {
    exec 7>&- 8<&-
    wait "$live_session" || : # psql fails when its connection is ended
}

# print_sql NAME...: these files of scripts/sql. A directory holds pieces of SQL, which the files
# after it use unquoted, as :piece. That is safe only until the next \gset, because the server could
# return a column of that name
print_sql() {
    for sql_name; do
        if [ -d "$sql/$sql_name" ]; then
            LC_ALL=C awk -f "$awk/psql-set.awk" "$sql/$sql_name"/*.sql
        else
            cat "$sql/$sql_name.sql"
        fi
    done
}

# psql_set NAME VALUE: the psql command that gives a variable this value, whatever it contains
psql_set() {
    printf '%s\n' "$2" | LC_ALL=C awk -v variable="$1" -f "$awk/psql-set.awk"
}

# run_json_statements DATABASE: the JSON array of statements on standard input
run_json_statements() {
    json_statements_sql | sql "$1" >/dev/null
}

# json_statements_sql: prints the SQL that runs the JSON array of statements on standard input
json_statements_sql() {
    psql_set statements "$(cat)" && print_sql restore/run-statements
}

# ask lock|live: sends the SQL on standard input, prints the answer; fails if the session has ended
ask() {
    send_to "$1" && answer_of "$1"
}

send_to() { # lock|live
    case $1 in
        lock) send >&5 ;;
        live) send >&7 ;;
    esac
}

# answer_of lock|live: prints the first answer that has not been read yet
answer_of() {
    case $1 in
        lock) answer <&6 ;;
        live) answer <&8 ;;
    esac
}

# send: the end of its answer is random, so that no name in a database can be that line. Errors of
# a dead session are in its own file; the missing answer shows that it is dead
send() {
    if [ -n "$verified" ]; then
        with_end | in_block 2>/dev/null
    else
        with_end
    fi
}

with_end() {
    cat 2>/dev/null && printf '\n\\echo %s\n' "$end_of_answer" 2>/dev/null
}

# answer: fails where it has not ended after 200,000 rows: a hostile server's may never end
answer() {
    rows_left=200000
    while [ "$rows_left" -gt 0 ] && IFS= read -r row; do
        [ "$row" != "$end_of_answer" ] || return 0
        printf '%s\n' "$row"
        rows_left=$((rows_left - 1))
    done
    return 1
}

# draw_random: Sets random, 48 digits that nobody can guess
draw_random() {
    random=$(od -An -tx1 -N24 /dev/urandom | tr -d ' \n')
    [ "${#random}" -eq 48 ] || die 'could not read random numbers from /dev/urandom'
}
