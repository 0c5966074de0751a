# shellcheck shell=sh
# Talking to CB-Tumblebug's server, by the Python helper. Sourcing this file runs nothing.

seconds_to_be_ready=30

# ask_tumblebug VERB [ARGUMENT...]: leaves in $work/answer what the server answers, or why it does not
ask_tumblebug() {
    verb=$1
    shift
    export TB_API_USERNAME TB_API_PASSWORD
    PYTHONPATH=$root ${become-} "$python" -m helpers "$verb" --server "$TUMBLEBUG_SERVER" "$@" </dev/null >"$work/answer"
}

reason() {
    head -n 1 "$work/answer"
}

# left_out WHAT: the work is done but for this; the script ends with 3
left_out() {
    missing_part=yes
    warn "left out: $1"
}

# require_tumblebug: waits until it is ready
require_tumblebug() {
    { find_python && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; } ||
        die 'CB-Tumblebug is asked with Python 3.10 or later, which this machine does not have; nothing was changed'
    seconds_left=$seconds_to_be_ready
    until ask_tumblebug ready; do
        case $(reason) in *TB_API_PASSWORD*) seconds_left=0 ;; esac
        [ "$seconds_left" -gt 0 ] || not_ready
        count_down
    done
    clear_line
}

count_down() {
    if [ -t 4 ]; then
        tell '\r\033[Kwaiting for CB-Tumblebug at %s: %s s' "$(printable "$TUMBLEBUG_SERVER")" "$seconds_left"
    elif [ "$seconds_left" -eq "$seconds_to_be_ready" ]; then
        say "waiting up to $seconds_left s for CB-Tumblebug at $TUMBLEBUG_SERVER"
    fi
    sleep 2
    seconds_left=$((seconds_left - 2))
}

not_ready() {
    clear_line
    hint "start CB-Tumblebug's server, or name another one by TUMBLEBUG_SERVER=host:port"
    die "$(reason); nothing was changed"
}

prepare_namespace() {
    ask_tumblebug ensure-namespace || return 1
    [ ! -s "$work/answer" ] || say "made the namespace 'system'"
}

# fetch_from_clouds EXPECTED [OPTION...]: lets it fetch, and shows what arrives, until it has answered
fetch_from_clouds() {
    expected=$1
    shift
    find_database
    say "CB-Tumblebug fetches: it takes $expected, and it answers only at the end"
    fetching=yes
    # shellcheck disable=SC2086 # the addresses are words
    background_speaking ask_tumblebug fetch --expected "$expected" "$@" \
        --server-key "$key" --live "$TB_POSTGRES_DATABASE" "$sql/report/arrivals.sql" $addresses 2>&4
    wait "$child" || {
        fetching=
        die "fetching failed: $(reason)"
    }
    fetching=
    [ ! -s "$work/answer" ] || warn "$(reason)"
}

# find_database: where it can be read while it is being filled; sets $key and $addresses, empty where it cannot
find_database() {
    pin_client_environment
    place=$( (find_server && open_lock && printf '%s\n%s' "$key" "$addresses") 4>/dev/null) || place=
    key=$(printf '%s\n' "$place" | sed -n 1p)
    addresses=$(printf '%s\n' "$place" | sed 1d)
}

say_that_it_goes_on() {
    [ -n "${fetching-}" ] || return 0
    clear_line
    say 'stopped waiting; CB-Tumblebug goes on fetching, and make stats shows what has arrived'
}
