# shellcheck shell=sh
# Talking to CB-Tumblebug's server, by the Python helper.
# Needs: addresses child database_bytes database_key quiet server sql work
# Sets: addresses current_content current_database current_summary database_key
#   incomplete python_needed

fetching='' login_hinted=
refused_login='refuses the user or the password' # as client.py says
python_needed='Python 3.10 or later is required to reach CB-Tumblebug'

# ask_tumblebug VERB [ARGUMENT...]: leaves in $work/answer what the server answers, or why it does
# not
ask_tumblebug() {
    verb=$1
    shift
    export TB_API_USERNAME TB_API_PASSWORD
    run_helper "$verb" --server "$TUMBLEBUG_SERVER" "$@" >"$work/answer"
}

# ask_interruptibly VERB [ARGUMENT...]: the same in the background, so that a signal ends the run
ask_interruptibly() {
    background_with_messages ask_tumblebug "$@"
    wait "$child"
}

tumblebug_answer() {
    head -n 1 "$work/answer"
}

# report_skipped WHAT: the work is done but for this; the script ends with 3. Sets incomplete
report_skipped() {
    incomplete=yes
    hint_credentials
    warn "skipped: $1"
}

has_new_python() {
    [ "$("$(find_python)" -c 'import sys; print(sys.version_info >= (3, 10))')" = True ]
}

is_tumblebug_ready() {
    ask_tumblebug ready
}

# tumblebug_answered: fails if nothing answered the last ask_tumblebug; an error is an answer
tumblebug_answered() {
    case $(tumblebug_answer) in 'CB-Tumblebug does not answer'*) return 1 ;; esac
}

require_tumblebug() {
    has_new_python || die "$python_needed"
    wait_until_ready || fail_not_ready
}

# wait_until_ready: fails if CB-Tumblebug is not ready in time
wait_until_ready() {
    seconds_left=$TUMBLEBUG_WAIT_SECONDS
    until is_tumblebug_ready; do
        case $(tumblebug_answer) in
            *"$refused_login" | 'TUMBLEBUG_SERVER '*) seconds_left=0 ;; # waiting does not help
        esac
        [ "$seconds_left" -gt 0 ] || return 1
        count_down
    done
    clear_line
}

count_down() {
    if is_screen 4 && [ -z "$quiet" ]; then
        tell '\r\033[Kwaiting for CB-Tumblebug at %s: %s s' \
            "$(printable "$TUMBLEBUG_SERVER")" "$seconds_left"
    elif [ "$seconds_left" -eq "$TUMBLEBUG_WAIT_SECONDS" ]; then
        say "waiting up to $seconds_left s for CB-Tumblebug at $TUMBLEBUG_SERVER"
    fi
    sleep 2
    seconds_left=$((seconds_left - 2))
}

fail_not_ready() {
    clear_line
    case $(tumblebug_answer) in
        'TUMBLEBUG_SERVER '*) refuse_setting TUMBLEBUG_SERVER "$TUMBLEBUG_SERVER" host:port ;;
        *"$refused_login") hint_credentials ;;
        *' answered 503: '*)
            hint 'wait until it is ready, or raise TUMBLEBUG_WAIT_SECONDS, which is' \
                "$TUMBLEBUG_WAIT_SECONDS"
            ;;
        *) hint "start CB-Tumblebug's server, or set TUMBLEBUG_SERVER=host:port" ;;
    esac
    die "$(tumblebug_answer)"
}

# fail_tumblebug SENTENCE: ends the script with it and what the server has answered
fail_tumblebug() {
    hint_credentials
    die "$1: $(tumblebug_answer)"
}

# hint_credentials: once, if they are what CB-Tumblebug refuses. Sets login_hinted
hint_credentials() {
    case $login_hinted$(tumblebug_answer) in
        yes*) ;;
        *"$refused_login")
            login_hinted=yes
            hint 'set TB_API_USERNAME and TB_API_PASSWORD'
            ;;
    esac
}

create_namespace() {
    ask_tumblebug ensure-namespace || return 1
    [ ! -s "$work/answer" ] || say "created the namespace 'system'"
}

# fetch EXPECTED [OPTION...]: lets it fetch, and shows what arrives, until it has answered
fetch() {
    expected_time=$1
    shift
    find_database
    say "CB-Tumblebug is fetching (expected: $expected_time); it reports only when finished"
    fetching=yes
    # shellcheck disable=SC2086 # the addresses are words
    background_with_messages fetch_visibly --expected "$expected_time" \
        --settled "$TUMBLEBUG_WAIT_SECONDS" "$@" --database-key "$database_key" \
        --live "$TB_POSTGRES_DATABASE" "$sql/report/arrivals.sql" $addresses
    wait "$child" || {
        fetching=
        hint "'make stats' shows what has arrived; 'make init' fetches again"
        fail_tumblebug 'fetching failed'
    }
    fetching=
    [ ! -s "$work/answer" ] || warn "$(tumblebug_answer)"
}

# fetch_visibly OPTION...: what arrives goes to the user, unless --quiet was given
fetch_visibly() {
    if [ -n "$quiet" ]; then
        ask_tumblebug fetch "$@"
    else
        ask_tumblebug fetch "$@" 2>&4
    fi
}

# find_database: what it holds, and where it can be read while it is being filled. Sets
# database_key, addresses, current_database, current_content and current_summary, empty where the
# server could not be reached; its error and hints are then in $work/database.errors
find_database() {
    set_client_environment
    describe_database >"$work/database" 4>"$work/database.errors" || : >"$work/database"
    database_key=$(sed -n 's/^key //p' "$work/database")
    addresses=$(sed -n 's/^address //p' "$work/database")
    current_database=$(sed -n 's/^name //p' "$work/database")
    current_content=$(sed -n 's/^content //p' "$work/database")
    current_summary=$(sed -n 's/^summary: *//p' "$work/database")
}

describe_database() (
    unchanged=
    select_server
    open_lock
    echo "key $database_key"
    # shellcheck disable=SC2086 # the addresses are words
    printf 'address %s\n' $addresses
    echo "name database '$TB_POSTGRES_DATABASE' of $server"
    read_database_facts
    database_exists || return 0
    echo "content $(content_of "$TB_POSTGRES_DATABASE")"
    { psql_set size "$(human_size "$database_bytes")" && print_sql backup/summary; } |
        sql "$TB_POSTGRES_DATABASE" 2>"$work/sql.errors" | grep '^summary: ' || : # no summary then
)

report_interruption() {
    [ -n "$fetching" ] || return 0
    clear_line
    say_always "stopped waiting; CB-Tumblebug is still fetching:" \
        "run 'make stats' to see what has arrived"
}
