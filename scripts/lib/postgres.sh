# shellcheck shell=sh
# Where the server is, and running PostgreSQL's client programs next to it. Sourcing this file runs nothing.
#
# A backend is two functions: find_NAME says clearly why the server cannot be reached and sets $addresses,
# where a helper on this host might reach it; beside_NAME runs a program next to it, standard input and output
# passed through. Next to the server, only a busybox shell and its tools may be assumed.

# find_server: chooses the backend and prepares the environment that every client program shares
find_server() {
    [ "$ASSETS_PG_BACKEND" != auto ] || ASSETS_PG_BACKEND=$(likely_backend)
    pin_client_environment
    case $ASSETS_PG_BACKEND in
        docker | direct) "find_$ASSETS_PG_BACKEND" ;;
        *) die_usage "unknown ASSETS_PG_BACKEND '$ASSETS_PG_BACKEND': it is auto, docker or direct" ;;
    esac
}

likely_backend() {
    if [ -n "$TB_POSTGRES_ENDPOINT" ]; then
        printf direct
    else
        printf docker
    fi
}

# beside_server PROGRAM [ARGUMENT...]: runs it next to the server. It reads standard input: always give
# it one. The sessions' descriptors stay here, so that a session ends with the script, not with a child.
beside_server() {
    "beside_$ASSETS_PG_BACKEND" "$@" 5>&- 6<&- 7>&- 8<&-
}

# write_beside_server FILE: standard input into a file next to the server
write_beside_server() {
    # shellcheck disable=SC2016 # it expands next to the server
    beside_server sh -c 'cat >"$1"' sh "$1" 2>"$work/far.errors"
}

# What a user or a database has set must not change what we dump, load or compare.
pin_client_environment() {
    unset PGSERVICE PGHOSTADDR PGTZ PGDATESTYLE PGGEQO PG_COLOR
    PGUSER=$TB_POSTGRES_USER
    PGPASSWORD=$TB_POSTGRES_PASSWORD
    PGDATABASE=$TB_POSTGRES_DATABASE
    PGAPPNAME="$program $(user_name)@$(uname -n) $$"
    PGCONNECT_TIMEOUT=10
    PGCLIENTENCODING=UTF8
    run_mark=${run##*.}
    PGOPTIONS="-c assets.run=$run_mark"
    PGOPTIONS="$PGOPTIONS -c statement_timeout=0 -c lock_timeout=5s -c idle_in_transaction_session_timeout=0"
    PGOPTIONS="$PGOPTIONS -c idle_session_timeout=0 -c default_transaction_read_only=off"
    PGOPTIONS="$PGOPTIONS -c search_path= -c client_min_messages=warning -c row_security=off"
    PGOPTIONS="$PGOPTIONS -c DateStyle=ISO,YMD -c IntervalStyle=postgres -c TimeZone=UTC"
    PGOPTIONS="$PGOPTIONS -c standard_conforming_strings=on -c transform_null_equals=off -c quote_all_identifiers=off"
    PGOPTIONS="$PGOPTIONS -c extra_float_digits=1 -c array_nulls=on -c bytea_output=hex -c lc_monetary=C"
    export PGUSER PGPASSWORD PGDATABASE PGAPPNAME PGCONNECT_TIMEOUT PGCLIENTENCODING PGOPTIONS
}

# --- docker: the client programs inside the container ---

find_docker() {
    server="container '$TB_POSTGRES_CONTAINER'"
    require_container_cli
    container_runs && return
    if [ "$state" = paused ]; then
        hint "$CONTAINER_CLI unpause $TB_POSTGRES_CONTAINER"
        die "PostgreSQL container '$TB_POSTGRES_CONTAINER' is paused"
    fi
    hint 'make up starts it'
    die "PostgreSQL container '$TB_POSTGRES_CONTAINER' is not running"
}

require_container_cli() {
    command -v "$CONTAINER_CLI" >/dev/null || {
        hint 'install Docker, or set TB_POSTGRES_ENDPOINT=host:port to use a server without it'
        die "there is no '$CONTAINER_CLI' command on this machine"
    }
}

# container_runs: asks the engine; sets $state, and $addresses: the published port, the container's own
container_runs() {
    inspected=$(in_time "$CONTAINER_CLI" inspect --type container --format '{{.State.Status}}
        {{- range index .NetworkSettings.Ports "5432/tcp"}} {{.HostIp}}:{{.HostPort}}{{end}}
        {{- range .NetworkSettings.Networks}} {{.IPAddress}}:5432{{end}}' \
        "$TB_POSTGRES_CONTAINER" 2>"$work/inspect.errors") || explain_docker
    state=${inspected%% *}
    addresses=$(printf '%s' "${inspected#"$state"}" | sed 's/ 0\.0\.0\.0:/ 127.0.0.1:/g; s/ :::/ [::1]:/g')
    [ "$state" = running ]
}

# in_time COMMAND...: an engine that hangs must not hang us; its first call tells
in_time() {
    if command -v timeout >/dev/null; then
        timeout 30 "$@" || {
            [ $? -ne 124 ] || echo 'it was asked, and 30 s have passed' >&2
            return 1
        }
    else
        "$@"
    fi
}

explain_docker() {
    case $(cat "$work/inspect.errors") in
        *[Nn]'o such '*) ;; # not there is not running
        *'permission denied'*)
            hint "add yourself to the group docker (sudo usermod -aG docker $(user_name)) and log in again"
            die "user '$(user_name)' has no rights on the Docker socket"
            ;;
        *)
            hint 'start Docker, then make up'
            die "Docker does not answer: $(first_error "$work/inspect.errors")"
            ;;
    esac
}

