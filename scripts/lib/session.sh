# shellcheck shell=sh
# SQL on the server. Values go in with -v NAME=VALUE and come out of :'NAME', never pasted into the text.

# sql DATABASE [-v NAME=VALUE ...]: runs the SQL on standard input, prints bare rows
sql() {
    PGDATABASE=$1
    shift
    beside_server psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

# A session is one psql that stays open next to the server: its locks and its snapshot last as long as
# the script does, a kill -9 included, because then its standard input closes.
open_session() { # lock|live DATABASE
    end_of_answer=${end_of_answer-$(random_hex)}
    mkfifo "$work/$1.in" "$work/$1.out" || no_temporary_file
    case $1 in # opened in both directions first, which waits for nobody
        lock) exec 5<>"$work/lock.in" 6<>"$work/lock.out" ;;
        live) exec 7<>"$work/live.in" 8<>"$work/live.out" ;;
    esac
    background run_session "$1" "$2" <"$work/$1.in" >"$work/$1.out"
    case $1 in
        lock) exec 5>"$work/lock.in" 6<"$work/lock.out" ;;
        live) exec 7>"$work/live.in" 8<"$work/live.out" && live_session=$child ;;
    esac
}

# end_live_session [BACKEND]: and what that process of the server is doing, at once; its locks go with it
end_live_session() {
    if [ -n "$1" ]; then
        { psql_set backend "$1" && cat "$sql/lock/end-backend.sql"; } | ask lock >/dev/null || return 1
    fi
    exec 7>&- 8<&-
    wait "$live_session" || : # psql fails when its connection is ended
    rm -f "$work/live.in" "$work/live.out"
}

run_session() {
    PGDATABASE=$2
    beside_server psql -X -q -A -t -v ON_ERROR_STOP=1 -v live="$TB_POSTGRES_DATABASE" 2>"$work/$1.errors"
}

# psql_set NAME VALUE: the psql command that gives a variable of an open session this value, whatever it holds
psql_set() {
    printf '%s\n' "$2" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g" |
        awk -v name="$1" 'BEGIN { printf("\\set %s '\''", name) }
                          { printf("%s%s", NR > 1 ? "\\n" : "", $0) }
                          END { print "'\''" }'
}

# ask lock|live: sends the SQL on standard input, prints the answer; fails when the session has died
ask() {
    case $1 in
        lock) send >&5 && answer <&6 ;;
        live) send >&7 && answer <&8 ;;
    esac
}

# The errors of a dead session are in its own file; that it is dead shows in the answer. What ends an answer is
# random: no name that a stranger gave a table can be that line.
send() {
    cat 2>/dev/null && printf '\n\\echo %s\n' "$end_of_answer" 2>/dev/null
}

answer() {
    while IFS= read -r row; do
        [ "$row" != "$end_of_answer" ] || return 0
        printf '%s\n' "$row"
    done
    return 1
}