# Never -t: a terminal rewrites line ends and ruins a dump. The password travels by name, not by value.
beside_docker() {
    ${become-} "$CONTAINER_CLI" exec -i -e PGUSER -e PGPASSWORD -e PGDATABASE -e PGAPPNAME \
        -e PGCONNECT_TIMEOUT -e PGOPTIONS -e PGCLIENTENCODING "$TB_POSTGRES_CONTAINER" "$@"
}

# compose ARGUMENT...: the compose plugin, or docker-compose where there is no plugin
compose() {
    export TB_POSTGRES_CONTAINER TB_POSTGRES_USER TB_POSTGRES_PASSWORD TB_POSTGRES_DATABASE
    if "$CONTAINER_CLI" compose version >/dev/null 2>&1; then
        "$CONTAINER_CLI" compose -f "$root/docker-compose.yaml" "$@" 2>&4
    elif command -v docker-compose >/dev/null; then
        docker-compose -f "$root/docker-compose.yaml" "$@" 2>&4
    else
        hint 'install the compose plugin: on Debian and Ubuntu, docker-compose-plugin or docker-compose'
        die "there is neither '$CONTAINER_CLI compose' nor docker-compose on this machine"
    fi
}

# wait_until_healthy SECONDS: by the container's own health check, where it has one
wait_until_healthy() {
    format='{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}'
    for second in $(seq "$1"); do
        health=$("$CONTAINER_CLI" inspect --format "$format" "$TB_POSTGRES_CONTAINER")
        case $health in
            healthy | running) return 0 ;;
            exited | dead) break ;;
        esac
        sleep 1
    done
    hint "$CONTAINER_CLI logs $TB_POSTGRES_CONTAINER tells why"
    die "container '$TB_POSTGRES_CONTAINER' is '$health' after $second s, not healthy"
}

# --- direct: the client programs of this host, over TCP or a socket folder ---

find_direct() {
    server="server '$TB_POSTGRES_ENDPOINT'"
    [ -n "$TB_POSTGRES_ENDPOINT" ] ||
        die_usage 'ASSETS_PG_BACKEND=direct needs TB_POSTGRES_ENDPOINT=host:port'
    case $TB_POSTGRES_ENDPOINT in
        *:*) PGHOST=${TB_POSTGRES_ENDPOINT%:*} PGPORT=${TB_POSTGRES_ENDPOINT##*:} ;;
        *) PGHOST=$TB_POSTGRES_ENDPOINT PGPORT=5432 ;;
    esac
    PGHOST=${PGHOST#[} PGHOST=${PGHOST%]}
    export PGHOST PGPORT
    addresses=$PGHOST:$PGPORT
    [ -z "$PG_BINDIR" ] || PATH=$PG_BINDIR:$PATH
    command -v psql >/dev/null || {
        hint 'install the PostgreSQL client programs, or set PG_BINDIR to their folder'
        die 'there is no psql on this machine'
    }
}

# What they say is read here, in English.
beside_direct() {
    ${become-} env LC_ALL=C "$@"
}

# --- SQL: values go in with -v NAME=VALUE and come out of :'NAME', never pasted into the text ---

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
        { psql_set backend "$1" && cat "$sql/end-backend.sql"; } | ask lock >/dev/null || return 1
    fi
    exec 7>&- 8<&-
    await "$live_session" || : # psql fails when its connection is ended
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

# require_number WHAT ANSWER: ends the script unless the server's answer is one
require_number() {
    is_number "$2" || die "$server reports no number as $1 but '$2'; the database is unchanged"
}

# fail_with FILE SENTENCE: ends the script with what a client program's errors in FILE mean to the user
fail_with() {
    missing=$(missing_programs)
    if [ -n "$missing" ]; then
        hint 'use an image with the PostgreSQL client programs, such as postgres:16-alpine'
        die "$2: there is no $missing next to $server"
    fi
    case $(cat "$1") in
        *'password authentication failed'* | *'no password supplied'*)
            hint 'set TB_POSTGRES_PASSWORD (and TB_POSTGRES_USER) to those of the server'
            die "wrong password for user '$TB_POSTGRES_USER' on $server"
            ;;
        *"role \"$TB_POSTGRES_USER\" does not exist"*)
            hint 'set TB_POSTGRES_USER to a user of the server'
            die "there is no user '$TB_POSTGRES_USER' on $server"
            ;;
        *"database \"$TB_POSTGRES_DATABASE\" does not exist"*)
            hint 'set TB_POSTGRES_DATABASE to a database of the server'
            die "there is no database '$TB_POSTGRES_DATABASE' on $server"
            ;;
        *'unsupported startup parameter'*)
            behind_pooler "refuses the settings of our sessions ($(first_error "$1"))"
            ;;
        *'canceling statement due to '*' timeout'*) fail_locked "$2" "$(blocker true)" ;;
        *)
            reason=$(first_error "$1")
            die "$2: ${reason:-a program ended unexpectedly}"
            ;;
    esac
}

# behind_pooler REASON: a lock or a setting of a session may there belong to a session of others
behind_pooler() {
    hint 'set TB_POSTGRES_ENDPOINT to the server itself, not to its connection pooler'
    die "$server is a connection pooler that $1; the database and the existing backup are unchanged"
}

# blocker ANY_LOCK: the session that keeps ours from the live database's tables, if there is one
blocker() {
    { psql_set any_lock "$1" && cat "$sql/blockers.sql"; } | ask lock
}

fail_locked() { # SENTENCE BLOCKER
    hint 'end that session, or wait until it has finished, and run this again'
    die "$1: its tables are locked by ${2:-another session}"
}

# shellcheck disable=SC2016 # it expands next to the server
missing_programs() {
    beside_server sh -c 'for program in psql pg_dump pg_restore; do
        command -v "$program" >/dev/null || printf "%s " "$program"
    done' </dev/null 2>/dev/null || : # why the server cannot be asked is in the errors that brought us here
}

# first_error FILE: with its detail, which may hold the reason
first_error() {
    awk '/(error|ERROR|FATAL|fatal): / {
             if (found) exit
             sub(/^.*(error|ERROR|FATAL|fatal): +/, "")
             first = $0
             found = 1
         }
         found && sub(/^DETAIL: +/, "") {
             sub(/\.$/, "")
             first = first " (" $0 ")"
             exit
         }
         NR == 1 && !found { first = $0 }
         END { print first }' "$1"
}
